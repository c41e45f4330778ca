import type {Activity} from '../activity.ts';
import type {HardwareEvent} from '../event.ts';
import {isUnfinished, type Problem, type System} from '../problem.ts';
import {faultKeyOf, type Identify, ownStormKey, stormKeyOf, systemKeyOf} from './identify.ts';

export type KeptEvents = readonly {readonly event: HardwareEvent}[];

export type AdoptRecords = {
	problemsByKeys(keys: readonly string[]): Promise<ReadonlyMap<string, Problem>>;
	saveProblem(problem: Problem): Promise<void>;
	assignKeys(keys: readonly string[], problemId: string): Promise<void>;
	moveKeys(fromProblemId: string, toProblemId: string): Promise<void>;
	reassignEvents(fromProblemId: string, toProblemId: string): Promise<void>;
	addActivities(activities: readonly Activity[]): Promise<void>;
};

/**
Gives a held problem the system that is now known for it. Its faults have other keys then, each of them: also the folded
faults of a storm must find it. When a problem stands for its fault already, the two are one, and that one is returned (G3).
*/
export async function adopt(
	problem: Problem,
	system: System,
	events: KeptEvents,
	reason: string,
	records: AdoptRecords,
	identify: Identify,
	now: number,
): Promise<Problem> {
	const resource = events[0]?.event.resource ?? {};
	const systemKey = systemKeyOf(system, resource);
	if (systemKey === problem.systemKey) return problem;
	const isStorm = !events.some(({event}) => faultKeyOf(event, problem.systemKey) === problem.key);
	const ofSystem = events.filter(({event}) => systemKeyOf(identify(event) ?? system, resource) === systemKey);
	const faults = ofSystem.map(({event}) => faultKeyOf(event, systemKey));
	const key = isStorm ? stormKeyOf(systemKey, reason) : (faults[0] ?? problem.key);
	const keys = [...new Set([key, ...faults])];
	const standing = await records.problemsByKeys(keys);
	const other = standing.get(key);
	if (other && other.id !== problem.id && isUnfinished(other)) return merge(problem, other, keys, standing, records, now);
	await records.assignKeys(freeKeys(keys, standing), problem.id);
	// Never sent under the old name: the id is minted anew for the right machine.
	return {...problem, system, systemKey, key: isStorm ? ownStormKey(key, problem.id) : key, transactionId: problem.id};
}

/** Faults for which no other unfinished problem stands. */
const freeKeys = (keys: readonly string[], standing: ReadonlyMap<string, Problem>): string[] =>
	keys.filter(key => {
		const other = standing.get(key);
		return !other || !isUnfinished(other);
	});

async function merge(
	problem: Problem,
	into: Problem,
	keys: readonly string[],
	standing: ReadonlyMap<string, Problem>,
	records: AdoptRecords,
	now: number,
): Promise<Problem> {
	const merged: Problem = {
		...into,
		count: into.count + problem.count,
		severity: Math.max(into.severity, problem.severity),
		firstSeen: Math.min(into.firstSeen, problem.firstSeen),
		lastSeen: Math.max(into.lastSeen, problem.lastSeen),
	};
	await records.saveProblem(merged);
	await records.saveProblem({
		...problem,
		state: 'closed',
		reason: `merged into ${into.id}`,
		count: 0,
		closedAt: now,
		releaseAt: undefined,
	});
	await records.reassignEvents(problem.id, into.id);
	await records.moveKeys(problem.id, into.id);
	await records.assignKeys(freeKeys(keys, standing), into.id);
	const text = `${problem.title}: merged into ${into.id}, which stands for the same fault`;
	await records.addActivities([{at: now, level: 'info', word: 'merged', problemId: problem.id, text}]);
	return merged;
}
