import {appendFileSync, closeSync, fstatSync, ftruncateSync, openSync, readFileSync, readSync, renameSync} from 'node:fs';
import {BridgeError, toError} from '../errors.ts';

export type Journal = {
	/** Each line of the file that can be read. */
	entries(): unknown[];
	/** When it returns, the line outlives this process, though not a power failure: nothing here is anybody's only copy. */
	append(entry: unknown): void;
	close(): void;
};

/** A file of JSON lines. With `maxBytes`, a file that has grown so far becomes FILE.1, in place of the one before. */
export function openJournal(file: string, maxBytes = Number.POSITIVE_INFINITY): Journal {
	let descriptor = openSync(file, 'a+', 0o600);
	let isClosed = false;
	endLastLine(file, descriptor);

	function append(entry: unknown) {
		if (isClosed) throw new BridgeError('ERR_SHUTTING_DOWN', `sandbox: ${file} is closed, because the sandbox is shutting down`);
		if (fstatSync(descriptor).size >= maxBytes) {
			closeSync(descriptor);
			renameSync(file, `${file}.1`);
			descriptor = openSync(file, 'a+', 0o600);
		}
		appendWhole(file, descriptor, `${JSON.stringify(entry)}\n`);
	}
	const entries = () => readFileSync(file, 'utf8').split('\n').flatMap(parsed);
	function close() {
		if (!isClosed) closeSync(descriptor);
		isClosed = true; // The number of a closed descriptor soon belongs to another file.
	}
	return {entries, append, close};
}

function parsed(line: string): unknown[] {
	try {
		return [JSON.parse(line)];
	} catch {
		return [];
	}
}

/** A process that was killed while it wrote leaves a torn line, to which the next entry must not be joined. */
function endLastLine(file: string, descriptor: number) {
	const {size} = fstatSync(descriptor);
	const last = Buffer.alloc(1);
	if (size > 0 && readSync(descriptor, last, 0, 1, size - 1) === 1 && last[0] !== 0x0a) appendWhole(file, descriptor, '\n');
}

/** All of the text or, when the disk is full, none of it. */
function appendWhole(file: string, descriptor: number, text: string) {
	const {size} = fstatSync(descriptor);
	try {
		appendFileSync(descriptor, text);
	} catch (error) {
		takeBack(descriptor, size);
		throw new BridgeError('ERR_STORE_FULL', `sandbox: cannot write ${file}: ${toError(error).message}`, {cause: error});
	}
}

function takeBack(descriptor: number, size: number) {
	try {
		ftruncateSync(descriptor, size);
	} catch {
		// What was written of the line stays, and is passed over when the journal is read.
	}
}
