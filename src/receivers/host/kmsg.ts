import {constants} from 'node:fs';
import {type FileHandle, open} from 'node:fs/promises';
import {codeOf} from './tree.ts';

/** One read of /dev/kmsg is one record, and it refuses a buffer that is too small for it. */
const bufferBytes = 64 * 1024;
const mostReads = 20_000;
const mostBytes = 8 * 1024 * 1024;

export type Lines = {
	readonly lines: readonly string[];
	/** Records went by unread: the kernel wrote over them. */
	readonly lost: boolean;
	readonly more: boolean;
};

/** The kernel's log as a device, or a file that looks like it. It stays open: from one read to the next comes what is new. */
export function createKmsg(file: string) {
	let handle: FileHandle | undefined;
	let rest = '';
	const buffer = Buffer.alloc(bufferBytes);

	/** Reads what there is and never waits for more. */
	async function read(): Promise<Lines | {readonly code: string}> {
		try {
			handle ??= await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
		} catch (error) {
			return {code: codeOf(error) || 'unknown'};
		}
		let text = rest;
		let lost = false;
		let more = true;
		for (let reads = 0; reads < mostReads && text.length < mostBytes; reads++) {
			const piece = await readPiece(handle);
			if (piece === 'lost') lost = true;
			else if (piece === '') {
				more = false;
				break;
			} else text += piece;
		}
		const lines = text.split('\n');
		// A file may be read while its last line is written; what has no end at this length is no line.
		rest = (lines.pop() ?? '').slice(0, bufferBytes);
		return {lines, lost, more};
	}

	async function readPiece(from: FileHandle): Promise<string> {
		try {
			const {bytesRead} = await from.read(buffer, 0, bufferBytes, null);
			return buffer.toString('utf8', 0, bytesRead);
		} catch (error) {
			if (codeOf(error) === 'EPIPE') return 'lost';
			if (codeOf(error) === 'EAGAIN') return '';
			throw error;
		}
	}

	async function close() {
		const closing = handle;
		handle = undefined;
		rest = '';
		await closing?.close();
	}
	return {read, close};
}
