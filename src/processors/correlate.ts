import type {HardwareEvent} from '../event.ts';
import {isUnfinished, type Problem} from '../problem.ts';
import {stateOf, type Verdict} from './classify.ts';
import type {Policy} from './hold.ts';
import {isStormKey} from './identify.ts';

type Reported = {
	readonly event: HardwareEvent;
	readonly verdict: Verdict;
	readonly placeKeys: readonly string[];
	readonly momentKeys: readonly string[];
};

const standsFor = (problem: Problem | undefined): problem is Problem =>
	problem !== undefined && isUnfinished(problem) && problem.state !== 'rejected' && !isStormKey(problem.key);

/** The problem that stands for this part under another name, or for the same moment of its machine where that is one fault. */
export function twinOf(
	reported: Reported,
	problemOf: (key: string) => Problem | undefined,
	policy: Pick<Policy, 'correlateMillis'>,
	now: number,
): Problem | undefined {
	return twinInPlace(reported, problemOf, policy, now) ?? reported.momentKeys.map(problemOf).find(standsFor);
}

/** The problem that another source has begun for this part a short time ago. What this source told of the place itself is another part. */
function twinInPlace(
	{event, placeKeys: [place, ofSource]}: Reported,
	problemOf: (key: string) => Problem | undefined,
	{correlateMillis}: Pick<Policy, 'correlateMillis'>,
	now: number,
): Problem | undefined {
	const twin = place === undefined ? undefined : problemOf(place);
	if (!standsFor(twin)) return undefined;
	if (ofSource !== undefined && problemOf(ofSource)?.id === twin.id) return undefined;
	const at = Math.min(event.occurredAt, now);
	return at >= twin.firstSeen - correlateMillis && at <= twin.lastSeen + correlateMillis ? twin : undefined;
}

export type ReadEvents = (problemId: string, limit: number) => Promise<readonly {readonly event: HardwareEvent}[]>;

/** When each of these held problems was reported, for the rules that count within a time. */
export async function readTimes(problems: readonly (Problem | undefined)[], eventsOf: ReadEvents, limit: number) {
	const times = new Map<string, number[]>();
	for (const problem of problems) {
		if (problem?.state !== 'held' || times.has(problem.id)) continue;
		const reports = (await eventsOf(problem.id, limit)).map(({event}) => event).filter(event => stateOf(event) !== 'ok');
		times.set(
			problem.id,
			reports.map(({occurredAt}) => occurredAt),
		);
	}
	return times;
}

/** The how manieth report of its problem an event is, of those that count together. */
export function repetitionsOf(
	{event, verdict: {within}}: Pick<Reported, 'event' | 'verdict'>,
	problem: Problem | undefined,
	times: ReadonlyMap<string, readonly number[]>,
): number {
	if (within === undefined) return (problem?.count ?? 0) + 1;
	return (times.get(problem?.id ?? '') ?? []).filter(at => Math.abs(event.occurredAt - at) <= within).length + 1;
}
