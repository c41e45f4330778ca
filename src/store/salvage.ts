import {DatabaseSync} from 'node:sqlite';
import {type Kysely, sql} from 'kysely';
import type {Schema} from './schema.ts';

/** The most important first: a problem without its submission can be queued again, the other way round it cannot. */
const tables = ['problem', 'problem_key', 'submission', 'event', 'attempt', 'activity', 'level', 'setting'] as const;

type Row = Record<string, string | number | null>;

/** Copies what can still be read of a damaged store. Returns the number of rows; an unreadable page costs its rows only. */
export async function salvage(damagedFile: string, database: Kysely<Schema>): Promise<number> {
	let rows = 0;
	for (const table of tables) {
		for (const row of readableRows(damagedFile, table)) rows += await copy(database, table, row);
	}
	return rows;
}

/** Reads from both ends, since a scan ends at the first damaged page. */
function readableRows(file: string, table: string): Iterable<Row> {
	const rows = new Map<string, Row>();
	for (const order of ['ASC', 'DESC']) {
		try {
			using damaged = new DatabaseSync(file, {readOnly: true});
			const key = damaged
				.prepare(`PRAGMA table_info(${table})`)
				.all()
				.find(column => column.pk === 1)?.name;
			for (const row of damaged.prepare(`SELECT * FROM ${table} ORDER BY ${key} ${order}`).iterate()) {
				rows.set(String(row[String(key)]), row as Row);
			}
		} catch {
			// The damage begins here; the other direction may reach what lies beyond it.
		}
	}
	return rows.values();
}

async function copy(database: Kysely<Schema>, table: string, row: Row): Promise<number> {
	const columns = Object.keys(row).map(column => sql.id(column));
	try {
		const result = await sql`
			INSERT OR IGNORE INTO ${sql.id(table)} (${sql.join(columns)}) VALUES (${sql.join(Object.values(row))})
		`.execute(database);
		return Number(result.numAffectedRows ?? 0);
	} catch {
		return 0; // A row that breaks a constraint was damaged itself; the file that was set aside still has it.
	}
}
