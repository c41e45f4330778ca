import {BridgeError, type BridgeErrorCode, isBridgeError, toError} from '../errors.ts';

type StoreErrorCode = BridgeErrorCode & `ERR_STORE_${string}`;

/** SQLite's primary result codes (sqlite.org/rescode.html) that mean trouble with the file and not with a statement. */
const codeOfResult: Record<number, StoreErrorCode> = {
	5: 'ERR_STORE_BUSY', // SQLITE_BUSY
	6: 'ERR_STORE_BUSY', // SQLITE_LOCKED
	8: 'ERR_STORE_FULL', // SQLITE_READONLY
	10: 'ERR_STORE_FULL', // SQLITE_IOERR
	11: 'ERR_STORE_DAMAGED', // SQLITE_CORRUPT
	13: 'ERR_STORE_FULL', // SQLITE_FULL
	14: 'ERR_STORE_FULL', // SQLITE_CANTOPEN
	26: 'ERR_STORE_DAMAGED', // SQLITE_NOTADB
};

/** IOERR_READ and IOERR_CORRUPTFS: the disk cannot give back what it was given. */
const unreadable: ReadonlySet<number> = new Set([266, 8458]);

/** What is wrong, and the way out. */
const words: Record<StoreErrorCode, readonly [wrong: string, wayOut: string]> = {
	ERR_STORE_FULL: ['the store cannot write', 'free space in store.directory, or raise store.max_size'],
	ERR_STORE_BUSY: ['the store is in use', 'end the program that holds its file'],
	ERR_STORE_DAMAGED: ['the store is damaged', 'what is readable is taken over into a new one'],
};

function storeError(code: StoreErrorCode, cause: Error): BridgeError {
	const [wrong, wayOut] = words[code];
	return new BridgeError(code, `${wrong}: ${cause.message}: ${wayOut}`, {cause});
}

/** SQLite's extended result code, or 0 when the error is not SQLite's. */
export function resultOf(thrown: unknown): number {
	const error = toError(thrown);
	const origin = isBridgeError(error) ? error.cause : error;
	return origin instanceof Error && 'errcode' in origin && typeof origin.errcode === 'number' ? origin.errcode : 0;
}

const primaryResultOf = (thrown: unknown): number => resultOf(thrown) & 0xff;

/** The disk refuses for another reason than its space: it may have come back under another connection only. */
export const isDiskTrouble = (thrown: unknown): boolean => [8, 10, 14].includes(primaryResultOf(thrown));

/**
Whether opening failed because of what is in the file. A file that may not be opened now, or is in use, says nothing
about its content.
*/
export function isDamage(thrown: unknown): boolean {
	const result = resultOf(thrown);
	const transient = [3, 5, 6, 7, 8, 9, 10, 13, 14, 23]; // PERM BUSY LOCKED NOMEM READONLY INTERRUPT IOERR FULL CANTOPEN AUTH
	return unreadable.has(result) || (result !== 0 && !transient.includes(result & 0xff));
}

/** A failure of the store as a BridgeError; anything else is a bug and keeps its stack. */
export function toStoreError(thrown: unknown): Error {
	const error = toError(thrown);
	const result = isBridgeError(error) ? 0 : resultOf(error);
	const code = unreadable.has(result) ? 'ERR_STORE_DAMAGED' : codeOfResult[result & 0xff];
	return code ? storeError(code, error) : error;
}

export const isStoreError = (error: unknown): error is BridgeError =>
	isBridgeError(error, 'ERR_STORE_FULL', 'ERR_STORE_BUSY', 'ERR_STORE_DAMAGED');

/** Reads JSON that the store wrote: what is none any more was damaged on the disk. */
export function parseKept<Value>(text: string): Value {
	try {
		return JSON.parse(text);
	} catch (cause) {
		throw storeError('ERR_STORE_DAMAGED', new Error('a record is no JSON', {cause}));
	}
}
