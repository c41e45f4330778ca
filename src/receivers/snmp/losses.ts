import type {SourceParts} from '../../source.ts';

type Parts = Pick<SourceParts, 'log' | 'onTarget'> & {readonly now: () => number; readonly source: string};

/** After so long without a loss the source is said to work again. */
const quietMillis = 5 * 60_000;

/** Says what was lost, and that the store takes nothing, so that it does not pass unseen (G8). */
export function createLosses({log, onTarget, now, source}: Parts) {
	let all = 0;
	let lastLoss: number | undefined;
	let storeFails = false;
	const tell = (state: 'working' | 'failing', reason: string) => onTarget({source, target: '', state, reason});

	return {
		begin: () => tell('working', ''),
		lost(count: number, why: string): void {
			all += count;
			lastLoss = now();
			log('error', `SNMP traps: ${count} lost, ${all} since the start: ${why}`);
			tell('failing', `${all} traps are lost since the start: ${why}`);
		},
		/** With the error while the store refuses, without one when it has taken something. */
		store(error: Error | undefined): void {
			if (storeFails === (error !== undefined)) return;
			storeFails = error !== undefined;
			if (error) tell('failing', `traps wait in memory, informs are not answered: ${error.message}`);
			else if (lastLoss === undefined) tell('working', '');
		},
		look(): void {
			if (storeFails || lastLoss === undefined || now() - lastLoss < quietMillis) return;
			lastLoss = undefined;
			tell('working', '');
		},
	};
}
