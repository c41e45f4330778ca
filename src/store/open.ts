import {accessSync, constants, existsSync, mkdirSync, realpathSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {Migrator} from 'kysely/migration';
import {BridgeError, isBridgeError, toError} from '../errors.ts';
import {isStoreError, toStoreError} from './failures.ts';
import {executedMigrations, type Fault, faultOf} from './inspect.ts';
import {migrations} from './migrations.ts';
import {beginReplacement, completeReplacement, freeName, resumeReplacement, syncDirectory} from './replace.ts';
import {salvage} from './salvage.ts';
import {openSqlite, type Sqlite} from './sqlite.ts';

/** The store's file; a link is followed, so that what is moved is the file and not the link to it. */
export function storeFile(directory: string): string {
	const file = join(directory, 'callhome.db');
	return existsSync(file) ? realpathSync(file) : file;
}

/** What was set aside when the store was opened, for the activity log and the operator. */
export type SetAside = {readonly movedTo: string; readonly cause: string; readonly salvagedRows: number};
export type OpenedDatabase = {readonly file: string; readonly sqlite: Sqlite; readonly setAside: SetAside | undefined};

export type OpenOptions = {
	readonly maxSize?: number | undefined;
	/** Something in the file was found damaged while it was in use. */
	readonly suspected?: boolean;
	readonly now?: () => number;
};

/** Makes the directory if need be. Rejects, by name, one that cannot be used. */
export function makeDirectory(directory: string): void {
	try {
		const first = mkdirSync(directory, {recursive: true, mode: 0o700});
		if (first !== undefined) syncDirectory(dirname(first));
		accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
	} catch (cause) {
		throw new BridgeError('ERR_CONFIG', `store.directory: ${directory} cannot be used: ${toError(cause).message}`, {cause});
	}
}

/**
Opens the store of a directory, making it when it is not there. A damaged or foreign file is moved aside, never deleted,
and what can still be read of a damaged one is taken over (G7).
*/
export async function openDatabase(
	directory: string,
	{maxSize, suspected = false, now = Date.now}: OpenOptions = {},
): Promise<OpenedDatabase> {
	makeDirectory(directory);
	try {
		const file = storeFile(directory);
		resumeReplacement(file, freeName(file, now()));
		const fault = faultOf(file, suspected);
		if (fault) await replace(file, fault, now());
		const sqlite = await openMigrated(file, maxSize);
		return {file, sqlite, setAside: takeReport(sqlite)};
	} catch (thrown) {
		const error = toStoreError(thrown);
		throw isBridgeError(error)
			? error
			: new Error(`the store in ${directory} cannot be opened: ${error.message}`, {cause: error});
	}
}

/** Builds the new store beside the old one and swaps them. The report lies in the new one until a start has read it. */
async function replace(file: string, {cause, foreign}: Fault, at: number): Promise<void> {
	const movedTo = freeName(file, at);
	const sqlite = await openMigrated(beginReplacement(file));
	try {
		const salvagedRows = foreign ? 0 : salvage(file, sqlite.connection);
		const report: SetAside = {movedTo, cause, salvagedRows};
		sqlite.connection.prepare('INSERT OR REPLACE INTO setting VALUES (?, ?)').run(reportName, JSON.stringify(report));
		const checkpoint = sqlite.connection.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get();
		if (checkpoint?.busy !== 0) throw new BridgeError('ERR_STORE_BUSY', `${file}.part is in use by another program`);
	} finally {
		sqlite.close();
	}
	completeReplacement(file, movedTo);
}

const reportName = 'store.set_aside';

/** Said once; on a full disk, where it cannot be taken out, with each start. */
function takeReport({connection}: Sqlite): SetAside | undefined {
	const row = connection.prepare('SELECT value FROM setting WHERE name = ?').get(reportName);
	if (!row) return undefined;
	try {
		connection.prepare('DELETE FROM setting WHERE name = ?').run(reportName);
	} catch (error) {
		if (!isStoreError(toStoreError(error))) throw error;
	}
	return JSON.parse(String(row.value));
}

/**
Opens the file and brings its schema up to date, in one transaction. What is up to date is not written to. A migration may need
more room than the store may have.
*/
async function openMigrated(file: string, maxSize?: number): Promise<Sqlite> {
	const sqlite = openSqlite(file, maxSize);
	const executed = executedMigrations(sqlite.connection);
	if (Object.keys(migrations).every(name => executed.includes(name))) return sqlite;
	sqlite.close();
	await migrate(file);
	return openSqlite(file, maxSize);
}

async function migrate(file: string): Promise<void> {
	const sqlite = openSqlite(file);
	try {
		const provider = {getMigrations: async () => ({...migrations})};
		const {error} = await new Migrator({db: sqlite.queries, provider}).migrateToLatest();
		if (error) throw error;
	} finally {
		sqlite.close();
	}
}
