import type {Problem} from '../problem.ts';
import type {Submission, SubmissionContent, SubmissionType} from '../submission.ts';

/** IBM has it and has not said its case number: also of what is over by now. */
export const awaitsCase = ({state, caseNumber}: Problem): boolean =>
	caseNumber === undefined && (state === 'accepted' || state === 'closed');

function submissionAbout(
	problem: Problem,
	type: SubmissionType,
	transactionId: string,
	content: SubmissionContent,
	notBefore: number,
): Submission {
	return {
		id: transactionId,
		type,
		problemId: problem.id,
		transactionId,
		aboutTransactionId: problem.transactionId,
		content,
		attempts: 0,
		rounds: 0,
		uncertain: false,
		notBefore,
		queuedAt: content.createdAt,
		traceparent: problem.traceparent,
	};
}

/** Asks for the case number. */
export function caseQueryOf(
	problem: Problem,
	{system}: Pick<SubmissionContent, 'system'>,
	now: number,
	intervalMillis: number,
): Submission {
	const question = {system, createdAt: now, transactionIds: [problem.transactionId]};
	return submissionAbout(problem, 'case_query', `${problem.transactionId}_case_query`, question, now + intervalMillis);
}

/** What became of a problem while it was still on its way: it grew worse, or it recovered. */
export function followUpOf(problem: Problem, {content}: Submission, now: number): Submission | undefined {
	const said = content.problem;
	const {title, severity, count, firstSeen, lastSeen} = problem;
	const recovered = problem.recoveredAt !== undefined;
	if (!said || (!recovered && severity <= said.severity)) return undefined;
	const news = {...content, createdAt: now, problem: {...said, title, severity, count, firstSeen, lastSeen, recovered}};
	return submissionAbout(problem, 'status', `${problem.transactionId}_status_${count}`, news, now);
}

/** IBM keeps an answer until it is confirmed. */
export function confirmationOf(problem: Problem, now: number): readonly Submission[] {
	if (!problem.system) return [];
	const content = {system: problem.system, createdAt: now};
	return [submissionAbout(problem, 'confirmation', `${problem.transactionId}_confirmation`, content, now)];
}
