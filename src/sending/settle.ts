import type {Answer, Outcome} from '../outcome.ts';
import type {Problem} from '../problem.ts';
import type {Submission, SubmissionContent} from '../submission.ts';
import {pauseAfter, type RetryPolicy} from './retry.ts';

export type SettlePolicy = {
	readonly retry: RetryPolicy;
	/** How often, and how many times, IBM is asked for the case number before only heartbeats ask. */
	readonly caseQuery: {readonly intervalMillis: number; readonly count: number};
};

export type Note = {
	readonly at: number;
	readonly level: 'info' | 'warn' | 'error';
	readonly word: string;
	readonly problemId?: string | undefined;
	readonly text: string;
};

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
	readonly notes: readonly Note[];
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

function postponed(
	attempted: Attempted,
	outcome: Outcome & {status: 'deferred' | 'unreachable'},
	policy: SettlePolicy,
): Settlement {
	const {submission, now, random} = attempted;
	const problem = problemOf(attempted);
	if (opensCase(submission) && problem && now - submission.queuedAt > policy.retry.park_after) return parked(problem, now);
	const attempts = submission.attempts + 1;
	const pause = pauseAfter(attempts, outcome, policy.retry, random);
	const uncertain = submission.uncertain || (outcome.status === 'deferred' && outcome.uncertain === true);
	const text = `${submission.type}: ${outcome.error.message}; attempt ${attempts}, again in ${Math.ceil(pause / 1000)} s`;
	return {
		submission: {action: 'postpone', notBefore: now + pause, attempts, rounds: submission.rounds, uncertain},
		problems: [],
		offers: [],
		notes: [{at: now, level: 'warn', word: outcome.status, problemId: submission.problemId, text}],
		final: undefined,
	};
}

function parked(problem: Problem, now: number): Settlement {
	const text = `${problem.title}: parked, no answer since ${new Date(problem.firstSeen).toISOString()}`;
	return {
		submission: {action: 'remove'},
		problems: [{...problem, state: 'held', reason: 'unanswered'}],
		offers: [],
		notes: [{at: now, level: 'error', word: 'parked', problemId: problem.id, text}],
		final: undefined,
	};
}

function rejected(attempted: Attempted, error: Error): Settlement {
	const {submission, now} = attempted;
	const problem = problemOf(attempted);
	return {
		submission: {action: 'remove'},
		problems: opensCase(submission) && problem ? [{...problem, state: 'rejected', reason: error.message.slice(0, 1000)}] : [],
		offers: [],
		notes: [
			{at: now, level: 'error', word: 'rejected', problemId: submission.problemId, text: `${submission.type}: ${error.message}`},
		],
		final: 'rejected',
	};
}

function acknowledged(attempted: Attempted, answers: readonly Answer[], policy: SettlePolicy): Settlement {
	const {submission, now} = attempted;
	const problem = problemOf(attempted);
	const accepted = opensCase(submission) && problem ? accept(problem, submission, attempted, policy) : undefined;
	const reported = submission.type === 'status' && problem ? closeWhenRecovered(problem, submission, now) : undefined;
	const first = accepted ?? reported;
	const known = new Map(attempted.problems);
	if (first) known.set(first.problem.transactionId, first.problem);
	const answered = answers.flatMap(answer => apply(answer, known.get(answer.transactionId), now));
	const changed = new Map(first ? [[first.problem.id, first.problem]] : []);
	for (const {problem} of answered) changed.set(problem.id, problem);
	const unanswered = answered.length === 0;
	return {
		submission: submission.type === 'case_query' && unanswered ? nextRound(submission, now, policy) : {action: 'remove'},
		problems: [...changed.values()],
		offers: [
			...(unanswered ? (accepted?.queries ?? []) : []),
			...(first?.offers ?? []),
			...answered.flatMap(({offers}) => offers),
		],
		notes: [...(first?.notes ?? []), ...answered.flatMap(({notes}) => notes)],
		final: 'acknowledged',
	};
}

const follow = (submission: Submission, now: number) => ({
	...submission,
	attempts: 0,
	rounds: 0,
	uncertain: false,
	queuedAt: now,
});

/** A step of the problem's life, and what follows from it. */
type Step = {
	readonly problem: Problem;
	/** Asks for the case number: needless when the answer came with the acceptance. */
	readonly queries: readonly Submission[];
	readonly offers: readonly Submission[];
	readonly notes: readonly Note[];
};

function accept(problem: Problem, submission: Submission, {now}: Attempted, policy: SettlePolicy): Step {
	const query: Submission = {
		...follow(submission, now),
		id: `${problem.transactionId}_case_query`,
		type: 'case_query',
		transactionId: `${problem.transactionId}_case_query`,
		aboutTransactionId: problem.transactionId,
		content: {system: submission.content.system, createdAt: now, transactionIds: [problem.transactionId]},
		notBefore: now + policy.caseQuery.intervalMillis,
	};
	const recovery = problem.recoveredAt === undefined ? [] : [recoverySubmission(problem, submission, now)];
	return {
		problem: {...problem, state: 'accepted', reason: '', acceptedAt: now},
		queries: [query],
		offers: recovery,
		notes: [
			{
				at: now,
				level: 'info',
				word: 'accepted',
				problemId: problem.id,
				text: `${problem.title}: accepted, waiting for the case number`,
			},
		],
	};
}

/** The component recovered while the problem was still on its way. */
function recoverySubmission(problem: Problem, submission: Submission, now: number): Submission {
	const transactionId = `${problem.transactionId}_status_${problem.count}`;
	const said = submission.content.problem;
	const content: SubmissionContent = {
		...submission.content,
		createdAt: now,
		...(said ? {problem: {...said, recovered: true}} : {}),
	};
	return {
		...follow(submission, now),
		id: transactionId,
		type: 'status',
		transactionId,
		aboutTransactionId: problem.transactionId,
		content,
		notBefore: now,
	};
}

/** IBM knows that the component is well again: the problem is over, unless the fault has come back meanwhile. */
function closeWhenRecovered(problem: Problem, submission: Submission, now: number): Step | undefined {
	if (!submission.content.problem?.recovered || problem.recoveredAt === undefined || problem.state === 'closed') return undefined;
	return {
		problem: {...problem, state: 'closed', reason: 'recovered', closedAt: now},
		queries: [],
		offers: [],
		notes: [
			{at: now, level: 'info', word: 'closed', problemId: problem.id, text: `${problem.title}: recovered, and IBM was told`},
		],
	};
}

function nextRound(submission: Submission, now: number, {caseQuery}: SettlePolicy): Settlement['submission'] {
	const rounds = submission.rounds + 1;
	if (rounds >= caseQuery.count) return {action: 'remove'}; // From here on the heartbeats ask.
	return {action: 'postpone', notBefore: now + caseQuery.intervalMillis, attempts: 0, rounds, uncertain: false};
}

type Applied = {readonly problem: Problem; readonly offers: readonly Submission[]; readonly notes: readonly Note[]};

/** What IBM said about a problem's transaction. Nothing yet, or nothing new, changes nothing. */
function apply(answer: Answer, problem: Problem | undefined, now: number): Applied[] {
	if (!problem || problem.caseNumber !== undefined) return [];
	const {caseNumber, error} = answer;
	if (caseNumber !== undefined) return [opened(problem, caseNumber, now)];
	if (error === undefined || problem.state !== 'accepted') return [];
	const note: Note = {
		at: now,
		level: 'error',
		word: 'rejected',
		problemId: problem.id,
		text: `${problem.title}: IBM answers: ${error}`,
	};
	return [{problem: {...problem, state: 'rejected', reason: error}, offers: [], notes: [note]}];
}

function opened(problem: Problem, caseNumber: string, now: number): Applied {
	const state = problem.state === 'closed' ? 'closed' : 'open';
	const note: Note = {
		at: now,
		level: 'info',
		word: 'case_number',
		problemId: problem.id,
		text: `${problem.title}: case ${caseNumber}`,
	};
	return {problem: {...problem, state, caseNumber}, offers: confirmationOf(problem, now), notes: [note]};
}

/** IBM keeps an answer until it is confirmed. */
function confirmationOf(problem: Problem, now: number): Submission[] {
	if (!problem.system) return [];
	const transactionId = `${problem.transactionId}_confirmation`;
	return [
		{
			id: transactionId,
			type: 'confirmation',
			problemId: problem.id,
			transactionId,
			aboutTransactionId: problem.transactionId,
			content: {system: problem.system, createdAt: now},
			attempts: 0,
			rounds: 0,
			uncertain: false,
			notBefore: now,
			queuedAt: now,
			traceparent: problem.traceparent,
		},
	];
}
