import {DatabaseSync, type SQLInputValue, type StatementSync} from 'node:sqlite';
import {pathToFileURL} from 'node:url';
import {
	Kysely,
	SqliteAdapter,
	type SqliteDatabase,
	SqliteDriver,
	SqliteIntrospector,
	SqliteQueryCompiler,
	type SqliteStatement,
} from 'kysely';
import type {Schema} from './schema.ts';

/** Marks a file as ours (`PRAGMA application_id`): "CHBr". */
export const applicationId = 0x43_48_42_72;
export const pageSize = 4096;

/** How long another program may hold the file. The whole bridge waits meanwhile. */
const patienceMillis = 1000;

/**
Bytes of the write-ahead log before its pages go into the file, and of pages in memory. Ids and problems come in no order,
so that many commits touch the same pages of an index: the longer they wait, the fewer times each is written.
*/
const logSize = 32 * 1024 ** 2;
const cacheSize = 8 * 1024 ** 2;

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

/** SQLite changes a schema within a transaction: a migration that is killed has not happened. */
class TransactionalAdapter extends SqliteAdapter {
	override get supportsTransactionalDdl(): boolean {
		return true;
	}
}

/** node:sqlite under Kysely's SQLite dialect. */
function toKysely(database: DatabaseSync): Kysely<Schema> {
	const adapted: SqliteDatabase = {prepare: createStatementCache(database), close: () => database.close()};
	return new Kysely<Schema>({
		dialect: {
			createDriver: () => new SqliteDriver({database: adapted}),
			createQueryCompiler: () => new SqliteQueryCompiler(),
			createAdapter: () => new TransactionalAdapter(),
			createIntrospector: kysely => new SqliteIntrospector(kysely),
		},
	});
}

/** The statement for this text, prepared once for each connection: for texts of which there are only a few. */
export type Prepare = (sql: string) => StatementSync;

function createPrepare(connection: DatabaseSync): Prepare {
	const statements = new Map<string, StatementSync>();
	return function prepare(text) {
		const known = statements.get(text);
		if (known) return known;
		const statement = connection.prepare(text);
		statements.set(text, statement);
		return statement;
	};
}

/** One connection to the file. */
export type Sqlite = {
	readonly queries: Kysely<Schema>;
	/** The same connection for what Kysely has no words for: transactions that join changes, pragmas. */
	readonly connection: DatabaseSync;
	readonly prepare: Prepare;
	close(): void;
};

const toSqlite = (connection: DatabaseSync): Sqlite => ({
	queries: toKysely(connection),
	connection,
	prepare: createPrepare(connection),
	close() {
		if (connection.isOpen) connection.close();
	},
});

/** Opens and closes again when what follows fails. */
function opened(connection: DatabaseSync, prepare: (connection: DatabaseSync) => void): Sqlite {
	try {
		prepare(connection);
		return toSqlite(connection);
	} catch (error) {
		connection.close();
		throw error;
	}
}

/**
Opens the file for writing. WAL, and an fsync with each commit: what is committed survives a power cut (G1). What is
deleted is overwritten with zeros, so that a salvage of single pages finds nothing that was gone already.
Nothing is written here to a file that has its marks: a bridge starts on a full disk, too.
*/
export function openSqlite(file: string, maxSize?: number): Sqlite {
	return opened(new DatabaseSync(file, {timeout: patienceMillis}), connection => {
		connection.exec(`PRAGMA page_size = ${pageSize}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL`);
		connection.exec(`PRAGMA journal_size_limit = ${logSize}; PRAGMA wal_autocheckpoint = ${logSize / pageSize}`);
		connection.exec(`PRAGMA cache_size = -${cacheSize / 1024}; PRAGMA secure_delete = ON`);
		const mark = connection.prepare('PRAGMA application_id').get()?.application_id;
		if (mark !== applicationId) connection.exec(`PRAGMA application_id = ${applicationId}`);
		if (maxSize !== undefined) connection.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(maxSize / pageSize))}`);
	});
}

const readFirst = (connection: DatabaseSync) => connection.prepare('SELECT count(*) FROM sqlite_schema').get();

/** Opens the file for reading what is committed, whoever writes meanwhile. */
export const openSqliteForReading = (file: string): Sqlite =>
	opened(new DatabaseSync(file, {readOnly: true, timeout: patienceMillis}), readFirst);

/** For a file that nobody writes, in a directory in which nothing may be made: SQLite's own files beside it are not needed. */
export function openSqliteImmutable(file: string): Sqlite {
	const url = pathToFileURL(file);
	url.searchParams.set('immutable', '1');
	return opened(new DatabaseSync(url, {readOnly: true}), readFirst);
}
