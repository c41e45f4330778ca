import {join} from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import {BridgeError} from '../errors.ts';

const openLock = (directory: string) => new DatabaseSync(join(directory, 'running.lock'), {timeout: 0});

/**
Makes sure that one bridge works on a directory. The lock is the operating system's, held through an open transaction:
it ends with the process, however that ends.
*/
export function lockDirectory(directory: string): Disposable {
	const lock = openLock(directory);
	try {
		lock.exec('BEGIN EXCLUSIVE');
	} catch (cause) {
		lock.close();
		throw new BridgeError('ERR_ALREADY_RUNNING', `another bridge is running on ${directory}: stop it, or set store.directory`, {
			cause,
		});
	}
	return {[Symbol.dispose]: () => lock.close()};
}

/** Whether a bridge holds the directory. */
export function isLocked(directory: string): boolean {
	try {
		using _ = lockDirectory(directory);
		return false;
	} catch {
		return true;
	}
}
