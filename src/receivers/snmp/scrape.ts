import type {Attributes, HardwareEvent} from '../../event.ts';
import type {Reading} from '../../source.ts';
import type {PolledHost} from './config.ts';
import {changeColumns, changeEvents, growthOf, knownAfter, type Line, linesOf, logColumns, logEvents} from './event-log.ts';
import {type HostMark, healthEvents, settled, systemPart} from './health.ts';
import {machineOf} from './imm-alert.ts';
import {changeTable, healthStates, logTable, profileRoots, type Scalar, scalars, summaryTable, walks} from './imm-mib.ts';
import {type PartState, partsIn, statusReadings} from './readings.ts';
import {type Session, SessionError} from './session.ts';
import {integerOf, textOfValue} from './trap.ts';
import {type Table, type Value, walk} from './walk.ts';

export type Scraped = {
	readonly resource: Attributes;
	readonly readings: readonly Reading[];
	readonly events: readonly HardwareEvent[];
	readonly mark: HostMark;
	/** What is worth a line in the log. */
	readonly notices: readonly string[];
};

export type ScrapeOptions = {
	readonly host: PolledHost;
	readonly address: string;
	readonly maxRepetitions: number;
	/** So long a part reads well before that is told. */
	readonly recoveryMillis: number;
	readonly mark: HostMark | undefined;
	readonly at: number;
};

const noRows: Table = new Map();

/** Reads one machine once. Throws a SessionError when its module gives no answer that can be used. */
export async function scrape(session: Session, options: ScrapeOptions): Promise<Scraped> {
	const {host, address, maxRepetitions, recoveryMillis, mark, at} = options;
	const root = profileRoots[host.profile];
	const found = await readScalars(session, root);
	if (found('health') === null)
		throw new SessionError('failed', `it has no ${host.profile} health (${root}.${scalars.health}): is the profile right?`);
	const tables = new Map<string, Table>();
	for (const columns of walks) {
		const rows = await walk(
			session,
			columns.map(column => `${root}.${column}`),
			{maxRepetitions},
		);
		for (const [entry, rowsOf] of rows) tables.set(entry.slice(root.length + 1), rowsOf);
	}
	const table = (entry: string) => tables.get(entry) ?? noRows;
	const resource = resourceOf(host, address, found);
	const machine = `${host.host.toLowerCase()}:${host.port}`;
	const parts = partsIn(table, id => mark?.standing[id]);
	const summary = [...table(summaryTable.entry).values()].map(row => textOfValue(row.get(summaryTable.text))).join('; ');
	const all = [...parts, ...systemPart(stateOfSystem(found('health')), parts, summary)];
	const before = mark ?? {standing: {}};
	const {parts: lasting, well} = settled(all, before, {at, recoveryMillis});
	const {events: health, standing, suspect} = healthEvents(lasting, before, {machine, resource, at});
	const log = await readLog(session, `${root}.${logTable.entry}`, mark?.log, maxRepetitions);
	const silent = silentClasses(found);
	const changes = linesOf(table(changeTable.entry), changeColumns);
	const changed = growthOf(changes, mark?.changes);
	return {
		resource,
		readings: all.flatMap(part => [...part.readings, ...statusReadings(part)]),
		events: [...health, ...logEvents(log.added, machine, resource, at), ...changeEvents(changed.added, machine, resource, at)],
		mark: {
			standing,
			well,
			...(suspect && {suspect}),
			log: log.mark,
			changes: knownAfter(changes, changed, mark?.changes),
			silent,
		},
		notices: [
			...(log.isCleared ? ['its event log was cleared, or all of it has been replaced'] : []),
			...(silent !== '' && silent !== mark?.silent ? [`it is set up to send no traps of ${silent} alerts`] : []),
		],
	};
}

export type Found = (name: Scalar) => Value;

export async function readScalars(session: Session, root: string): Promise<Found> {
	const names = Object.keys(scalars) as Scalar[];
	const values = await session.get(names.map(name => `${root}.${scalars[name]}`));
	const byOid = new Map(values.map(({oid, value}) => [oid, value]));
	return name => byOid.get(`${root}.${scalars[name]}`) ?? null;
}

/** Traps that are switched off are missing without a word. */
const silentClasses = (found: Found): string =>
	(['critical', 'warning', 'system'] as const).filter(name => integerOf(found(`${name}Alerts`)) === 0).join(', ');

function stateOfSystem(value: Value): PartState | undefined {
	const number = integerOf(value);
	return number === 0 || number === 2 || number === 4 || number === 255 ? healthStates[number] : undefined;
}

/** What the configuration says of the machine goes before what its module says. */
export function resourceOf(host: PolledHost, address: string, found: Found): Attributes {
	const [type, model, serial] = [
		textOfValue(found('machineType')),
		textOfValue(found('model')),
		textOfValue(found('serialNumber')),
	];
	const read = machineOf(type.length === 4 ? `${type}${model}` : type, serial);
	const uuid = textOfValue(found('uuid'));
	return {
		'host.name': host.name ?? host.host,
		'host.ip': address,
		...(uuid && {'host.id': uuid}),
		...read,
		...configured(host),
	};
}

export const configured = ({machine_type, model, serial_number}: PolledHost): Attributes => ({
	...(machine_type && {'callhome.system.type': machine_type.toUpperCase()}),
	...(model && {'callhome.system.model': model.toUpperCase()}),
	...(serial_number && {'callhome.system.serial_number': serial_number.toUpperCase()}),
});

type LogMark = NonNullable<HostMark['log']>;
type LogRead = {readonly added: readonly Line[]; readonly isCleared: boolean; readonly mark: LogMark};

/**
The log is read as a whole only when it has changed: when its first line is another one, as in a log that begins with the newest
or that is full, or when its last one is, or has a successor.
*/
async function readLog(session: Session, entry: string, mark: LogMark | undefined, maxRepetitions: number): Promise<LogRead> {
	const columns = logColumns.map(column => `${entry}.${column}`);
	if (mark && (await isUnchanged(session, columns, mark))) return {added: [], isCleared: false, mark};
	const table = (await walk(session, columns, {maxRepetitions})).get(entry) ?? noRows;
	const lines = linesOf(table, logColumns);
	const indexes = [...table.keys()];
	const growth = growthOf(lines, mark?.digests);
	const wordsOf = (index: string | undefined) => (index === undefined ? '' : wordsAt(table, index));
	const ends = {first: wordsOf(indexes[0]), last: indexes.at(-1) ? `${indexes.at(-1)} ${wordsOf(indexes.at(-1))}` : ''};
	return {...growth, mark: {digests: knownAfter(lines, growth, mark?.digests), ...ends}};
}

const wordsAt = (table: Table, index: string): string => {
	const row = table.get(index);
	return row ? (linesOf(new Map([[index, row]]), logColumns)[0]?.digest ?? '') : '';
};

async function isUnchanged(session: Session, columns: readonly string[], mark: LogMark): Promise<boolean> {
	const [index = '', words] = mark.last.split(' ');
	const first = await rowsAfter(session, columns, '', 1);
	if (index === '') return first.size === 0;
	const [firstIndex] = first.keys();
	if (firstIndex === undefined || wordsAt(first, firstIndex) !== mark.first) return false;
	const before = Number(index) - 1;
	const tail = await rowsAfter(session, columns, before > 0 ? String(before) : '', 2);
	return tail.size === 1 && tail.has(index) && wordsAt(tail, index) === words;
}

/** So many rows, in one request. */
async function rowsAfter(session: Session, columns: readonly string[], index: string, rows: number): Promise<Table> {
	const entry = columns[0]?.slice(0, columns[0].lastIndexOf('.')) ?? '';
	const options = {maxRepetitions: rows, mostRows: rows, ...(index !== '' && {after: index})};
	return (await walk(session, columns, options)).get(entry) ?? noRows;
}
