import type {Decision, HardwareEvent} from '../event.ts';
import type {Problem} from '../problem.ts';
import {explainHold, titleOf} from './wording.ts';

export type NewActivity = {
	readonly at: number;
	readonly level: 'info' | 'warn' | 'error';
	readonly word: string;
	readonly problemId?: string | undefined;
	readonly text: string;
};

/** The line that the activity log gets for a decision. */
export function describe(decision: Decision, problem: Problem, event: HardwareEvent, at: number): NewActivity {
	const held = problem.state === 'held';
	const hold = held ? `; held (${problem.reason}): ${explainHold(problem.reason, event)}` : '';
	const joined = decision === 'first' || decision === 'held' ? '' : ` (event ${problem.count} of ${problem.title})`;
	return {at, level: held ? 'warn' : 'info', word: decision, problemId: problem.id, text: `${titleOf(event)}${joined}${hold}`};
}
