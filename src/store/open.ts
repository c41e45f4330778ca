import {existsSync, mkdirSync, renameSync} from 'node:fs';
import {join} from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import type {Kysely} from 'kysely';
import {Migrator} from 'kysely/migration';
import {toError} from '../errors.ts';
import {migrations} from './migrations.ts';
import {salvage} from './salvage.ts';
import type {Schema} from './schema.ts';
import {applicationId, openSqlite} from './sqlite.ts';

export const storeFile = (directory: string) => join(directory, 'callhome.db');

/** What was set aside when the store was opened, for the activity log and the operator. */
export type SetAside = {readonly movedTo: string; readonly cause: string; readonly salvagedRows: number};
export type OpenedDatabase = {readonly database: Kysely<Schema>; readonly setAside: SetAside | undefined};

/**
Opens the store of a directory, making it when it is not there. A damaged or foreign file is moved aside, never deleted,
and what can still be read of a damaged one is taken over: the bridge starts in any case (G7).
*/
export async function openDatabase(directory: string, maxSize: number | undefined, now = Date.now): Promise<OpenedDatabase> {
	mkdirSync(directory, {recursive: true, mode: 0o700});
	const file = storeFile(directory);
	const fault = existsSync(file) ? faultOf(file) : undefined;
	const movedTo = fault ? moveAside(file, now()) : undefined;
	const database = openSqlite({file, ...(maxSize === undefined ? {} : {maxSize})});
	await migrate(database);
	if (!fault || !movedTo) return {database, setAside: undefined};
	const salvagedRows = fault.foreign ? 0 : await salvage(movedTo, database);
	return {database, setAside: {movedTo, cause: fault.cause, salvagedRows}};
}

type Fault = {readonly cause: string; readonly foreign: boolean};

/** Why a file cannot be our store as it is, or undefined when it is sound. */
function faultOf(file: string): Fault | undefined {
	try {
		using database = new DatabaseSync(file, {timeout: 5000});
		const application = Number(database.prepare('PRAGMA application_id').get()?.application_id);
		const tables = Number(database.prepare('SELECT count(*) AS tables FROM sqlite_schema').get()?.tables);
		if (application !== applicationId && tables > 0) return {cause: 'it is a database of another program', foreign: true};
		const verdict = String(database.prepare('PRAGMA quick_check(1)').get()?.quick_check);
		return verdict === 'ok' ? undefined : {cause: verdict, foreign: false};
	} catch (error) {
		return {cause: toError(error).message, foreign: false};
	}
}

function moveAside(file: string, at: number): string {
	const movedTo = `${file}.set-aside-${new Date(at).toISOString().replaceAll(/[-:.]/g, '')}`;
	for (const suffix of ['', '-wal', '-shm']) {
		if (existsSync(file + suffix)) renameSync(file + suffix, movedTo + suffix);
	}
	return movedTo;
}

async function migrate(database: Kysely<Schema>) {
	const {error} = await new Migrator({db: database, provider: {getMigrations: async () => migrations}}).migrateToLatest();
	if (error) {
		await database.destroy();
		throw toError(error);
	}
}
