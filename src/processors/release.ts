import type {Activity} from '../activity.ts';
import type {HardwareEvent} from '../event.ts';
import type {HoldReason, Problem, System} from '../problem.ts';
import type {Submission} from '../submission.ts';
import {adopt, type KeptEvents} from './adopt.ts';
import {type Classify, stateOf} from './classify.ts';
import {holdEndOf, obstacleOf, type Policy, type Standing, withTransactionId} from './hold.ts';
import {faultKeyOf, type Identify, isStormKey} from './identify.ts';
import {caseSubmission} from './submissions.ts';
import {explainHold, stormNoteOf} from './wording.ts';

/** Holds that the configuration may have ended: looked at again at each start, the most urgent first. */
export const reconsideredReasons = [
	'unanswered',
	'no_consent',
	'no_credentials',
	'unknown_system',
	'maintenance',
	'below_repeat_count',
	'customer_serviceable',
	'not_serviceable',
	'excluded',
] as const;

export type ReleaseRecords = {
	heldProblems(reasons: readonly string[], limit: number): Promise<readonly Problem[]>;
	releasableProblems(now: number): Promise<readonly Problem[]>;
	problemById(id: string): Promise<Problem | undefined>;
	eventsOf(problemId: string, limit?: number): Promise<KeptEvents>;
	problemsByKeys(keys: readonly string[]): Promise<ReadonlyMap<string, Problem>>;
	saveProblem(problem: Problem): Promise<void>;
	assignKeys(keys: readonly string[], problemId: string): Promise<void>;
	moveKeys(fromProblemId: string, toProblemId: string): Promise<void>;
	reassignEvents(fromProblemId: string, toProblemId: string): Promise<void>;
	offer(submission: Submission): Promise<void>;
	addActivities(activities: readonly Activity[]): Promise<void>;
};

export type ReleaseParts = {readonly identify: Identify; readonly classify: Classify; readonly policy: Policy};

/** Problems of one hold, and events of one problem, that are looked at. */
const mostProblems = 10_000;
const mostEvents = 10_000;

/** Ends the holds whose time has come: a storm has been collected, a level has stood, an outage is over. Returns how many. */
export async function releaseDue(records: ReleaseRecords, policy: Policy, now: number): Promise<number> {
	let released = 0;
	for (const problem of await dueProblems(records, policy, now)) {
		const events = await records.eventsOf(problem.id, mostEvents);
		if (events.length > 0 && (await releaseOne({...problem, releaseAt: undefined}, events, records, policy, now))) released++;
	}
	return released;
}

/** A clock that was set back must not hold a storm until it has caught up. */
async function dueProblems(records: ReleaseRecords, {storm}: Policy, now: number): Promise<Problem[]> {
	const storms = await records.heldProblems(['storm'], mostProblems);
	const overlong = storms.filter(({releaseAt}) => releaseAt === undefined || releaseAt - now > storm.holdMillis);
	return [...(await records.releasableProblems(now)), ...overlong];
}

async function releaseOne(problem: Problem, events: KeptEvents, records: ReleaseRecords, policy: Policy, now: number) {
	const {system} = problem;
	const obstacle = obstacleOf(standingOf(problem, events, now), policy);
	if (system && !obstacle) {
		await queue({...problem, system}, events, records, policy, now);
		return true;
	}
	// What may have arrived keeps its mark: it is to be asked for before it is sent again.
	if (problem.reason === 'unanswered') await records.saveProblem(problem);
	else await hold(problem, obstacle ?? 'unknown_system', events, records, policy, now);
	return false;
}

const standingOf = ({system, test}: Problem, events: KeptEvents, now: number): Standing => ({
	system,
	test,
	resource: events[0]?.event.resource ?? {},
	now,
});

/** Looks again at held problems after the configuration may have changed. Returns how many were released. */
export async function reconsider(records: ReleaseRecords, parts: ReleaseParts, now: number): Promise<number> {
	let released = 0;
	for (const reason of reconsideredReasons) {
		for (const {id} of await records.heldProblems([reason], mostProblems)) {
			if (await reconsiderOne(id, records, parts, now)) released++;
		}
	}
	return released;
}

/** Reads the problem anew: one that was looked at before it may have been merged into it. */
async function reconsiderOne(id: string, records: ReleaseRecords, parts: ReleaseParts, now: number): Promise<boolean> {
	const problem = await records.problemById(id);
	const events = await records.eventsOf(id, mostEvents);
	const [first] = events;
	if (problem?.state !== 'held' || !first) return false;
	if (problem.reason === 'unanswered')
		return !obstacleOf(standingOf(problem, events, now), parts.policy) && releaseOne(problem, events, records, parts.policy, now);
	const system = parts.identify(first.event) ?? problem.system;
	const reason = reasonOf(events, problem.systemKey, {...standingOf(problem, events, now), system}, parts);
	const adopted = system ? await adopt(problem, system, events, reason ?? '', records, parts.identify, now) : problem;
	if (adopted.id !== id) return adopted.state === 'held' && reconsiderOne(adopted.id, records, parts, now);
	if (!reason) return releaseOne(adopted, events, records, parts.policy, now);
	if (reason !== problem.reason) await hold(adopted, reason, events, records, parts.policy, now);
	else if (adopted !== problem) await records.saveProblem(adopted);
	return false;
}

/** What holds a problem, by all its events: the weightiest decides, and each fault counts for itself. */
function reasonOf(
	events: KeptEvents,
	systemKey: string,
	standing: Standing,
	{classify, policy}: ReleaseParts,
): HoldReason | undefined {
	const times = new Map<string, number[]>();
	let reason: HoldReason | undefined;
	for (const {event} of events.filter(({event}) => stateOf(event) !== 'ok')) {
		const {verdict, repeat, within = Number.POSITIVE_INFINITY} = classify(event);
		if (verdict === 'excluded') reason ??= 'excluded';
		if (verdict === 'never' && (reason === undefined || reason === 'excluded')) reason = 'not_serviceable';
		if (verdict === 'serviceable' && reason !== 'below_repeat_count') reason = 'customer_serviceable';
		if (verdict !== 'call_home') continue;
		const fault = faultKeyOf(event, systemKey);
		const reports = (times.get(fault) ?? []).filter(at => Math.abs(event.occurredAt - at) <= within);
		if (reports.push(event.occurredAt) >= repeat) return obstacleOf(standing, policy);
		times.set(fault, reports);
		reason = 'below_repeat_count';
	}
	return reason ?? 'not_serviceable';
}

/**
A person lets a held or refused problem go. What IBM has refused gets another id: IBM keeps its answer under the old one, and
has said that there is no case. `mayHaveArrived`: it is asked after before it is sent again.
*/
export async function releaseByHand(
	problem: Problem & {readonly system: System},
	events: KeptEvents,
	mayHaveArrived: boolean,
	records: ReleaseRecords,
	policy: Policy,
	now: number,
): Promise<void> {
	const wasRefused = problem.state === 'rejected';
	const fresh = wasRefused ? {...problem, transactionId: problem.id, acceptedAt: undefined, recoveredAt: undefined} : problem;
	const reason = mayHaveArrived && !wasRefused ? 'unanswered' : problem.state === 'held' ? problem.reason : 'rejected';
	await queue({...fresh, reason}, events, records, policy, now);
}

/** Queues a held problem, under the transaction id that it has or gets now that its system is known. */
async function queue(
	problem: Problem & {readonly system: System},
	events: KeptEvents,
	records: ReleaseRecords,
	policy: Policy,
	now: number,
) {
	const known = withTransactionId(problem, now, policy);
	const queued = {...known, state: 'queued', reason: '', releaseAt: undefined} as const;
	await records.saveProblem(queued);
	await records.offer(caseOf(queued, problem.reason, events, now));
	const text = `${problem.title}: no longer held (${problem.reason}), ${problem.count} event(s)`;
	await records.addActivities([{at: now, level: 'info', word: 'released', problemId: problem.id, text}]);
}

function caseOf(problem: Problem & {readonly system: System}, reason: string, events: KeptEvents, now: number): Submission {
	const all = events.map(({event}) => event);
	const latest = all.findLast(event => stateOf(event) !== 'ok') ?? (all[0] as HardwareEvent);
	const submission = caseSubmission(problem, latest, now, reason === 'unanswered');
	const {problem: said} = submission.content;
	if (!isStormKey(problem.key) || !said) return submission;
	return {...submission, content: {...submission.content, problem: {...said, note: stormNoteOf(all)}}};
}

async function hold(problem: Problem, reason: string, events: KeptEvents, records: ReleaseRecords, policy: Policy, now: number) {
	await records.saveProblem({...problem, reason, releaseAt: holdEndOf(reason, standingOf(problem, events, now), policy)});
	const explanation = events[0] ? explainHold(reason, events[0].event) : reason;
	const text = `${problem.title}: held (${reason}): ${explanation}`;
	await records.addActivities([{at: now, level: 'warn', word: 'held', problemId: problem.id, text}]);
}
