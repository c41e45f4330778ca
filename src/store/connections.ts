import {existsSync} from 'node:fs';
import {BridgeError, isBridgeError, toError} from '../errors.ts';
import {isDiskTrouble} from './failures.ts';
import {openDatabase, type SetAside} from './open.ts';
import {openSqlite, openSqliteForReading, type Sqlite} from './sqlite.ts';

/** The one that writes, and one that reads what is committed: neither waits for the other. */
export type Connections = {readonly file: string; readonly writing: Sqlite; readonly reading: Sqlite};

/** A store that could not be opened is not tried again with every request. */
const pauseAfterFailureMillis = 1000;

const isOf = (connections: Connections | undefined, sqlite: Sqlite | undefined) =>
	connections !== undefined && (connections.writing === sqlite || connections.reading === sqlite);

function closeBoth(connections: Connections | undefined): void {
	connections?.reading.close();
	connections?.writing.close();
}

function withReader(file: string, writing: Sqlite): Connections {
	try {
		return {file, writing, reading: openSqliteForReading(file)};
	} catch (error) {
		writing.close();
		throw error;
	}
}

/** Keeps a store open, and opens it anew when it has to be. */
export async function keepConnected(directory: string, maxSize: number | undefined, onSetAside: (setAside: SetAside) => void) {
	let open: Connections | undefined = await connect(false);
	let reopening: Promise<Connections> | undefined;
	let failed: {readonly at: number; readonly error: Error} | undefined;
	let closed = false;

	async function connect(suspected: boolean): Promise<Connections> {
		const {file, sqlite, setAside} = await openDatabase(directory, {maxSize, suspected});
		if (setAside) onSetAside(setAside);
		return withReader(file, sqlite);
	}

	async function reopen(): Promise<Connections> {
		closeBoth(open);
		open = undefined;
		try {
			open = await connect(true);
			failed = undefined;
			return open;
		} catch (thrown) {
			failed = {at: performance.now(), error: toError(thrown)};
			throw thrown;
		} finally {
			reopening = undefined;
		}
	}

	/** The connections, once they are there: after a failure they are opened anew when they are asked for. */
	async function current(): Promise<Connections> {
		if (reopening) return reopening;
		if (open) return open;
		if (closed) throw new BridgeError('ERR_SHUTTING_DOWN', 'the store is closed');
		if (failed && performance.now() - failed.at < pauseAfterFailureMillis) throw failed.error;
		reopening = reopen();
		return reopening;
	}

	/** A disk that was away is reached again by a new connection only; while it is away, the old one still reads its cache. */
	function renew({file, ...old}: Connections): boolean {
		if (!existsSync(file)) return false; // Opening would make another one.
		try {
			open = withReader(file, openSqlite(file, maxSize));
			closeBoth({file, ...old});
			return true;
		} catch {
			return false;
		}
	}

	return {
		current,
		/** After a failure of a connection. Whether what failed is worth another try. */
		async recover(error: Error, sqlite: Sqlite | undefined): Promise<boolean> {
			if (sqlite === undefined) return false;
			if (!isOf(open, sqlite)) return !closed;
			if (isDiskTrouble(error)) return open ? renew(open) : false;
			if (!isBridgeError(error, 'ERR_STORE_DAMAGED')) return false;
			reopening ??= reopen();
			return reopening.then(
				() => true,
				() => false,
			);
		},
		async close(): Promise<void> {
			closed = true;
			await reopening?.catch(() => {});
			closeBoth(open);
			open = undefined;
		},
	};
}
