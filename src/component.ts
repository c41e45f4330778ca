/**
A long-lived part. `start` is called once; `shutdown` may be called at any moment, also before or during `start`,
and resolves when the part has let go of everything it holds.
*/
export type Component = {
	readonly name: string;
	start(): Promise<void>;
	shutdown(): Promise<void>;
};

/** Starts the parts in order. A failed start undoes the earlier ones; disposing undoes them all, in reverse. */
export async function startAll(components: readonly Component[]): Promise<AsyncDisposableStack> {
	await using stack = new AsyncDisposableStack();
	for (const component of components) {
		stack.defer(() => component.shutdown());
		await component.start();
	}
	return stack.move();
}
