import type {Activity} from '../activity.ts';
import {BridgeError} from '../errors.ts';
import {isUnfinished, type Problem} from '../problem.ts';
import {mayNotSend, type Policy} from '../processors/hold.ts';
import {releaseByHand} from '../processors/release.ts';
import {explainHold} from '../processors/wording.ts';
import {caseQueryOf} from '../sending/follow-up.ts';
import type {Records, Store} from '../store/store.ts';
import {priorityOf, type SubmissionType} from '../submission.ts';

/** What a person does with a problem. */
export const operations = ['hold', 'release', 'close', 'refresh'] as const;
export type Operation = (typeof operations)[number];

/** What a person wants with one problem, which its id or its case number names, and why. */
export type ProblemOrder = {readonly operation: Operation; readonly id: string; readonly reason: string};

export type Operate = (order: ProblemOrder) => Promise<Problem>;

export type OperateParts = {
	readonly store: Store;
	readonly policy: Policy;
	/** The queue has something new. */
	readonly wake: () => void;
	readonly now?: () => number;
};

/** Rejects with ERR_NOT_FOUND for a problem that there is not, and with ERR_USAGE for what cannot be done with it now. */
export function createOperate({store, policy, wake, now = Date.now}: OperateParts): Operate {
	return async function operate({operation, id, reason}) {
		const changed = await store.write(async records => {
			const problem = (await records.problemById(id)) ?? (await records.problemByCaseNumber(id));
			if (!problem) throw new BridgeError('ERR_NOT_FOUND', `there is no problem ${id}: "callhome problem list" shows them`);
			const {problem: after, text} = await acts[operation](problem, {records, policy, reason, now: now()});
			const said = reason === '' ? '' : `: ${reason}`;
			const word = `operator_${operation}` as const;
			const activity: Activity = {
				at: now(),
				level: 'info',
				word,
				problemId: problem.id,
				text: `${problem.title}: ${text}${said}`,
			};
			await records.addActivities([activity]);
			return after;
		});
		wake();
		return changed;
	};
}

type Surroundings = {readonly records: Records; readonly policy: Policy; readonly reason: string; readonly now: number};
type Act = (problem: Problem, surroundings: Surroundings) => Promise<{readonly problem: Problem; readonly text: string}>;

const allTypes = Object.keys(priorityOf) as SubmissionType[];

const acts: Record<Operation, Act> = {hold, release, close, refresh};

function refuse(problem: Problem, why: string): never {
	throw new BridgeError(
		'ERR_USAGE',
		`problem ${problem.id} is ${problem.state}${problem.reason ? ` (${problem.reason})` : ''}: ${why}`,
	);
}

/** Takes it back from the queue. What is on its way at this moment may still arrive, and is then accepted. */
async function hold(problem: Problem, {records}: Surroundings) {
	const mayHold = problem.state === 'queued' || problem.state === 'identified' || problem.state === 'held';
	if (!mayHold) refuse(problem, 'only what IBM does not have yet can be held');
	await records.removeSubmissionsOf(problem.id, allTypes);
	const held: Problem = {...problem, state: 'held', reason: 'awaiting_approval', releaseAt: undefined};
	await records.saveProblem(held);
	return {problem: held, text: 'held until it is released'};
}

/** Sends what is held, whatever holds it but what makes sending impossible, and sends again what IBM has refused. */
async function release(problem: Problem, {records, policy, now}: Surroundings) {
	if (problem.state !== 'held' && problem.state !== 'rejected') refuse(problem, 'only what is held or rejected can be released');
	const {system} = problem;
	const events = await records.eventsOf(problem.id, 10_000);
	const [first] = events;
	if (!first) refuse(problem, 'none of its events is kept any more, so there is nothing to send');
	const obstacle = system ? mayNotSend(policy) : 'unknown_system';
	if (!system || obstacle) refuse(problem, explainHold(obstacle ?? '', first.event));
	const mayHaveArrived = (await records.attemptsOf(problem.id, 1)).length > 0;
	await releaseByHand({...problem, system}, events, mayHaveArrived, records, policy, now);
	return {problem: (await records.problemById(problem.id)) ?? problem, text: `released (${problem.state}: ${problem.reason})`};
}

/** Ends it here. IBM is not told: a case is closed by IBM. */
async function close(problem: Problem, {records, reason, now}: Surroundings) {
	if (!isUnfinished(problem)) refuse(problem, 'it is closed already');
	const closed: Problem = {
		...problem,
		state: 'closed',
		reason: reason === '' ? 'closed by the operator' : `closed by the operator: ${reason}`,
		closedAt: now,
		releaseAt: undefined,
		// What IBM has refused it has not taken: a further fault is a new problem.
		acceptedAt: problem.state === 'rejected' ? undefined : problem.acceptedAt,
	};
	await records.removeSubmissionsOf(problem.id, allTypes);
	await records.saveProblem(closed);
	return {problem: closed, text: `closed here (was ${problem.state})`};
}

/** Puts the question for its case before IBM at once. */
async function refresh(problem: Problem, {records, now}: Surroundings) {
	const {system} = problem;
	if (!system || problem.acceptedAt === undefined || problem.state === 'rejected')
		refuse(problem, 'IBM does not have it, so there is nothing to ask');
	const content = {system, createdAt: now, transactionIds: [problem.transactionId]};
	const question = caseQueryOf(problem, content, now, 0);
	await records.offer(question);
	await records.changeSubmission(question.id, {notBefore: now, rounds: 0});
	return {problem, text: 'IBM is asked for its case now'};
}
