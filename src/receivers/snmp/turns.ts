/** Lets so many work at the same time; the others wait for their turn, in the order in which they came. */
export function createTurns(most: number) {
	const waiting: (() => void)[] = [];
	let free = most;
	return {
		async take<T>(work: () => Promise<T>): Promise<T> {
			if (free > 0) free--;
			else await new Promise<void>(resolve => waiting.push(resolve));
			try {
				return await work();
			} finally {
				const next = waiting.shift();
				if (next) next();
				else free++;
			}
		},
	};
}
