import {access, constants, stat} from 'node:fs/promises';
import {DatabaseSync} from 'node:sqlite';
import {toError} from '../../errors.ts';
import {codeOf} from './tree.ts';

export type Row = Readonly<Record<string, unknown>>;

/** A database of somebody else, opened for one look. */
export type Opened = {
	/** Rows beyond an id, the oldest first. Empty when there is no such table. */
	readonly rowsAfter: (table: string, id: number, most: number) => readonly Row[];
	readonly rowsWhere: (table: string, column: string, ids: readonly number[]) => readonly Row[];
	readonly has: (table: string) => boolean;
	readonly highest: (table: string) => number;
	/** Another file of the same name has another inode. */
	readonly inode: string;
};

export type Access = {readonly status: 'absent' | 'failing'; readonly reason: string};

const plainName = /^[a-z_][a-z0-9_]{0,63}$/i;

/**
Opens a database read-only, reads, and closes it: its owner may write, move or delete it at any time. Nothing of ours is
written, no journal is rolled back, and a lock is waited for only a moment.
*/
export async function withDatabase<Result>(
	file: string,
	owner: string,
	read: (database: Opened) => Result,
): Promise<{readonly status: 'read'; readonly result: Result} | Access> {
	let inode: string;
	try {
		const found = await stat(file);
		if (!found.isFile()) return {status: 'failing', reason: `${file} is not a file`};
		inode = `${found.ino}/${Math.floor(found.birthtimeMs)}`;
		await access(file, constants.R_OK);
	} catch (error) {
		const code = codeOf(error);
		if (code === 'ENOENT' || code === 'ENOTDIR')
			return {status: 'absent', reason: `there is no ${file}: ${owner} has not run here`};
		return {
			status: 'failing',
			reason: `${file} may not be read by this user (${code}): let its group read it, and add the user to it`,
		};
	}
	let database: DatabaseSync | undefined;
	try {
		database = new DatabaseSync(file, {readOnly: true, timeout: 500, allowExtension: false});
		database.exec('PRAGMA query_only = 1; PRAGMA trusted_schema = 0');
		return {status: 'read', result: read(openedOf(database, inode))};
	} catch (error) {
		return {status: 'failing', reason: `${file} cannot be read now: ${toError(error).message}`};
	} finally {
		database?.close();
	}
}

function openedOf(database: DatabaseSync, inode: string): Opened {
	const has = (table: string): boolean =>
		database.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?").get(table) !== undefined;
	const named = (...names: string[]): void => {
		for (const name of names) if (!plainName.test(name)) throw new Error(`${name} is no name of a table`);
	};
	/** As bigint: addresses are larger than a double holds. */
	const all = (sql: string, ...values: number[]): readonly Row[] => {
		const statement = database.prepare(sql);
		statement.setReadBigInts(true);
		return statement.all(...values).map(plainRow);
	};
	return {
		inode,
		has,
		rowsAfter(table, id, most) {
			named(table);
			return has(table) ? all(`SELECT * FROM ${table} WHERE id > ? ORDER BY id LIMIT ?`, id, most) : [];
		},
		rowsWhere(table, column, ids) {
			named(table, column);
			if (ids.length === 0 || !has(table)) return [];
			return all(`SELECT * FROM ${table} WHERE ${column} IN (${ids.map(() => '?').join(', ')}) LIMIT 10000`, ...ids);
		},
		highest(table) {
			named(table);
			return has(table) ? (numberOf(all(`SELECT max(id) AS id FROM ${table}`)[0], 'id') ?? 0) : 0;
		},
	};
}

const plainRow = (row: Record<string, unknown>): Row =>
	Object.fromEntries(
		Object.entries(row).map(([name, value]) => [
			name,
			typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value,
		]),
	);

/** SQLite keeps any type in any column. */
export function numberOf(row: Row | undefined, column: string): number | undefined {
	const value = row?.[column];
	if (typeof value === 'number') return Number.isSafeInteger(value) ? value : undefined;
	return typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : undefined;
}

export function textIn(row: Row, column: string): string {
	const value = row[column];
	return typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'bigint' ? String(value) : '';
}
