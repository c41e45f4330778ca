import type {Activity} from '../activity.ts';
import {type Consume, type Decision, type HardwareEvent, isKept} from '../event.ts';
import {isUnfinished, type Problem, recentKey, type System} from '../problem.ts';
import type {Submission, SubmissionType} from '../submission.ts';
import {describe} from './activities.ts';
import {createBatches} from './batches.ts';
import {type Classify, type ComponentState, stateOf, type Verdict} from './classify.ts';
import {readTimes, repetitionsOf, twinOf} from './correlate.ts';
import {decide, type Policy, type Ruling} from './decide.ts';
import {holdReasonOf} from './hold.ts';
import {faultKeyOf, type Identify, isTest, momentKeysOf, placeKeysOf, problemIdOf, stormKeyOf, systemKeyOf} from './identify.ts';
import {withInferred} from './infer.ts';
import {follow, readSigns, type Signs} from './lasting.ts';
import {newsOf, type Recent, remember} from './levels.ts';
import {caseSubmission, statusSubmission} from './submissions.ts';

export type KeptEvent = {readonly event: HardwareEvent; readonly problemId: string; readonly decision: Decision};

/** What a decision reads and writes, all within one transaction. */
export type Records = {
	keptIds(ids: readonly string[]): Promise<ReadonlySet<string>>;
	problemsByKeys(keys: readonly string[]): Promise<ReadonlyMap<string, Problem>>;
	countRecentProblems(systemKeys: readonly string[], since: number): Promise<ReadonlyMap<string, number>>;
	insertEvents(events: readonly KeptEvent[]): Promise<void>;
	/** Of those that `stored` has as they were read, only what has changed. */
	saveProblems(problems: readonly Problem[], stored?: ReadonlyMap<string, Problem>): Promise<void>;
	assignKeys(keys: readonly string[], problemId: string): Promise<void>;
	offer(submission: Submission): Promise<void>;
	removeSubmissionsOf(problemId: string, types: readonly SubmissionType[]): Promise<void>;
	eventsOf(problemId: string, limit: number): Promise<readonly {readonly event: HardwareEvent}[]>;
	addActivities(activities: readonly Activity[]): Promise<void>;
	writeLevels(levels: ReadonlyMap<string, number>): Promise<void>;
};

/** What came of an event, for metrics and traces. */
export type Decided = {
	readonly event: HardwareEvent;
	readonly decision: Decision;
	readonly problem: Problem | undefined;
	/** Something is to be sent for it. */
	readonly isOffered: boolean;
};

export type IntakeParts = {
	readonly identify: Identify;
	readonly classify: Classify;
	readonly policy: Policy;
	/** Runs a change in one transaction and resolves when it is fsynced. */
	readonly write: <Result>(change: (records: Records) => Promise<Result>) => Promise<Result>;
	/** Last known value of each series, as read from the store at start. */
	readonly levels: Map<string, number>;
	/** The trace that a new problem's journey belongs to. */
	readonly beginTrace: (event: HardwareEvent, problem: Problem) => string | undefined;
	readonly onDecided: (decided: readonly Decided[]) => void;
	readonly now?: () => number;
};

/** An event with what is known of it before the store is asked. */
type Candidate = {
	readonly event: HardwareEvent;
	readonly state: ComponentState | undefined;
	readonly verdict: Verdict;
	readonly system: System | undefined;
	readonly systemKey: string;
	readonly faultKey: string;
	readonly stormKey: string;
	/** The place of the part, and the source that tells of it there. */
	readonly placeKeys: readonly string[];
	/** The moment of its machine, where faults of one moment are one. */
	readonly momentKeys: readonly string[];
	readonly recent: string;
};

/** Events of one problem that are looked through for what lasts. A storm of more than these is closed by a person. */
const mostEvents = 1000;

/** Where events enter: each is decided, and the decision, the problem and the submission are written in one transaction (G1). */
export function createIntake(parts: IntakeParts): Consume {
	const {levels, onDecided} = parts;
	const recent: Recent = new Map();
	const join = createBatches(take);

	async function take(events: readonly HardwareEvent[]): Promise<readonly Decided[]> {
		const {areNews, changed} = newsOf(events, levels, recent);
		const news = events.filter((_, index) => areNews[index]);
		const decided = news.length > 0 || changed.size > 0 ? await write(news, changed, parts) : [];
		remember(levels, changed); // Only what is on disk is known: a refused request is sent again and must be news again.
		const next = decided.values();
		const unchanged = (event: HardwareEvent): Decided => ({
			event,
			decision: 'unchanged',
			problem: undefined,
			isOffered: false,
		});
		return events.map((event, index) => (areNews[index] && next.next().value) || unchanged(event));
	}

	return async function consume(events) {
		const decided = await join(events);
		onDecided(decided);
		return decided.map(({decision}) => decision);
	};
}

async function write(news: readonly HardwareEvent[], changed: ReadonlyMap<string, number>, parts: IntakeParts) {
	const {now = Date.now} = parts;
	const candidates = news.map(event => toCandidate(withInferred(event), parts, now()));
	return parts.write(async records => {
		const decided = await decideAll(candidates, records, parts, now());
		if (changed.size > 0) await records.writeLevels(changed);
		return decided;
	});
}

function toCandidate(event: HardwareEvent, {identify, classify, policy}: IntakeParts, now: number): Candidate {
	const system = identify(event);
	const systemKey = systemKeyOf(system, event.resource);
	const verdict = classify(event);
	const standing = {system, resource: event.resource, test: isTest(event), now};
	const reason = holdReasonOf(standing, verdict, 1, policy) ?? '';
	return {
		event,
		state: stateOf(event),
		verdict,
		system,
		systemKey,
		faultKey: faultKeyOf(event, systemKey),
		stormKey: stormKeyOf(systemKey, reason),
		placeKeys: policy.correlateMillis > 0 ? (placeKeysOf(event, systemKey) ?? []) : [],
		momentKeys: policy.sameTimeIsOne ? momentKeysOf(event, systemKey) : [],
		recent: recentKey(systemKey, reason),
	};
}

const unique = (texts: readonly string[]): string[] => [...new Set(texts)];

/** What the store knows of these events, kept up to date as the batch is decided. */
async function readKnown(candidates: readonly Candidate[], records: Records, since: number) {
	const keys = candidates.flatMap(({faultKey, stormKey, placeKeys, momentKeys}) => [
		faultKey,
		stormKey,
		...placeKeys,
		...momentKeys,
	]);
	const problems = await records.problemsByKeys(unique(keys));
	const stored: ReadonlyMap<string, Problem> = new Map([...problems.values()].map(problem => [problem.id, problem]));
	const counting = candidates.filter(({verdict}) => verdict.within !== undefined).map(({faultKey}) => problems.get(faultKey));
	const recovering = candidates.filter(({state}) => state === 'ok').map(({faultKey}) => problems.get(faultKey));
	const mayBegin = candidates.filter(({state, faultKey}) => state === 'ok' || !isStanding(problems.get(faultKey)));
	return {
		ids: new Set(await records.keptIds(unique(candidates.map(({event}) => event.id)))),
		idByKey: new Map([...problems].map(([key, problem]) => [key, problem.id])),
		stored,
		problemById: new Map(stored),
		recent: new Map(await records.countRecentProblems(unique(mayBegin.map(({systemKey}) => systemKey)), since)),
		times: await readTimes(counting, records.eventsOf, mostEvents),
		signs: await readSigns(recovering, records.eventsOf, mostEvents),
	};
}

/** Further events join it, and begin no other problem unless one of them ends it. */
const isStanding = (problem: Problem | undefined): boolean => problem !== undefined && isUnfinished(problem);

type Known = Awaited<ReturnType<typeof readKnown>>;

async function decideAll(candidates: readonly Candidate[], records: Records, parts: IntakeParts, now: number) {
	const known = await readKnown(candidates, records, now - parts.policy.storm.windowMillis);
	const decided: Decided[] = [];
	const kept: KeptEvent[] = [];
	const activities: Activity[] = [];
	const changedProblems = new Map<string, Problem>();
	for (const candidate of candidates) {
		const {event} = candidate;
		const ruling = ruleOn(candidate, known, parts, now);
		const problem = ruling.problem;
		decided.push({event, decision: ruling.decision, problem, isOffered: ruling.submit !== undefined});
		if (!problem || !isKept(ruling.decision)) continue;
		learn(candidate, ruling, problem, known);
		changedProblems.set(problem.id, problem);
		kept.push({event, problemId: problem.id, decision: ruling.decision});
		activities.push(describe(ruling.decision, problem, event, now));
		if (ruling.newKeys) await records.assignKeys(ruling.newKeys, problem.id);
		await submit(ruling, problem, event, records, now);
	}
	await records.saveProblems([...changedProblems.values()], known.stored);
	await records.insertEvents(kept);
	await records.addActivities(activities);
	return decided;
}

function ruleOn(candidate: Candidate, known: Known, parts: IntakeParts, now: number): Ruling {
	const {event, faultKey, stormKey} = candidate;
	if (known.ids.has(event.id)) return {decision: 'repeated'};
	const problemOf = (key: string) => known.problemById.get(known.idByKey.get(key) ?? '');
	const problem = problemOf(faultKey);
	const twin = twinOf(candidate, problemOf, parts.policy, now);
	const situation = {
		...candidate,
		...recoveryOf(candidate, problem, known),
		now,
		problem,
		twin,
		repetitions: repetitionsOf(candidate, problem ?? twin, known.times),
		storm: problemOf(stormKey),
		recentProblems: known.recent.get(candidate.recent) ?? 0,
		problemId: problemIdOf(event, faultKey),
	};
	const ruling = decide(situation, parts.policy);
	if (!ruling.problem || ruling.problem.traceparent || !ruling.newKeys) return ruling;
	return {...ruling, problem: {...ruling.problem, traceparent: parts.beginTrace(event, ruling.problem)}};
}

/** Whether the event ends a fault of the problem, and whether another one lasts. One part is taken at its word; a storm is not. */
function recoveryOf({event, faultKey, state}: Candidate, problem: Problem | undefined, known: Known) {
	const signs = problem && known.signs.get(problem.id);
	if (state !== 'ok' || !problem || !signs) return {clears: problem?.key === faultKey, lasts: false};
	const left: Signs = new Map(signs);
	return {clears: follow(left, event, problem.systemKey), lasts: left.size > 0};
}

/** The next event of the batch sees what this one has changed. */
function learn({event, recent}: Candidate, {newKeys = []}: Ruling, problem: Problem, known: Known): void {
	const isNew = !known.problemById.has(problem.id);
	if (isNew) known.signs.set(problem.id, new Map());
	if (isNew) known.times.set(problem.id, []);
	if (stateOf(event) !== 'ok') known.times.get(problem.id)?.push(event.occurredAt);
	const signs = known.signs.get(problem.id);
	if (signs) follow(signs, event, problem.systemKey);
	known.ids.add(event.id);
	known.problemById.set(problem.id, problem);
	for (const key of newKeys) known.idByKey.set(key, problem.id);
	if (isNew && !isTest(event)) known.recent.set(recent, (known.recent.get(recent) ?? 0) + 1);
}

/** Queues what the ruling wants sent. A newer status says all that an older one does, and must not arrive before it. */
async function submit({submit: what}: Ruling, problem: Problem, event: HardwareEvent, records: Records, now: number) {
	const {system} = problem;
	if (!what || !system) return;
	const known = {...problem, system};
	if (what !== 'status') return records.offer(caseSubmission(known, event, now, what === 'case_again'));
	await records.removeSubmissionsOf(problem.id, ['status']);
	await records.offer(statusSubmission(known, event, now));
}
