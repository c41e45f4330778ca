import type {Kysely, Transaction} from 'kysely';
import {BridgeError} from '../errors.ts';
import type {Schema} from './schema.ts';
import {toStoreError} from './sqlite.ts';

export type Write<Result> = (transaction: Transaction<Schema>) => Promise<Result>;

type Pending = {
	readonly write: Write<unknown>;
	readonly resolve: (result: never) => void;
	readonly reject: (error: Error) => void;
};

/** Changes joined into one commit. More of them would only keep the first one waiting. */
const maxChangesPerCommit = 256;

/**
Group commit: whatever is asked for while a commit is under way goes into the next one, so that one fsync serves many.
A promise resolves when its change is fsynced. When a commit fails, each of its changes is tried alone, so that one
cannot fail another.
*/
export function createWriter(database: () => Kysely<Schema>, onFailure: (error: Error) => Promise<void>) {
	let pending: Pending[] = [];
	let running: Promise<void> | undefined;
	let closed = false;

	async function commit(changes: readonly Pending[]) {
		try {
			const results = await database()
				.transaction()
				.execute(async transaction => {
					const outcomes: unknown[] = [];
					for (const {write} of changes) outcomes.push(await write(transaction));
					return outcomes;
				});
			for (const [index, {resolve}] of changes.entries()) resolve(results[index] as never);
		} catch (thrown) {
			await commitOneByOne(changes, toStoreError(thrown));
		}
	}

	async function commitOneByOne(changes: readonly Pending[], error: Error) {
		if (changes.length > 1 && !(error instanceof BridgeError)) {
			for (const change of changes) await commit([change]);
			return;
		}
		await onFailure(error);
		for (const {reject} of changes) reject(error);
	}

	async function run() {
		while (pending.length > 0) {
			// One turn of the event loop, so that requests that have already arrived join this commit.
			await new Promise(resolve => setImmediate(resolve));
			const changes = pending.slice(0, maxChangesPerCommit);
			pending = pending.slice(maxChangesPerCommit);
			await commit(changes);
		}
		running = undefined;
	}

	return {
		write<Result>(write: Write<Result>): Promise<Result> {
			if (closed) return Promise.reject(new BridgeError('ERR_SHUTTING_DOWN', 'the store is closing'));
			const {promise, resolve, reject} = Promise.withResolvers<Result>();
			pending.push({write, resolve: resolve as (result: never) => void, reject});
			running ??= run();
			return promise;
		},
		/** Refuses further changes and resolves when the accepted ones are committed. */
		async close() {
			closed = true;
			await running;
		},
	};
}
export type Writer = ReturnType<typeof createWriter>;
