import {constants} from 'node:fs';
import {type FileHandle, open, readdir} from 'node:fs/promises';
import {join} from 'node:path';

const mostBytes = 64 * 1024;
const mostEntries = 10_000;

/** The code of a system error, such as ENOENT or EACCES. */
export const codeOf = (error: unknown): string =>
	typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';

/** The text of an attribute file, without what surrounds it; undefined when there is none or it cannot be read now. */
export async function readText(...path: string[]): Promise<string | undefined> {
	const read = await readOrWhy(join(...path));
	return read.text;
}

/** Of a device that hangs only so much is waited for, and of a file that has no end only the beginning is read. */
export async function readOrWhy(file: string): Promise<{readonly text?: string; readonly code?: string}> {
	let handle: FileHandle | undefined;
	try {
		// A pipe in the place of a file must not block for ever.
		handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
		const {buffer, bytesRead} = await handle.read(Buffer.alloc(mostBytes), 0, mostBytes, null);
		const text = buffer.toString('utf8', 0, bytesRead);
		return {text: text.replaceAll('\0', '').trim()};
	} catch (error) {
		return {code: codeOf(error)};
	} finally {
		await handle?.close().catch(() => {});
	}
}

/** A whole number that a file holds, or undefined: drivers answer with errors, with nothing, or with words. */
export async function readNumber(...path: string[]): Promise<number | undefined> {
	return toNumber(await readText(...path));
}

export function toNumber(text: string | undefined): number | undefined {
	if (text === undefined || !/^-?\d{1,18}$/.test(text)) return undefined;
	return Number(text);
}

/** The names in a directory, in an order that people expect; undefined when there is no such directory. */
export async function list(...path: string[]): Promise<readonly string[] | undefined> {
	try {
		const names = await readdir(join(...path));
		return names.slice(0, mostEntries).toSorted((one, other) => one.localeCompare(other, 'en', {numeric: true}));
	} catch {
		return undefined;
	}
}
