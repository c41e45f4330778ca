import {type Session, SessionError} from './session.ts';
import type {Varbind} from './trap.ts';

export type Value = Varbind['value'];

/** A table by the index of its rows, each with the columns that it has. */
export type Table = ReadonlyMap<string, ReadonlyMap<number, Value>>;

type Column = {readonly root: string; readonly column: number; last: string; rows: number};

/** Rows of one table. A real IMM has at most a hundred sensors and some hundred lines in its log. */
const mostRows = 2000;
/** An agent that always has something more. */
const mostRequests = 500;

export type WalkOptions = {
	readonly maxRepetitions: number;
	/** Begins after the rows up to this index. */
	readonly after?: string;
	readonly mostRows?: number;
};

/**
Reads columns of a table side by side: `entry` is the OID of its rows, such as 1.3.6.1.4.1.2.3.51.3.1.1.2.1. The
columns of several tables may be read at once, as long as their numbers differ.
*/
export async function walk(
	session: Session,
	columns: readonly string[],
	options: WalkOptions,
): Promise<ReadonlyMap<string, Table>> {
	const rows = new Map<string, Map<string, Map<number, Value>>>();
	const most = options.mostRows ?? mostRows;
	let open = columns.map(oid => toColumn(oid, options.after));
	let repetitions = options.maxRepetitions;
	for (let request = 0; open.length > 0; request++) {
		if (request >= mostRequests) throw new SessionError('failed', 'the agent does not come to an end');
		const found = await nextRows(session, open, repetitions, smaller => {
			repetitions = smaller;
		});
		const ended = new Set<Column>();
		for (const [index, {oid, value}] of found.entries()) {
			const column = open[index % open.length];
			if (!column || ended.has(column)) continue;
			const row = indexBelow(column, oid);
			if (row === undefined || value === null) ended.add(column);
			else if (!isLater(row, column.last)) throw new SessionError('failed', `the agent goes round in circles at ${oid}`);
			else {
				column.last = row;
				put(rows, column, row, value);
				if (++column.rows >= most) ended.add(column);
			}
		}
		open = found.length === 0 ? [] : open.filter(column => !ended.has(column));
	}
	return rows;
}

function toColumn(oid: string, after = ''): Column {
	const dot = oid.lastIndexOf('.');
	return {root: oid.slice(0, dot), column: Number(oid.slice(dot + 1)), last: after, rows: 0};
}

async function nextRows(
	session: Session,
	open: readonly Column[],
	repetitions: number,
	onSmaller: (repetitions: number) => void,
) {
	const oids = open.map(({root, column, last}) => `${root}.${column}${last && `.${last}`}`);
	for (let times = repetitions; ; times = Math.floor(times / 2)) {
		try {
			return await session.next(oids, times);
		} catch (error) {
			if (!(error instanceof SessionError) || error.fault !== 'too_big' || times <= 1) throw error;
			onSmaller(Math.floor(times / 2));
		}
	}
}

function indexBelow({root, column}: Column, oid: string): string | undefined {
	const prefix = `${root}.${column}.`;
	return oid.startsWith(prefix) ? oid.slice(prefix.length) : undefined;
}

/** Indexes are compared arc by arc, as agents order them. */
function isLater(row: string, last: string): boolean {
	if (last === '') return true;
	const [one, other] = [row.split('.').map(Number), last.split('.').map(Number)];
	for (const [at, arc] of one.entries()) {
		const before = other[at];
		if (before === undefined || arc > before) return true;
		if (arc < before) return false;
	}
	return false;
}

function put(rows: Map<string, Map<string, Map<number, Value>>>, {root, column}: Column, row: string, value: Value): void {
	const table = rows.get(root) ?? new Map<string, Map<number, Value>>();
	rows.set(root, table);
	const cells = table.get(row) ?? new Map<number, Value>();
	table.set(row, cells.set(column, value));
}
