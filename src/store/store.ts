import {existsSync} from 'node:fs';
import type {Kysely} from 'kysely';
import {BridgeError, isBridgeError} from '../errors.ts';
import * as events from './events.ts';
import * as journal from './journal.ts';
import {openDatabase, type SetAside, storeFile} from './open.ts';
import * as problems from './problems.ts';
import type {Schema} from './schema.ts';
import * as settings from './settings.ts';
import {openSqlite} from './sqlite.ts';
import * as submissions from './submissions.ts';
import {createWriter} from './writer.ts';

const operations = {...events, ...journal, ...problems, ...settings, ...submissions};

type Bound<Operation> = Operation extends (database: Kysely<Schema>, ...rest: infer Rest) => infer Result
	? (...rest: Rest) => Result
	: never;
/** All that can be read and written, within one transaction or outside of any. */
export type Records = {readonly [Name in keyof typeof operations]: Bound<(typeof operations)[Name]>};

function recordsOf(database: Kysely<Schema>): Records {
	const bound = Object.entries(operations).map(([name, operation]) => [
		name,
		(...rest: unknown[]) => (operation as (database: Kysely<Schema>, ...rest: unknown[]) => unknown)(database, ...rest),
	]);
	return Object.fromEntries(bound);
}

export type StoreOptions = {
	readonly directory: string;
	readonly maxSize?: number | undefined;
	/** A commit failed: the disk is full, or the file is damaged. */
	readonly onFailure: (error: Error) => void;
	/** The file was damaged or not ours, was moved away, and a new one is in its place. */
	readonly onSetAside: (setAside: SetAside) => void;
};

/**
The durable state: events, problems, the sending queue, attempts and the activity log. A store that is found damaged while
the bridge runs is opened anew, as at a start.
*/
export async function openStore({directory, maxSize, onFailure, onSetAside}: StoreOptions) {
	let database = await open();
	const writer = createWriter(() => database, recover);

	async function open() {
		const opened = await openDatabase(directory, maxSize);
		if (opened.setAside) onSetAside(opened.setAside);
		return opened.database;
	}

	async function recover(error: Error) {
		onFailure(error);
		if (!isBridgeError(error, 'ERR_STORE_DAMAGED')) return;
		await database.destroy();
		database = await open();
	}

	return {
		/** Runs the change in a transaction of its own and resolves when it is fsynced. */
		write: <Result>(change: (records: Records) => Promise<Result>): Promise<Result> =>
			writer.write(transaction => change(recordsOf(transaction))),
		get read(): Records {
			return recordsOf(database);
		},
		async close() {
			await writer.close();
			await database.destroy();
		},
	};
}
export type Store = Awaited<ReturnType<typeof openStore>>;

/** The state of a bridge that may be running meanwhile. Reads only. */
export function openStoreForReading(directory: string): {readonly read: Records; close(): Promise<void>} {
	const file = storeFile(directory);
	if (!existsSync(file)) {
		throw new BridgeError(
			'ERR_NOT_FOUND',
			`there is no store in ${directory}: start the bridge with "callhome run", or name its config with --config`,
		);
	}
	const database = openSqlite({file, readOnly: true});
	return {read: recordsOf(database), close: () => database.destroy()};
}
