import type {Activity} from '../activity.ts';
import type {Decision, HardwareEvent} from '../event.ts';
import type {Problem} from '../problem.ts';
import {moduleWordOf} from './module-word.ts';
import {explainHold, titleOf} from './wording.ts';

/** The line that the activity log gets for a decision. */
export function describe(decision: Decision, problem: Problem, event: HardwareEvent, at: number): Activity {
	const joined = decision === 'first' || decision === 'held' ? '' : ` (event ${problem.count} of ${problem.title})`;
	const stuck = whyStuck(problem, event);
	return {
		at,
		level: stuck === '' ? 'info' : 'warn',
		word: decision,
		problemId: problem.id,
		text: `${titleOf(event)}${joined}${stuck} [${moduleWordOf(problem)}]`,
	};
}

function whyStuck({state, reason}: Problem, event: HardwareEvent): string {
	if (state === 'held') return `; held (${reason}): ${explainHold(reason, event)}`;
	return state === 'rejected' ? `; rejected, so it is not sent again by itself: ${reason}` : '';
}
