import type {Activity} from '../activity.ts';
import type {Answer, Outcome} from '../outcome.ts';
import {isSent, type Problem} from '../problem.ts';
import type {Submission} from '../submission.ts';
import {awaitsCase, caseQueryOf, confirmationOf, followUpOf} from './follow-up.ts';
import {pauseAfter, type RetryPolicy} from './retry.ts';

export type SettlePolicy = {
	readonly retry: RetryPolicy;
	/** How often, and how many times, IBM is asked for the case number before only heartbeats ask. */
	readonly caseQuery: {readonly intervalMillis: number; readonly count: number};
};

const longestPauseMillis = 86_400_000;

/** What is to be written after an attempt, all in one transaction. */
export type Settlement = {
	/** What becomes of the row in the queue: it goes only when the outcome is final. */
	readonly submission:
		| {readonly action: 'remove'}
		| {
				readonly action: 'postpone';
				readonly notBefore: number;
				readonly attempts: number;
				readonly rounds: number;
				readonly uncertain: boolean;
		  };
	readonly problems: readonly Problem[];
	readonly offers: readonly Submission[];
	readonly notes: readonly Activity[];
	/** Whether the outcome is final, for the counters. */
	readonly final: 'acknowledged' | 'rejected' | undefined;
};

export type Attempted = {
	readonly submission: Submission;
	readonly outcome: Outcome;
	/** The submission's problem and those that the answers are about, by transaction id. */
	readonly problems: ReadonlyMap<string, Problem>;
	readonly now: number;
	readonly random: () => number;
};

/** What an attempt's outcome means. Pure: the caller writes it. */
export function settlementOf(attempted: Attempted, policy: SettlePolicy): Settlement {
	const {outcome} = attempted;
	if (outcome.status === 'acknowledged') return acknowledged(attempted, outcome.answers, policy);
	if (outcome.status === 'rejected') return rejected(attempted, outcome.error);
	return postponed(attempted, outcome, policy);
}

const problemOf = ({submission, problems}: Attempted): Problem | undefined =>
	problems.get(submission.aboutTransactionId ?? submission.transactionId) ??
	[...problems.values()].find(({id}) => id === submission.problemId);

const opensCase = ({type}: Submission): boolean => type === 'hardware_alert' || type === 'test';

const noteOf = (at: number, level: Activity['level'], word: string, problemId: string | undefined, text: string): Activity => ({
	at,
	level,
	word,
	problemId,
	text,
});

function postponed(
	attempted: Attempted,
	outcome: Outcome & {status: 'deferred' | 'unreachable'},
	policy: SettlePolicy,
): Settlement {
	const {submission, now, random} = attempted;
	const problem = problemOf(attempted);
	const isOverdue = now - submission.queuedAt > policy.retry.park_after;
	if (opensCase(submission) && problem?.state === 'queued' && isOverdue) return parked(problem, submission, now);
	const attempts = submission.attempts + 1;
	const pause = pauseAfter(attempts, outcome, retryOf(submission, policy), random);
	const uncertain = submission.uncertain || (outcome.status === 'deferred' && outcome.uncertain === true);
	const text = `${submission.type}: ${outcome.error.message}; attempt ${attempts}, again in ${Math.ceil(pause / 1000)} s`;
	return {
		submission: {action: 'postpone', notBefore: now + pause, attempts, rounds: submission.rounds, uncertain},
		problems: [],
		offers: [],
		notes: [noteOf(now, 'warn', outcome.status, submission.problemId, text)],
		final: undefined,
	};
}

/**
Each attempt is kept with all its bytes, of which an inventory has many, and nobody waits for it: seven attempts a day by default,
instead of fifty. When a way out opens again, it goes at once.
*/
const retryOf = ({type}: Submission, {retry}: SettlePolicy): RetryPolicy =>
	type === 'inventory'
		? {...retry, multiplier: Math.max(4, retry.multiplier), max_interval: Math.min(16 * retry.max_interval, longestPauseMillis)}
		: retry;

function parked(problem: Problem, {queuedAt}: Submission, now: number): Settlement {
	const text = `${problem.title}: parked, no answer since ${new Date(queuedAt).toISOString()}: call IBM`;
	return {
		submission: {action: 'remove'},
		problems: [{...problem, state: 'held', reason: 'unanswered', releaseAt: undefined}],
		offers: [],
		notes: [noteOf(now, 'error', 'parked', problem.id, text)],
		final: undefined,
	};
}

function rejected(attempted: Attempted, error: Error): Settlement {
	const {submission, now} = attempted;
	const problem = problemOf(attempted);
	// What IBM has taken once it does not lose by a later refusal of the same message.
	const refused = opensCase(submission) && problem && !isSent(problem.state) ? problem : undefined;
	return {
		submission: {action: 'remove'},
		problems: refused ? [{...refused, state: 'rejected', reason: error.message.slice(0, 1000)}] : [],
		offers: [],
		notes: [noteOf(now, 'error', 'rejected', submission.problemId, `${submission.type}: ${error.message}`)],
		final: 'rejected',
	};
}

function acknowledged(attempted: Attempted, answers: readonly Answer[], policy: SettlePolicy): Settlement {
	const {submission, now} = attempted;
	const known = new Map(attempted.problems);
	const own = problemOf(attempted);
	const steps: Step[] = [];
	const take = (step: Step | undefined) => {
		if (!step) return;
		known.set(step.problem.transactionId, step.problem);
		steps.push(step);
	};
	if (own && opensCase(submission)) take(accept(own, now));
	if (own && submission.type === 'status') take(closeWhenRecovered(own, submission, now));
	for (const answer of answers) take(apply(answer, known.get(answer.transactionId), now));
	const after = own && known.get(own.transactionId);
	const row = rowAfter(submission, after, now, policy);
	return {
		submission: row,
		problems: [...new Map(steps.map(({problem}) => [problem.id, problem])).values()],
		offers: [...(after ? nextOf(submission, after, now, policy) : []), ...steps.flatMap(({offers = []}) => offers)],
		notes: steps.map(({note}) => note),
		final: row.action === 'remove' ? 'acknowledged' : undefined,
	};
}

/** A question that has its answer is done, whoever brought the answer. */
function rowAfter(
	submission: Submission,
	about: Problem | undefined,
	now: number,
	{caseQuery}: SettlePolicy,
): Settlement['submission'] {
	const rounds = submission.rounds + 1;
	const asksOn = submission.type === 'case_query' && about && awaitsCase(about) && rounds < caseQuery.count;
	if (!asksOn) return {action: 'remove'}; // From the last round on the heartbeats ask.
	return {action: 'postpone', notBefore: now + caseQuery.intervalMillis, attempts: 0, rounds, uncertain: false};
}

/** What follows the acceptance of a problem: the question for its case number, and what became of it on the way. */
function nextOf(submission: Submission, problem: Problem, now: number, {caseQuery}: SettlePolicy): readonly Submission[] {
	if (!opensCase(submission) || !isSent(problem.state)) return [];
	const followUp = followUpOf(problem, submission, now);
	return [
		...(awaitsCase(problem) ? [caseQueryOf(problem, submission.content, now, caseQuery.intervalMillis)] : []),
		...(followUp ? [followUp] : []),
	];
}

/** A step of a problem's life, and what follows from it. */
type Step = {readonly problem: Problem; readonly note: Activity; readonly offers?: readonly Submission[]};

/** The number may be known already: from an earlier attempt whose reply got lost. */
function accept(problem: Problem, now: number): Step {
	const state = problem.state === 'closed' ? 'closed' : problem.caseNumber === undefined ? 'accepted' : 'open';
	const reason = state === 'closed' ? problem.reason : '';
	const text = `${problem.title}: accepted${problem.caseNumber === undefined ? ', waiting for the case number' : ''}`;
	return {problem: {...problem, state, reason, acceptedAt: now}, note: noteOf(now, 'info', 'accepted', problem.id, text)};
}

/** IBM knows that the component is well again: the problem is over, unless the fault has come back meanwhile. */
function closeWhenRecovered(problem: Problem, submission: Submission, now: number): Step | undefined {
	if (!submission.content.problem?.recovered || problem.recoveredAt === undefined || problem.state === 'closed') return undefined;
	return {
		problem: {...problem, state: 'closed', reason: 'recovered', closedAt: now},
		note: noteOf(now, 'info', 'closed', problem.id, `${problem.title}: recovered, and IBM was told`),
	};
}

/** What IBM said about a problem's transaction. Nothing yet, or nothing new, changes nothing. */
function apply({caseNumber, error}: Answer, problem: Problem | undefined, now: number): Step | undefined {
	if (!problem || problem.caseNumber !== undefined) return undefined;
	if (caseNumber !== undefined) return opened(problem, caseNumber, now);
	if (error === undefined || problem.state !== 'accepted') return undefined;
	const reason = error.slice(0, 1000);
	const note = noteOf(now, 'error', 'rejected', problem.id, `${problem.title}: IBM answers: ${reason}`);
	return {problem: {...problem, state: 'rejected', reason}, note};
}

function opened(problem: Problem, caseNumber: string, now: number): Step {
	const isClosed = problem.state === 'closed';
	const state = isClosed ? 'closed' : 'open';
	return {
		problem: {...problem, state, reason: isClosed ? problem.reason : '', caseNumber, acceptedAt: problem.acceptedAt ?? now},
		note: noteOf(now, 'info', 'case_number', problem.id, `${problem.title}: case ${caseNumber}`),
		offers: confirmationOf(problem, now),
	};
}
