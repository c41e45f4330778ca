import type {Problem} from '../problem.ts';

/** How long IBM keeps an answer: after that a heartbeat need not ask for it. */
export const answerExpiryMillis = 72 * 3_600_000;

/** The reason on an accepted problem for which no case number came while IBM kept the answer. */
export const noCaseNumber = 'no_case_number';

export const isOverdue = ({acceptedAt = 0}: Problem, now: number): boolean => now - acceptedAt > answerExpiryMillis;

/**
The accepted problems whose case number will not come any more, marked as such, each with its line for the activity log:
somebody has to call IBM. One that is marked already is not among them. To be called and written in one transaction.
*/
export function missingCaseNumbers(unanswered: readonly Problem[], now: number) {
	const problems = unanswered
		.filter(problem => problem.state === 'accepted' && problem.reason !== noCaseNumber && isOverdue(problem, now))
		.map(problem => ({...problem, reason: noCaseNumber}));
	const activities = problems.map(({id, title, transactionId}) => ({
		at: now,
		level: 'error' as const,
		word: noCaseNumber,
		problemId: id,
		text: `${title}: accepted, and no case number in 72 hours: call IBM and name transaction ${transactionId}`,
	}));
	return {problems, activities};
}
