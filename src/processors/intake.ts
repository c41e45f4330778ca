import {type Consume, type Decision, type HardwareEvent, isKept} from '../event.ts';
import {type Problem, recentKey, type System} from '../problem.ts';
import type {Submission} from '../submission.ts';
import {describe, type NewActivity} from './activities.ts';
import {type Classify, stateOf} from './classify.ts';
import {decide, holdReasonOf, type Policy, type Ruling} from './decide.ts';
import {faultKeyOf, type Identify, problemIdOf, stormKeyOf, systemKeyOf} from './identify.ts';
import {changedLevels, isNews, remember} from './levels.ts';
import {caseSubmission, statusSubmission} from './submissions.ts';

export type KeptEvent = {readonly event: HardwareEvent; readonly problemId: string; readonly decision: Decision};

/** What a decision reads and writes, all within one transaction. */
export type Records = {
	keptIds(ids: readonly string[]): Promise<ReadonlySet<string>>;
	problemsByKeys(keys: readonly string[]): Promise<ReadonlyMap<string, Problem>>;
	countRecentProblems(systemKeys: readonly string[], since: number): Promise<ReadonlyMap<string, number>>;
	insertEvents(events: readonly KeptEvent[]): Promise<void>;
	saveProblem(problem: Problem): Promise<void>;
	assignKeys(keys: readonly string[], problemId: string): Promise<void>;
	offer(submission: Submission): Promise<void>;
	addActivities(activities: readonly NewActivity[]): Promise<void>;
	writeLevels(levels: ReadonlyMap<string, number>): Promise<void>;
};

/** What came of an event, for metrics and traces. */
export type Decided = {readonly event: HardwareEvent; readonly decision: Decision; readonly problem: Problem | undefined};

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
	readonly system: System | undefined;
	readonly systemKey: string;
	readonly faultKey: string;
	readonly stormKey: string;
	readonly recent: string;
};

/** Where events enter: each is decided, and the decision, the problem and the submission are written in one transaction (G1). */
export function createIntake(parts: IntakeParts): Consume {
	const {write, levels, onDecided, now = Date.now} = parts;
	return async function consume(events) {
		const news = events.filter(event => isNews(event, levels));
		const changed = changedLevels(events, levels);
		if (news.length === 0 && changed.size === 0) return settle(events, new Map(), onDecided);
		const candidates = news.map(event => toCandidate(event, parts));
		const decided = await write(async records => {
			const outcome = await decideAll(candidates, records, parts, now());
			if (changed.size > 0) await records.writeLevels(changed);
			return outcome;
		});
		remember(levels, changed); // Only what is on disk is known: a refused request is sent again and must be news again.
		return settle(events, decided, onDecided);
	};
}

function settle(
	events: readonly HardwareEvent[],
	decided: ReadonlyMap<HardwareEvent, Decided>,
	onDecided: IntakeParts['onDecided'],
): readonly Decision[] {
	const all = events.map(event => decided.get(event) ?? {event, decision: 'unchanged' as const, problem: undefined});
	onDecided(all);
	return all.map(({decision}) => decision);
}

function toCandidate(event: HardwareEvent, {identify, classify, policy}: IntakeParts): Candidate {
	const system = identify(event);
	const systemKey = systemKeyOf(system, event.resource);
	const reason = holdReasonOf(system, classify(event), 1, policy) ?? '';
	return {
		event,
		system,
		systemKey,
		faultKey: faultKeyOf(event, systemKey),
		stormKey: stormKeyOf(systemKey, reason),
		recent: recentKey(systemKey, reason),
	};
}

const unique = (texts: readonly string[]): string[] => [...new Set(texts)];

/** What the store knows of these events, kept up to date as the batch is decided. */
async function readKnown(candidates: readonly Candidate[], records: Records, since: number) {
	const problems = await records.problemsByKeys(unique(candidates.flatMap(({faultKey, stormKey}) => [faultKey, stormKey])));
	return {
		ids: new Set(await records.keptIds(unique(candidates.map(({event}) => event.id)))),
		idByKey: new Map([...problems].map(([key, problem]) => [key, problem.id])),
		problemById: new Map([...problems.values()].map(problem => [problem.id, problem])),
		recent: new Map(await records.countRecentProblems(unique(candidates.map(({systemKey}) => systemKey)), since)),
	};
}
type Known = Awaited<ReturnType<typeof readKnown>>;

async function decideAll(candidates: readonly Candidate[], records: Records, parts: IntakeParts, now: number) {
	const known = await readKnown(candidates, records, now - parts.policy.storm.windowMillis);
	const decided = new Map<HardwareEvent, Decided>();
	const kept: KeptEvent[] = [];
	const activities: NewActivity[] = [];
	const changedProblems = new Map<string, Problem>();
	for (const candidate of candidates) {
		const {event} = candidate;
		const ruling = ruleOn(candidate, known, parts, now);
		const problem = ruling.problem;
		decided.set(event, {event, decision: ruling.decision, problem});
		if (!problem || !isKept(ruling.decision)) continue;
		learn(candidate, ruling, problem, known);
		changedProblems.set(problem.id, problem);
		kept.push({event, problemId: problem.id, decision: ruling.decision});
		activities.push(describe(ruling.decision, problem, event, now));
		if (ruling.newKeys) await records.assignKeys(ruling.newKeys, problem.id);
		for (const submission of submissionsOf(ruling, problem, event, now)) await records.offer(submission);
	}
	for (const problem of changedProblems.values()) await records.saveProblem(problem);
	await records.insertEvents(kept);
	await records.addActivities(activities);
	return decided;
}

function ruleOn(candidate: Candidate, known: Known, parts: IntakeParts, now: number): Ruling {
	const {event, faultKey, stormKey} = candidate;
	if (known.ids.has(event.id)) return {decision: 'repeated'};
	const problemOf = (key: string) => known.problemById.get(known.idByKey.get(key) ?? '');
	const situation = {
		...candidate,
		now,
		state: stateOf(event),
		verdict: parts.classify(event),
		problem: problemOf(faultKey),
		storm: problemOf(stormKey),
		recentProblems: known.recent.get(candidate.recent) ?? 0,
		problemId: problemIdOf(event, faultKey),
	};
	const ruling = decide(situation, parts.policy);
	if (!ruling.problem || ruling.problem.traceparent || !ruling.newKeys) return ruling;
	return {...ruling, problem: {...ruling.problem, traceparent: parts.beginTrace(event, ruling.problem)}};
}

/** The next event of the batch sees what this one has changed. */
function learn({event, recent}: Candidate, {newKeys = []}: Ruling, problem: Problem, known: Known): void {
	known.ids.add(event.id);
	known.problemById.set(problem.id, problem);
	for (const key of newKeys) known.idByKey.set(key, problem.id);
	if (newKeys.length > 0) known.recent.set(recent, (known.recent.get(recent) ?? 0) + 1);
}

function submissionsOf({submit}: Ruling, problem: Problem, event: HardwareEvent, now: number): Submission[] {
	const {system} = problem;
	if (!submit || !system) return [];
	return [
		submit === 'case' ? caseSubmission({...problem, system}, event, now) : statusSubmission({...problem, system}, event, now),
	];
}
