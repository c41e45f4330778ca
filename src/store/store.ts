import {keepConnected} from './connections.ts';
import {isStoreError, toStoreError} from './failures.ts';
import type {SetAside} from './open.ts';
import {type Database, type Records, recordsOf} from './records.ts';
import type {Sqlite} from './sqlite.ts';
import {createWriter} from './writer.ts';

export type {LedgerSlice} from './ledger.ts';
export {openStoreForReading} from './reading.ts';
export type {Records} from './records.ts';

export type StoreOptions = {
	readonly directory: string;
	readonly maxSize?: number | undefined;
	/** Writing began to fail: the disk is full, or the file is damaged. Said once, until a commit succeeds again. */
	readonly onFailure: (error: Error) => void;
	/** The file was damaged or not ours, was moved away, and a new one is in its place. */
	readonly onSetAside: (setAside: SetAside) => void;
};

/** The changes of one commit share a transaction, and so their records. */
const recordsOfTransaction = new WeakMap<Database, Records>();

function recordsWithin(transaction: Database): Records {
	const known = recordsOfTransaction.get(transaction);
	if (known) return known;
	const records = recordsOf(operation => operation(transaction));
	recordsOfTransaction.set(transaction, records);
	return records;
}

/** Within a transaction that only reads, nothing changes. */
const inSnapshot = <Result>(
	{queries, connection, prepare}: Sqlite,
	ask: (records: Records) => Promise<Result>,
): Promise<Result> =>
	queries.connection().execute(async transaction => {
		connection.exec('BEGIN');
		try {
			return await ask(recordsWithin({queries: transaction, prepare}));
		} finally {
			if (connection.isTransaction) connection.exec('COMMIT');
		}
	});

/**
The durable state: events, problems, the sending queue, attempts and the activity log. A store that is found damaged while
the bridge runs is opened anew, as at a start.
*/
export async function openStore({directory, maxSize, onFailure, onSetAside}: StoreOptions) {
	const connections = await keepConnected(directory, maxSize, onSetAside);
	let failing = '';

	async function recover(thrown: Error, sqlite: Sqlite | undefined): Promise<boolean> {
		if (isStoreError(thrown) && failing !== thrown.code) {
			failing = thrown.code;
			onFailure(thrown);
		}
		return connections.recover(thrown, sqlite);
	}

	const writer = createWriter({
		connect: async () => (await connections.current()).writing,
		onFailure: recover,
		onCommit: () => {
			failing = '';
		},
	});

	/** Reads what is committed, also while a change is being made. */
	async function read<Result>(ask: (reading: Sqlite) => Promise<Result>, mayRepeat = true): Promise<Result> {
		const {reading} = await connections.current();
		try {
			return await ask(reading);
		} catch (thrown) {
			const error = toStoreError(thrown);
			const isReopened = !reading.connection.isOpen; // Somebody else met the damage first.
			if (!isReopened && !isStoreError(error)) throw error;
			if ((await recover(error, reading)) && mayRepeat) return read(ask, false);
			throw error;
		}
	}

	return {
		/** Runs the change in a transaction of its own and resolves when it is fsynced. */
		write: <Result>(change: (records: Records) => Promise<Result>): Promise<Result> =>
			writer.write(transaction => change(recordsWithin(transaction))),
		read: recordsOf(operation => read(operation)),
		/** Several questions about one moment. */
		snapshot: <Result>(ask: (records: Records) => Promise<Result>): Promise<Result> => read(reading => inSnapshot(reading, ask)),
		async close() {
			await writer.close();
			await connections.close();
		},
	};
}
export type Store = Awaited<ReturnType<typeof openStore>>;
