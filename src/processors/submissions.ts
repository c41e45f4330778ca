import type {HardwareEvent} from '../event.ts';
import type {Problem, System} from '../problem.ts';
import type {Submission} from '../submission.ts';
import {contentOf} from './wording.ts';

type KnownProblem = Problem & {readonly system: System};

const fresh = (problem: Problem, now: number) => ({
	problemId: problem.id,
	attempts: 0,
	rounds: 0,
	uncertain: false,
	notBefore: now,
	queuedAt: now,
	traceparent: problem.traceparent,
});

/**
Opens the case. Its transaction id is the problem's, whatever happens: that is what keeps one fault one case (G3).
`uncertain`: it was sent before, and no answer came.
*/
export function caseSubmission(problem: KnownProblem, event: HardwareEvent, now: number, uncertain = false): Submission {
	return {
		...fresh(problem, now),
		uncertain,
		id: problem.transactionId,
		type: problem.test ? 'test' : 'hardware_alert',
		transactionId: problem.transactionId,
		aboutTransactionId: undefined,
		content: contentOf(problem, event, now),
	};
}

/** Tells the backend how a case that it has goes on: worse, back again, or recovered. */
export function statusSubmission(problem: KnownProblem, event: HardwareEvent, now: number): Submission {
	const transactionId = `${problem.transactionId}_status_${problem.count}`;
	return {
		...fresh(problem, now),
		id: transactionId,
		type: 'status',
		transactionId,
		aboutTransactionId: problem.transactionId,
		content: contentOf(problem, event, now),
	};
}
