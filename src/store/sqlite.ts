import {DatabaseSync, type SQLInputValue, type StatementSync} from 'node:sqlite';
import {Kysely, type SqliteDatabase, SqliteDialect, type SqliteStatement} from 'kysely';
import {BridgeError, toError} from '../errors.ts';
import type {Schema} from './schema.ts';

/** Marks a file as ours (`PRAGMA application_id`): "CHBr". */
export const applicationId = 0x43_48_42_72;

/** Statements kept prepared. Batches of different length are different statements, hence more than a handful. */
const cachedStatements = 256;

function createStatementCache(database: DatabaseSync) {
	const statements = new Map<string, SqliteStatement>();
	return function prepare(sql: string): SqliteStatement {
		const known = statements.get(sql);
		if (known) return known;
		const statement = toKyselyStatement(database.prepare(sql));
		if (statements.size >= cachedStatements) statements.delete(statements.keys().next().value ?? '');
		statements.set(sql, statement);
		return statement;
	};
}

function toKyselyStatement(statement: StatementSync): SqliteStatement {
	return {
		reader: statement.columns().length > 0,
		all: parameters => statement.all(...(parameters as SQLInputValue[])),
		run: parameters => statement.run(...(parameters as SQLInputValue[])),
		iterate: parameters => statement.iterate(...(parameters as SQLInputValue[])),
	};
}

/** node:sqlite in the shape that Kysely's SQLite dialect wants. */
function toKyselyDatabase(database: DatabaseSync): SqliteDatabase {
	return {prepare: createStatementCache(database), close: () => database.close()};
}

export type SqliteOptions = {
	readonly file: string;
	readonly readOnly?: boolean;
	/** Bytes that the file may grow to; further events are refused then, before the disk is full. */
	readonly maxSize?: number;
};

/** Opens the file. WAL, and an fsync with each commit: what is committed survives a power cut (G1). */
export function openSqlite({file, readOnly = false, maxSize}: SqliteOptions): Kysely<Schema> {
	const database = new DatabaseSync(file, {readOnly, timeout: 5000});
	try {
		if (!readOnly) {
			database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 16777216');
			database.exec(`PRAGMA cache_size = -8192; PRAGMA application_id = ${applicationId}`);
			if (maxSize !== undefined) limitSize(database, maxSize);
		}
	} catch (error) {
		database.close();
		throw error;
	}
	return new Kysely<Schema>({dialect: new SqliteDialect({database: toKyselyDatabase(database)})});
}

function limitSize(database: DatabaseSync, maxSize: number) {
	const pageSize = Number(database.prepare('PRAGMA page_size').get()?.page_size ?? 4096);
	database.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(maxSize / pageSize))}`);
}

/** SQLite's primary result codes (sqlite.org/rescode.html) that mean trouble with the disk and not with a statement. */
const codeOfResult: Record<number, 'ERR_STORE_FULL' | 'ERR_STORE_BUSY' | 'ERR_STORE_DAMAGED'> = {
	5: 'ERR_STORE_BUSY', // SQLITE_BUSY
	6: 'ERR_STORE_BUSY', // SQLITE_LOCKED
	8: 'ERR_STORE_FULL', // SQLITE_READONLY
	10: 'ERR_STORE_FULL', // SQLITE_IOERR
	11: 'ERR_STORE_DAMAGED', // SQLITE_CORRUPT
	13: 'ERR_STORE_FULL', // SQLITE_FULL
	14: 'ERR_STORE_FULL', // SQLITE_CANTOPEN
	26: 'ERR_STORE_DAMAGED', // SQLITE_NOTADB
};

/** A failure of the store as a BridgeError; anything else is a bug and keeps its stack. */
export function toStoreError(thrown: unknown): Error {
	const error = toError(thrown);
	const result = 'errcode' in error && typeof error.errcode === 'number' ? error.errcode & 0xff : 0;
	const code = codeOfResult[result];
	return code ? new BridgeError(code, `the store cannot write: ${error.message}`, {cause: error}) : error;
}
