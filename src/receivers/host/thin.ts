import type {Finding} from './alert.ts';

/**
Lets the corrected errors of a part through once an hour, with the number of those that were not told: they are nobody's
business one by one, and come by the thousand. Everything else passes; of several in a row that say the same of a part, the
first. What comes in between keeps its place: a part that failed, recovered and failed again has failed.
*/
export function createThinning(spacingMillis = 3_600_000): (findings: readonly Finding[], now: number) => readonly Finding[] {
	const toldAt = new Map<string, {at: number; untold: number}>();
	const mostParts = 10_000;

	/** How many events the first of them stands for; 0 when it is not to be told now. */
	function timesOf({key, finding, times}: Run, now: number): number {
		if (finding.state !== undefined || finding.errorType !== 'corrected') return times;
		const told = toldAt.get(key);
		if (told && now >= told.at && now - told.at < spacingMillis) {
			told.untold += times;
			return 0;
		}
		if (told || toldAt.size < mostParts) toldAt.set(key, {at: now, untold: 0});
		return times + (told?.untold ?? 0);
	}

	return function thin(findings, now) {
		return runsOf(findings).flatMap(run => {
			const times = timesOf(run, now);
			const attributes = {...run.finding.attributes, 'callhome.host.repeated': times > 1 ? times : undefined};
			return times === 0 ? [] : [{...run.finding, attributes}];
		});
	};
}

type Run = {readonly key: string; readonly finding: Finding; times: number};

/** Findings of one part that follow each other and say the same, whatever is said of other parts in between. */
function runsOf(findings: readonly Finding[]): readonly Run[] {
	const runs: Run[] = [];
	const latest = new Map<string, Run>();
	for (const finding of findings) {
		const {part, state, errorType} = finding;
		const key = `${part.id} ${state} ${errorType}`;
		// A corrected error says nothing of the state: it stands beside what else is said of the part.
		const about = state === undefined ? key : part.id;
		const before = latest.get(about);
		if (before?.key === key) {
			before.times++;
			continue;
		}
		const run = {key, finding, times: 1};
		latest.set(about, run);
		runs.push(run);
	}
	return runs;
}
