import type {HardwareEvent} from '../event.ts';
import type {Problem, System} from '../problem.ts';
import type {Submission} from '../submission.ts';
import type {NewActivity} from './activities.ts';
import type {Classify} from './classify.ts';
import {holdReasonOf, type Policy} from './decide.ts';
import {faultKeyOf, type Identify, stormKeyOf, systemKeyOf} from './identify.ts';
import {caseSubmission} from './submissions.ts';
import {explainHold} from './wording.ts';

/** Holds that the configuration may have ended: looked at again at each start. */
export const reconsideredReasons = [
	'unknown_system',
	'no_consent',
	'no_credentials',
	'not_serviceable',
	'customer_serviceable',
	'below_repeat_count',
] as const;

export type ReleaseRecords = {
	heldProblems(reasons: readonly string[], limit: number): Promise<readonly Problem[]>;
	releasableProblems(now: number): Promise<readonly Problem[]>;
	eventsOf(problemId: string, limit?: number): Promise<readonly {readonly event: HardwareEvent}[]>;
	problemsByKeys(keys: readonly string[]): Promise<ReadonlyMap<string, Problem>>;
	saveProblem(problem: Problem): Promise<void>;
	assignKeys(keys: readonly string[], problemId: string): Promise<void>;
	moveKeys(fromProblemId: string, toProblemId: string): Promise<void>;
	reassignEvents(fromProblemId: string, toProblemId: string): Promise<void>;
	offer(submission: Submission): Promise<void>;
	addActivities(activities: readonly NewActivity[]): Promise<void>;
};

export type ReleaseParts = {readonly identify: Identify; readonly classify: Classify; readonly policy: Policy};

type KnownProblem = Problem & {readonly system: System};

/** Queues a held problem. Its transaction id is minted now, for a system that may not have been known before. */
async function queue(problem: KnownProblem, event: HardwareEvent, records: ReleaseRecords, policy: Policy, now: number) {
	const transactionId = policy.mintTransactionId(problem.system, now, problem.id);
	const queued: KnownProblem = {...problem, state: 'queued', reason: '', releaseAt: undefined, transactionId};
	await records.saveProblem(queued);
	await records.offer(caseSubmission(queued, event, now));
	const text = `${problem.title}: no longer held (${problem.reason}), ${problem.count} event(s)`;
	await records.addActivities([{at: now, level: 'info', word: 'released', problemId: problem.id, text}]);
}

/** Ends the holds whose time has come: a storm has been collected. Returns how many. */
export async function releaseDue(records: ReleaseRecords, policy: Policy, now: number): Promise<number> {
	let released = 0;
	for (const problem of await records.releasableProblems(now)) {
		const [first] = await records.eventsOf(problem.id, 1);
		if (!first || !problem.system) continue;
		await queue({...problem, system: problem.system}, first.event, records, policy, now);
		released++;
	}
	return released;
}

/** Looks again at held problems after the configuration may have changed. Returns how many were released. */
export async function reconsider(records: ReleaseRecords, parts: ReleaseParts, now: number): Promise<number> {
	let released = 0;
	for (const problem of await records.heldProblems(reconsideredReasons, 10_000)) {
		const [first] = await records.eventsOf(problem.id, 1);
		if (first && (await reconsiderOne(problem, first.event, records, parts, now))) released++;
	}
	return released;
}

async function reconsiderOne(problem: Problem, event: HardwareEvent, records: ReleaseRecords, parts: ReleaseParts, now: number) {
	const {identify, classify, policy} = parts;
	const system = problem.system ?? identify(event);
	const reason = holdReasonOf(system, classify(event), problem.count, policy);
	if (reason === problem.reason) return false;
	const known = system && !problem.system ? await adopt(problem, system, event, records) : {...problem, system};
	if (!known) return false;
	if (reason || !known.system) {
		await hold(known, reason ?? problem.reason, event, records, now);
		return false;
	}
	await queue({...known, system: known.system}, event, records, policy, now);
	return true;
}

async function hold(problem: Problem, reason: string, event: HardwareEvent, records: ReleaseRecords, now: number) {
	await records.saveProblem({...problem, reason});
	const text = `${problem.title}: held (${reason}): ${explainHold(reason, event)}`;
	await records.addActivities([{at: now, level: 'warn', word: 'held', problemId: problem.id, text}]);
}

/**
The system of a problem became known, so its fault has another key. When a problem stands for that fault already, the two
are one, and this one ends in it (G3): undefined then.
*/
async function adopt(
	problem: Problem,
	system: System,
	event: HardwareEvent,
	records: ReleaseRecords,
): Promise<Problem | undefined> {
	const systemKey = systemKeyOf(system, event.resource);
	const isStorm = problem.key !== faultKeyOf(event, problem.systemKey);
	const key = isStorm ? stormKeyOf(systemKey, '') : faultKeyOf(event, systemKey);
	const other = (await records.problemsByKeys([key])).get(key);
	if (other && other.state !== 'closed') {
		await merge(problem, other, records);
		return undefined;
	}
	await records.assignKeys([key], problem.id);
	return {...problem, system, systemKey, key};
}

async function merge(problem: Problem, into: Problem, records: ReleaseRecords) {
	await records.saveProblem({...into, count: into.count + problem.count, firstSeen: Math.min(into.firstSeen, problem.firstSeen)});
	await records.saveProblem({...problem, state: 'closed', reason: `merged into ${into.id}`, count: 0, closedAt: into.lastSeen});
	await records.reassignEvents(problem.id, into.id);
	await records.moveKeys(problem.id, into.id);
}
