import {statSync} from 'node:fs';
import {DatabaseSync, type StatementSync} from 'node:sqlite';
import {decisions} from '../event.ts';
import {problemStates} from '../problem.ts';
import {submissionTypes} from '../submission.ts';
import {mostSequence, numbering} from './ledger-chain.ts';
import {migrationName} from './migrations.ts';
import {rowsOfPages, type Value} from './pages.ts';
import {indexing} from './recent.ts';
import {lostMark} from './schema.ts';

type Column = {readonly name: string; readonly type: string; readonly required: boolean; readonly isRowid: boolean};
type Table = {readonly name: string; readonly columns: readonly Column[]; readonly insert: StatementSync};

const tablesOfPages = ['problem', 'problem_key', 'submission', 'event', 'attempt', 'ledger', 'activity'];
/** Their rows lie in the tree itself, and cost little when they are lost: they are read as SQLite finds them. */
const tablesOfTrees = ['level', 'setting'];

/** Columns with a closed list of words: a row with another one was damaged. */
const words: Record<string, readonly string[]> = {
	'event.decision': decisions,
	'problem.state': problemStates,
	'submission.type': submissionTypes,
};

/**
Takes what can still be read of a damaged store over into a new one. Returns the number of rows. Rows are told apart by
their shape, since the page that says which table a page belongs to may be the damaged one.
*/
export function salvage(damagedFile: string, fresh: DatabaseSync): number {
	const tables = tablesOfPages.map(name => tableOf(fresh, name));
	let rows = 0;
	fresh.exec('PRAGMA cache_size = -131072; BEGIN; DELETE FROM setting'); // Ids come in no order: a small cache would write each page many times.
	for (const {rowid, values} of rowsOfPages(damagedFile)) {
		if (isMigration(values) || rowid > mostSequence) continue; // A number of which the next ones could not be read.
		const table = tables.find(({name, columns}) => fits(values, name, columns));
		if (table)
			rows += insert(
				table,
				values.map((value, index) => (table.columns[index]?.isRowid ? rowid : value)),
			);
	}
	for (const name of tablesOfTrees) rows += copyTree(damagedFile, tableOf(fresh, name));
	for (const statement of repairs) fresh.exec(statement);
	fresh.exec('COMMIT');
	return rows;
}

function tableOf(database: DatabaseSync, name: string): Table {
	const columns = database
		.prepare(`PRAGMA table_info(${name})`)
		.all()
		.map(row => ({
			name: String(row.name),
			type: String(row.type),
			required: row.notnull === 1 || row.pk === 1,
			isRowid: row.pk === 1 && row.type === 'INTEGER',
		}));
	const places = columns.map(() => '?').join(', ');
	return {name, columns, insert: database.prepare(`INSERT OR IGNORE INTO ${name} VALUES (${places})`)};
}

/** A migration that adds a column has to let rows without it pass here. */
function fits(values: readonly Value[], table: string, columns: readonly Column[]): boolean {
	return (
		values.length === columns.length &&
		columns.every((column, index) => {
			const value = values[index] ?? null;
			if (column.isRowid || value === null) return value === null && (column.isRowid || !column.required);
			const known = words[`${table}.${column.name}`];
			return known ? known.includes(String(value)) : typeof value === (column.type === 'TEXT' ? 'string' : 'number');
		})
	);
}

/** A row of the list of migrations has the shape of a key and its problem. */
const isMigration = ([name]: readonly Value[]): boolean => typeof name === 'string' && migrationName.test(name);

function insert({insert}: Table, values: readonly Value[]): number {
	try {
		return Number(insert.run(...values).changes);
	} catch (error) {
		if (isRefused(error)) return 0; // It breaks a constraint, so it was damaged; the file that was set aside still has it.
		throw error;
	}
}

/** SQLITE_CONSTRAINT, SQLITE_MISMATCH. */
const isRefused = (error: unknown): boolean =>
	error instanceof Error && 'errcode' in error && [19, 20].includes(Number(error.errcode) & 0xff);

/** Reads from both ends, since SQLite's scan ends at the first damaged page. */
function copyTree(damagedFile: string, table: Table): number {
	const found: Value[][] = [];
	if (!statSync(damagedFile, {throwIfNoEntry: false})?.size) return 0; // SQLite would delete the log of an empty file.
	for (const order of ['ASC', 'DESC']) {
		try {
			using damaged = new DatabaseSync(damagedFile, {readOnly: true});
			const names = table.columns.map(({name}) => name).join(', ');
			const query = damaged.prepare(`SELECT ${names} FROM ${table.name} ORDER BY 1 ${order}`);
			for (const row of query.iterate()) found.push(Object.values(row) as Value[]);
		} catch {
			// The damage begins here; the other direction may reach what lies beyond it.
		}
	}
	return found.reduce((rows, values) => rows + insert(table, values), 0);
}

const marked = (id: string) => `'${lostMark}' || ${id}`;

/** Makes the rows agree again where some of them are lost. */
const repairs = [
	'DELETE FROM event WHERE sequence NOT IN (SELECT min(sequence) FROM event GROUP BY id)',
	`UPDATE event SET problem_id = ${marked('problem_id')}
		WHERE problem_id NOT IN (SELECT id FROM problem) AND problem_id NOT LIKE ${marked("'%'")}`,
	'DELETE FROM problem_key WHERE problem_id NOT IN (SELECT id FROM problem)',
	"INSERT OR IGNORE INTO problem_key SELECT key, id FROM problem ORDER BY state = 'closed', last_seen DESC",
	`UPDATE problem SET count = present.events
		FROM (SELECT problem_id, count(*) AS events FROM event GROUP BY problem_id) AS present
		WHERE present.problem_id = problem.id AND present.events > problem.count`,
	"UPDATE total SET value = (SELECT coalesce(sum(events), 0) FROM problem_tally) WHERE name = 'events'",
	...indexing,
	...numbering,
];
