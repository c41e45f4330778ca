import {setImmediate as nextTurn} from 'node:timers/promises';

/** Work that says by itself where it may be interrupted. */
export type Steps<Result> = Generator<void, Result, void>;

/** So many small pieces of work are one step. */
export const stepLength = 500;

/** Does the work a part at a time, and lets what else waits have its turn after `turnMillis`. */
export async function inTurns<Result>(steps: Steps<Result>, turnMillis = 10): Promise<Result> {
	let begun = performance.now();
	for (;;) {
		const step = steps.next();
		if (step.done) return step.value;
		if (performance.now() - begun < turnMillis) continue;
		await nextTurn();
		begun = performance.now();
	}
}
