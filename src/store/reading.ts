import {existsSync, statSync} from 'node:fs';
import {BridgeError, isBridgeError, toError} from '../errors.ts';
import {toStoreError} from './failures.ts';
import {executedMigrations, refuseNewer} from './inspect.ts';
import {migrations} from './migrations.ts';
import {storeFile} from './open.ts';
import {type Records, recordsOf} from './records.ts';
import {openSqliteForReading, openSqliteImmutable, type Sqlite} from './sqlite.ts';

const start = 'start the bridge with "callhome run"';

/** The state of a bridge that may be running meanwhile. Reads only. */
export function openStoreForReading(directory: string): {readonly read: Records; close(): Promise<void>} {
	const file = storeFile(directory);
	if (!existsSync(file)) {
		throw new BridgeError('ERR_NOT_FOUND', `there is no store in ${directory}: ${start}, or name its config with --config`);
	}
	const sqlite = openToRead(file);
	const read = recordsOf(async operation => {
		try {
			return await operation(sqlite);
		} catch (thrown) {
			throw toStoreError(thrown);
		}
	});
	return {read, close: async () => sqlite.close()};
}

function openToRead(file: string): Sqlite {
	try {
		const sqlite = openWithoutBridge(file);
		try {
			refuseOtherVersion(sqlite, file);
			return sqlite;
		} catch (error) {
			sqlite.close();
			throw error;
		}
	} catch (thrown) {
		const error = toStoreError(thrown);
		if (isBridgeError(error, 'ERR_STORE_DAMAGED')) {
			throw new BridgeError('ERR_STORE_DAMAGED', `${file} is damaged: ${start}, it takes over what is readable`, {cause: thrown});
		}
		if (isBridgeError(error, 'ERR_NOT_FOUND', 'ERR_CONFIG')) throw error;
		throw new BridgeError('ERR_CONFIG', `${file} cannot be read: ${toError(thrown).message}: use the account of the bridge`, {
			cause: thrown,
		});
	}
}

/** SQLite makes files beside the one it reads. Where it may not, they are needless as long as there is no log to read. */
function openWithoutBridge(file: string): Sqlite {
	try {
		return openSqliteForReading(file);
	} catch (error) {
		if ((statSync(`${file}-wal`, {throwIfNoEntry: false})?.size ?? 0) > 0) throw error;
		return openSqliteImmutable(file);
	}
}

function refuseOtherVersion({connection}: Sqlite, file: string): void {
	const executed = executedMigrations(connection);
	refuseNewer(executed, file);
	if (Object.keys(migrations).every(name => executed.includes(name))) return;
	throw new BridgeError('ERR_NOT_FOUND', `${file} is not a store of this version yet: ${start}`);
}
