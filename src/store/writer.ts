import {BridgeError, isBridgeError} from '../errors.ts';
import {isStoreError, toStoreError} from './failures.ts';
import type {Database} from './records.ts';
import type {Sqlite} from './sqlite.ts';

/** One change, within the transaction. It must not ask the store for another write, which would wait for this one. */
export type Change<Result> = (transaction: Database) => Promise<Result>;

export type WriterParts = {
	/** The connection to write on; rejects while there is none. */
	readonly connect: () => Promise<Sqlite>;
	/** A commit failed, or a change for a reason of the disk. Resolves to true when the changes are worth another try. */
	readonly onFailure: (error: Error, sqlite: Sqlite | undefined) => Promise<boolean>;
	readonly onCommit: () => void;
};

type Pending = {
	readonly change: Change<unknown>;
	readonly resolve: (result: never) => void;
	readonly reject: (error: Error) => void;
};
type Outcome = {readonly result: unknown} | {readonly error: Error};

/** Changes joined into one commit. More of them would only keep the first one waiting. */
const maxChangesPerCommit = 256;

/**
Group commit: whatever is asked for while a commit is under way goes into the next one, so that one fsync serves many. A
promise resolves when its change is fsynced (G1). Each change has a savepoint: one that fails leaves nothing behind and
fails no other.
*/
export function createWriter({connect, onFailure, onCommit}: WriterParts) {
	let pending: Pending[] = [];
	let running: Promise<void> | undefined;
	let closed = false;

	async function commit(changes: readonly Pending[], mayRepeat: boolean): Promise<void> {
		let sqlite: Sqlite | undefined;
		let outcomes: readonly Outcome[];
		try {
			sqlite = await connect();
			outcomes = await inTransaction(sqlite, changes);
		} catch (thrown) {
			const error = toStoreError(thrown);
			if ((await onFailure(error, sqlite)) && mayRepeat) return commit(changes, false);
			for (const {reject} of changes) reject(error);
			return;
		}
		const refused = outcomes.find(outcome => 'error' in outcome && isStoreError(outcome.error));
		if (refused && 'error' in refused) await onFailure(refused.error, sqlite);
		else onCommit();
		for (const [index, {resolve, reject}] of changes.entries()) {
			const outcome = outcomes[index];
			if (outcome && 'result' in outcome) resolve(outcome.result as never);
			else reject(outcome?.error ?? new Error('a change without an outcome'));
		}
	}

	async function run() {
		while (pending.length > 0) {
			// One turn of the event loop, so that requests that have already arrived join this commit.
			await new Promise(resolve => setImmediate(resolve));
			const changes = pending.slice(0, maxChangesPerCommit);
			pending = pending.slice(maxChangesPerCommit);
			await commit(changes, true);
		}
		running = undefined;
	}

	return {
		write<Result>(change: Change<Result>): Promise<Result> {
			if (closed) return Promise.reject(new BridgeError('ERR_SHUTTING_DOWN', 'the store is closing'));
			const {promise, resolve, reject} = Promise.withResolvers<Result>();
			pending.push({change, resolve: resolve as (result: never) => void, reject});
			running ??= run();
			return promise;
		},
		/** Refuses further changes and resolves when the accepted ones are committed. */
		async close() {
			closed = true;
			await running;
		},
	};
}

const inTransaction = ({queries, connection, prepare}: Sqlite, changes: readonly Pending[]): Promise<Outcome[]> =>
	queries.connection().execute(async queriesWithin => {
		const transaction: Database = {queries: queriesWithin, prepare};
		connection.exec('BEGIN IMMEDIATE');
		try {
			const outcomes: Outcome[] = [];
			for (const {change} of changes) outcomes.push(await attempt(change, transaction, connection));
			connection.exec('COMMIT');
			return outcomes;
		} finally {
			if (connection.isTransaction) connection.exec('ROLLBACK');
		}
	});

async function attempt(change: Change<unknown>, transaction: Database, connection: Sqlite['connection']): Promise<Outcome> {
	connection.exec('SAVEPOINT change');
	try {
		const result = await change(transaction);
		connection.exec('RELEASE change');
		return {result};
	} catch (thrown) {
		// SQLite itself ends the transaction when the disk is full: then it is over for all of them.
		if (!connection.isTransaction) throw thrown;
		connection.exec('ROLLBACK TO change; RELEASE change');
		const error = toStoreError(thrown);
		if (isBridgeError(error, 'ERR_STORE_DAMAGED')) throw error;
		return {error};
	}
}
