import {randomUUID} from 'node:crypto';
import {mkdir, open, readdir, rename, rm} from 'node:fs/promises';
import {basename, dirname, join} from 'node:path';
import {BridgeError, toError} from '../errors.ts';

/** Of a file that is being written: FILE.PID.UUID.part. */
const unfinished = /\.(\d+)\.[0-9a-f-]{36}\.part$/;

/**
Puts a file in place, whole or not at all, also when the power is cut. Several processes may do so at once: the last one wins.
Throws ERR_STORE_FULL when the disk does not take it.
*/
export async function replaceFile(file: string, content: string | Uint8Array, mode = 0o600): Promise<void> {
	const part = `${file}.${process.pid}.${randomUUID()}.part`;
	try {
		await mkdir(dirname(file), {recursive: true, mode: 0o700});
		await writeSynced(part, content, mode);
		await rename(part, file);
		await syncDirectory(dirname(file));
	} catch (cause) {
		await rm(part, {force: true}).catch(() => {});
		throw new BridgeError(
			'ERR_STORE_FULL',
			`${file} cannot be written: ${toError(cause).message}: free space or give access there`,
			{cause},
		);
	}
}

async function writeSynced(file: string, content: string | Uint8Array, mode: number): Promise<void> {
	await using handle = await open(file, 'wx', mode);
	await handle.writeFile(content);
	await handle.sync();
}

/** Makes what was renamed survive a power cut. */
async function syncDirectory(directory: string): Promise<void> {
	await using handle = await open(directory, 'r');
	await handle.sync();
}

/** Removes what a process that is gone has left unfinished. To be called while this process writes nothing. */
export async function removeUnfinished(directory: string): Promise<void> {
	for (const name of await namesIn(directory)) {
		const pid = Number(unfinished.exec(name)?.[1] ?? 0);
		if (pid > 0 && (pid === process.pid || !isAlive(pid))) await rm(join(directory, name), {force: true});
	}
}

function isAlive(pid: number): boolean {
	try {
		return process.kill(pid, 0);
	} catch (error) {
		return (error as NodeJS.ErrnoException).code === 'EPERM'; // Another user's.
	}
}

/** Removes the finished files that begin with `prefix`, but not `kept`. */
export async function removeOthers(directory: string, prefix: string, kept: string | undefined): Promise<void> {
	const names = (await namesIn(directory)).filter(name => name.startsWith(prefix) && !unfinished.test(name));
	for (const name of names) if (kept === undefined || name !== basename(kept)) await rm(join(directory, name), {force: true});
}

async function namesIn(directory: string): Promise<readonly string[]> {
	return readdir(directory).catch(() => []); // Not there yet.
}

/** A file's bytes; undefined when it is not there, is no file or is longer than `maxSize`. */
export async function readBounded(file: string, maxSize: number): Promise<Buffer | undefined> {
	try {
		await using handle = await open(file, 'r');
		const {size} = await handle.stat();
		return size > maxSize ? undefined : await handle.readFile();
	} catch {
		return undefined;
	}
}
