/**
Lets those that share a key go one after the other, and all others at once. What is news in a series depends on how the
request before it ended, and that one may still be on its way to the disk.
*/
export function createTurns() {
	const last = new Map<string, Promise<unknown>>();
	return async function inTurn<Result>(keys: readonly string[], act: () => Promise<Result>): Promise<Result> {
		const earlier = new Set(keys.map(key => last.get(key)).filter(turn => turn !== undefined));
		const turn = earlier.size === 0 ? act() : Promise.allSettled(earlier).then(act);
		for (const key of keys) last.set(key, turn);
		try {
			return await turn;
		} finally {
			for (const key of keys) if (last.get(key) === turn) last.delete(key);
		}
	};
}
