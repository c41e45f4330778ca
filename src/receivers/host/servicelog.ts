import {z} from 'zod';
import type {Marks, SourceParts} from '../../source.ts';
import type {HostReceiverConfig} from './config.ts';
import {numberOf, type Opened, type Row, textIn, withDatabase} from './database.ts';
import {readMark, writeMark} from './marks.ts';
import {type HostSource, type Look, makeDirectoryOf} from './runner.ts';
import {closedToFinding, eventToFinding, isClosed, isTelling, partOfEvent} from './servicelog-rows.ts';

const mostRows = 500;
const mostOpen = 5000;

const markSchema = z.object({
	/** The last event that was read, and when it was logged: a log that was cleared begins again at 1. */
	last: z.object({id: z.int(), logged: z.string()}),
	/** Events that were told and are not closed. */
	open: z.array(z.int()).max(mostOpen),
});
type Mark = z.output<typeof markSchema>;

/** On Power: the events that rtas_errd, opal_errd and the diagnostics write, with the parts to change. */
export function servicelogSource(
	config: HostReceiverConfig['servicelog'],
	{marks, log}: {readonly marks: Marks; readonly log: SourceParts['log']},
): HostSource {
	const {file, notify_file: notifyFile} = config;
	const key = 'host/servicelog';
	let hasSaidHow = false;
	if (notifyFile !== undefined) makeDirectoryOf(notifyFile);

	async function look(): Promise<Look> {
		const mark = await readMark(marks, key, markSchema);
		const read = await withDatabase(file, 'servicelog', database => ({
			...readNews(database, mark),
			isKnown: database.has('events'),
			commands: database.rowsAfter('notifications', 0, 1000).map(row => textIn(row, 'command')),
		}));
		if (read.status !== 'read') return read;
		const {findings, next, more, isKnown, commands} = read.result;
		if (!isKnown) return {status: 'failing', reason: `${file} has no table of events`};
		if (notifyFile !== undefined && !hasSaidHow && !commands.some(command => command.includes(notifyFile))) {
			hasSaidHow = true;
			log('info', `servicelog tells nobody at once: ${registration(notifyFile)}`);
		}
		const isMoved = JSON.stringify(next) !== JSON.stringify(mark);
		return {status: 'read', findings, more, ...(isMoved && {settle: () => writeMark(marks, key, next)})};
	}
	const wakeOn = notifyFile === undefined ? [file] : [file, notifyFile];
	return {name: 'servicelog', intervalMillis: config.interval, wakeOn, look};
}

/**
The number of the event comes on standard input, where touch leaves it. `touch` is all the hook does: the events are read from
the log itself, so a hook that did not run delays them and loses none.
*/
const registration = (file: string): string =>
	['EVENT', 'REPAIR']
		.map(
			type =>
				`servicelog_notify --add --type=${type} --match='${type === 'EVENT' ? 'serviceable=1' : 'id>0'}' --method=num_stdin ` +
				`--command='/usr/bin/touch ${file}'`,
		)
		.join(' && ');

function readNews(database: Opened, mark: Mark | undefined) {
	const last = mark?.last ?? {id: 0, logged: ''};
	const isSameLog =
		last.id === 0 || database.rowsWhere('events', 'id', [last.id]).some(row => textIn(row, 'time_logged') === last.logged);
	const rows = database.rowsAfter('events', isSameLog ? last.id : 0, mostRows);
	const opened = rows.filter(row => !isClosed(row) && isTelling(row));
	const watched = isSameLog ? database.rowsWhere('events', 'id', mark?.open ?? []) : [];
	const callouts = Map.groupBy(
		database.rowsWhere('callouts', 'event_id', [...opened, ...watched].map(idOf)),
		row => numberOf(row, 'event_id') ?? 0,
	);
	const calloutsOf = (row: Row) => callouts.get(idOf(row)) ?? [];
	const stillOpen = [...watched.filter(row => !isClosed(row)), ...opened];
	const openParts = new Set(stillOpen.map(row => partOfEvent(row, calloutsOf(row)).id));
	const newest = rows.at(-1);
	const next: Mark = {
		last: newest ? {id: idOf(newest), logged: textIn(newest, 'time_logged')} : isSameLog ? last : {id: 0, logged: ''},
		open: stillOpen.map(idOf).slice(-mostOpen),
	};
	return {
		more: rows.length === mostRows,
		next,
		findings: [
			...opened.map(row => eventToFinding(row, calloutsOf(row))),
			// A part is well when the last of its events is closed.
			...watched
				.filter(isClosed)
				.map(row => closedToFinding(row, calloutsOf(row)))
				.filter(({part}) => !openParts.has(part.id)),
		],
	};
}

const idOf = (row: Row): number => numberOf(row, 'id') ?? 0;
