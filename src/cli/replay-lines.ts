import {createReadStream} from 'node:fs';
import {stat} from 'node:fs/promises';
import {BridgeError, toError} from '../errors.ts';

const mostLineBytes = 64 * 1024 ** 2;
const newline = 0x0a;

export type Line = {readonly number: number; readonly text: string} | {readonly number: number; readonly fault: string};

/** The lines of a file, or of standard input for `-`. One that is longer than any signal is said, and not kept in memory. */
export async function* linesOf(file: string): AsyncGenerator<Line & {readonly bytes: number}> {
	const stream = file === '-' ? process.stdin : createReadStream(file);
	let parts: Buffer[] = [];
	let size = 0;
	let number = 0;
	let bytes = 0;
	const finished = () => {
		number++;
		const line =
			size > mostLineBytes
				? {number, fault: `the line is longer than ${mostLineBytes} bytes`}
				: {number, text: Buffer.concat(parts).toString('utf8').replace(/\r$/, '')};
		parts = [];
		size = 0;
		return {...line, bytes};
	};
	const keep = (part: Buffer) => {
		size += part.length;
		if (size <= mostLineBytes) parts.push(part);
		else parts = [];
	};
	for await (const chunk of stream as AsyncIterable<Buffer>) {
		let from = 0;
		for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, from)) {
			keep(chunk.subarray(from, end));
			bytes += end + 1 - from;
			from = end + 1;
			yield finished();
		}
		keep(chunk.subarray(from));
		bytes += chunk.length - from;
	}
	if (size > 0) yield finished();
}

/** Its size in bytes, as far as that is known: of a pipe it is not. */
export async function sizeOf(file: string): Promise<number | undefined> {
	if (file === '-') return undefined;
	try {
		const found = await stat(file);
		if (found.isDirectory()) throw new Error('it is a directory');
		return found.isFile() ? found.size : undefined;
	} catch (cause) {
		throw new BridgeError('ERR_NOT_FOUND', `${file} cannot be read: ${toError(cause).message}`, {cause});
	}
}
