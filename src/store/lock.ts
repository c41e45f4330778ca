import {truncateSync} from 'node:fs';
import {join} from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import {BridgeError, toError} from '../errors.ts';
import {isDamage, isStoreError, resultOf, toStoreError} from './failures.ts';
import {makeDirectory} from './open.ts';

const lockFile = (directory: string) => join(directory, 'running.lock');
const isBusy = (error: unknown): boolean => (resultOf(error) & 0xff) === 5; // SQLITE_BUSY

/**
Makes sure that one bridge works on a directory. The lock is the operating system's, held through an open transaction:
it ends with the process, however that ends. The short patience outlasts `isLocked` asking at the same moment.
*/
export function lockDirectory(directory: string): Disposable {
	makeDirectory(directory);
	try {
		return lock(lockFile(directory));
	} catch (cause) {
		if (isBusy(cause)) {
			const message = `another bridge is running on ${directory}: stop it, or set store.directory`;
			throw new BridgeError('ERR_ALREADY_RUNNING', message, {cause});
		}
		const error = toStoreError(cause);
		if (isStoreError(error)) throw error;
		throw new BridgeError('ERR_CONFIG', `store.directory: ${directory} cannot be locked: ${toError(cause).message}`, {cause});
	}
}

function lock(file: string): Disposable {
	const connection = new DatabaseSync(file, {timeout: 250});
	try {
		connection.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE'); // No journal: a full disk must not keep the lock from being had.
	} catch (error) {
		connection.close();
		if (!isDamage(error)) throw error;
		// Nobody holds a file of which SQLite could read so much. It is emptied and not replaced: two starts still meet in it.
		truncateSync(file);
		return lock(file);
	}
	return {
		[Symbol.dispose]() {
			if (connection.isOpen) connection.close();
		},
	};
}

/** Whether a bridge holds the directory. Asks as a reader, and leaves nothing behind. */
export function isLocked(directory: string): boolean {
	try {
		using connection = new DatabaseSync(lockFile(directory), {readOnly: true, timeout: 0});
		connection.prepare('SELECT count(*) FROM sqlite_schema').get();
		return false;
	} catch (error) {
		return isBusy(error);
	}
}
