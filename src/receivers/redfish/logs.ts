import {entryKey, entryTold, type Told, timeIn} from './alert.ts';
import type {Client} from './client.ts';
import {type Json, linkIn} from './json.ts';

/** Of each end of a log: which end is the newer one differs from module to module. */
const mostOfEnd = 1000;
/** Old modules show the addresses of the entries alone, and each entry is a request. */
const mostSingly = 100;

/** Where a log stands: its entries as they were, how many it said to have, and the time of the newest. */
export type LogMark = {readonly keys: readonly string[]; readonly count: number; readonly newest?: number | undefined};
export type LogMarks = Readonly<Record<string, LogMark>>;

export type LogsRead = {
	readonly told: readonly Told[];
	readonly marks: LogMarks;
	/** Logs of which only both ends are read, with the number of their entries. */
	readonly cut: readonly (readonly [path: string, count: number])[];
};

/** `news`: no more than what was not there before was read. */
type Ends = {readonly entries: readonly Json[]; readonly count: number; readonly extent: 'whole' | 'ends' | 'news'};

/**
Slow modules show fifty entries a page: reading ends where all that is new is found, as far as the number of entries shows
that. What else changes further back, such as an entry that was resolved, is found by a thorough look.
*/
async function endsOf(client: Client, path: string, before: LogMark | undefined, isThorough: boolean): Promise<Ends> {
	const known = new Set(before?.keys);
	function isEnough(found: readonly Json[], count: number): boolean {
		if (isThorough || !before) return false;
		const keys = found.map(entryKey);
		const fresh = keys.filter(key => !known.has(key)).length;
		// A full log that drops its oldest entries has as many as before, and begins with another one.
		return count - before.count === fresh && keys.find(key => known.has(key)) === before.keys[0];
	}
	const head = await client.collection(path, {most: 2 * mostOfEnd, mostSingly, isEnough});
	const {count = head.members.length} = head;
	if (head.extent === 'enough') return {entries: head.members, count, extent: 'news'};
	if (head.extent === 'whole') return {entries: head.members, count: head.members.length, extent: 'whole'};
	const skipped = `${path}${path.includes('?') ? '&' : '?'}$skip=${Math.max(mostOfEnd, count - mostOfEnd)}`;
	const tail = await client.collection(skipped, {most: mostOfEnd, mostSingly, isOptional: true});
	return {entries: [...head.members, ...tail.members], count, extent: 'ends'};
}

function newestOf(entries: readonly Json[], before: number | undefined): number | undefined {
	const times = entries.flatMap(({Created}) => timeIn(Created) ?? []);
	return times.reduce<number | undefined>((newest, time) => Math.max(newest ?? 0, time), before);
}

/** Of a log that is not read whole, entries come into sight because others went: there time tells what is new. */
function freshOf({entries, extent}: Ends, before: LogMark | undefined): readonly Json[] {
	if (!before) return [];
	const known = new Set(before.keys);
	const since = extent === 'ends' ? before.newest : Number.NEGATIVE_INFINITY;
	if (since === undefined) return [];
	return entries.filter(entry => !known.has(entryKey(entry)) && (timeIn(entry.Created) ?? since) >= since);
}

function markAfter({entries, count, extent}: Ends, before: LogMark | undefined): LogMark {
	const keys = entries.map(entryKey);
	const all = extent === 'news' && before ? [...new Set([...keys, ...before.keys])] : keys;
	const newest = newestOf(entries, before?.newest);
	return {keys: all.slice(0, 4 * mostOfEnd), count, ...(newest !== undefined && {newest})};
}

/** Entries of a log that is seen for the first time are history: what is wrong now, the health of the parts tells. */
export async function readLogs(
	client: Client,
	owners: readonly Json[],
	before: LogMarks,
	isThorough: boolean,
): Promise<LogsRead> {
	const told: Told[] = [];
	const marks: Record<string, LogMark> = Object.create(null);
	const cut: [string, number][] = [];
	const seen = new Set<string>();
	for (const owner of owners)
		for (const service of await client.members(linkIn(owner.LogServices) ?? `${linkIn(owner)}/LogServices`)) {
			const path = linkIn(service.Entries);
			if (path === undefined || seen.has(path)) continue;
			seen.add(path);
			const unread = client.unread().length;
			const mark = Object.hasOwn(before, path) ? before[path] : undefined;
			const ends = await endsOf(client, path, mark, isThorough);
			if (client.unread().length > unread) continue; // A part of a log would make the rest of it news the next time.
			told.push(...freshOf(ends, mark).flatMap(entry => entryTold(entry, path) ?? []));
			marks[path] = markAfter(ends, mark);
			if (ends.extent === 'ends') cut.push([path, ends.count]);
		}
	return {told, marks: {...before, ...marks}, cut};
}
