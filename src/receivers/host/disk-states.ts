import {z} from 'zod';
import type {Marks, Reading} from '../../source.ts';
import type {Finding, NamedPart} from './alert.ts';
import {changesOf, levelsSchema} from './levels.ts';
import {readMark, writeMark} from './marks.ts';

const markSchema = z.object({
	levels: levelsSchema,
	/** By disk, then by counter. */
	counters: z.record(z.string(), z.record(z.string(), z.number())),
	/** Disks whose health could be read. */
	readable: z.array(z.string()).max(10_000).default([]),
	/** Disks that would not tell the last time. */
	doubtful: z.array(z.string()).max(10_000).default([]),
});
type Mark = z.output<typeof markSchema>;

const nothingKnown: Mark = {levels: {}, counters: {}, readable: [], doubtful: []};

/** A disk as it was found this time. */
export type DiskLook = {
	readonly part: NamedPart;
	/** How it stands; `unreadable` when it was opened and would not tell. */
	readonly state: Pick<Finding, 'state' | 'errorType' | 'verdict'> | 'unreadable';
	readonly why: string;
	readonly counters: Readonly<Record<string, number>>;
	readonly attributes?: Finding['attributes'];
	readonly readings: readonly Reading[];
};

/** What the looks at all disks bring that is news, and the mark that is to be written when it is kept. */
export async function newsOfDisks(looks: readonly DiskLook[], key: string, marks: Marks) {
	const mark = (await readMark(marks, key, markSchema)) ?? nothingKnown;
	const {findings, levels} = changesOf(
		mark.levels,
		looks.flatMap(look => stateOf(look, mark)),
	);
	const counters: Mark['counters'] = {...mark.counters};
	for (const {part, counters: now} of looks) counters[part.id] = {...counters[part.id], ...now};
	const seen = looks.filter(({state}) => state !== 'unreadable').map(({part}) => part.id);
	const readable = [...new Set([...seen, ...mark.readable])].slice(0, 10_000);
	const doubtful = looks.filter(({state}) => state === 'unreadable').map(({part}) => part.id);
	return {
		findings: [...findings, ...looks.flatMap(look => growthOf(look, mark.counters[look.part.id]))],
		readings: looks.flatMap(({readings}) => readings),
		settle: () => writeMark(marks, key, {levels, counters, readable, doubtful} satisfies Mark),
	};
}

/** A disk that has never told its health has none to tell; one that no longer tells it, twice in a row, is in trouble. */
function stateOf({part, state, why, attributes}: DiskLook, {readable, doubtful}: Mark): readonly Finding[] {
	if (state !== 'unreadable') {
		const message = state.state === 'ok' ? `${part.name} is well again` : `${part.name}: ${why}`;
		return [{...state, part, message, identity: [], ...(attributes && {attributes})}];
	}
	if (!readable.includes(part.id) || !doubtful.includes(part.id)) return [];
	return [{part, state: 'degraded', errorType: 'unreadable', message: `${part.name}: ${why}`, identity: []}];
}

/** The first value is only what the later ones are measured from; one that went down began again. */
function growthOf(
	{part, counters, attributes}: DiskLook,
	before: Readonly<Record<string, number>> | undefined,
): readonly Finding[] {
	const grown = Object.entries(counters).filter(([name, value]) => value > (before?.[name] ?? value));
	if (grown.length === 0) return [];
	const said = grown.map(([name, value]) => `${name} went from ${before?.[name]} to ${value}`).join(', ');
	return [
		{
			part,
			state: 'predicted_failure',
			errorType: 'growing_errors',
			message: `${part.name}: ${said}`,
			identity: ['grown', part.id, grown],
			...(attributes && {attributes}),
		},
	];
}
