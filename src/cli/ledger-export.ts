import {once} from 'node:events';
import {open, rm} from 'node:fs/promises';
import {type Exported, exportLines} from '../agent/ledger-lines.ts';
import type {Config} from '../config.ts';
import {BridgeError, isBridgeError, toError} from '../errors.ts';
import {placeText} from '../ledger.ts';
import {packageVersion} from '../own-telemetry/resource.ts';
import {openStoreForReading} from '../store/store.ts';
import {toMillis} from './activity.ts';
import {progress} from './ledger.ts';
import type {Output} from './print.ts';

export type ExportOptions = {
	readonly output?: string | undefined;
	readonly from?: string | undefined;
	readonly to?: string | undefined;
};

/** Writes the ledger as JSON lines. What is said of it is undefined when the lines themselves went to standard output. */
export async function exportLedger(config: Config, {output, from, to}: ExportOptions): Promise<Output | undefined> {
	const [begin, end] = [toMillis(from), toMillis(to)];
	const {read, close} = openStoreForReading(config.store.directory);
	try {
		const say = progress('exported up to entry');
		const lines = exportLines(read, {
			from: begin,
			to: end,
			programVersion: packageVersion(),
			onProgress: (sequence, last) => say(sequence, last, ' in all'),
		});
		const exported = await (output === undefined ? toStandardOutput(lines) : toFile(lines, output));
		if (!exported || output === undefined) return undefined;
		const {anchor, head, entries} = exported;
		return {
			json: {file: output, entries, anchor, head},
			lines: [`${entries} entries are in ${output}; its head is ${placeText(head)}.`],
		};
	} finally {
		await close();
	}
}

type Lines = AsyncGenerator<string, Exported>;

/** Hands on each part before the next is asked for. */
async function handOn(lines: Lines, write: (part: string) => Promise<unknown>): Promise<Exported> {
	for (;;) {
		const {done, value} = await lines.next();
		if (done) return value;
		await write(value);
	}
}

/** A new file, for its owner alone. What could not be written to its end goes again. */
async function toFile(lines: Lines, file: string): Promise<Exported> {
	const handle = await open(file, 'wx', 0o600).catch(cause => {
		const isThere = cause.code === 'EEXIST';
		const why = isThere ? 'is there already: name another file, or remove it' : `cannot be made: ${toError(cause).message}`;
		throw new BridgeError('ERR_USAGE', `${file} ${why}`, {cause});
	});
	try {
		const exported = await handOn(lines, part => handle.appendFile(part));
		await handle.sync();
		return exported;
	} catch (cause) {
		await rm(file, {force: true});
		if (isBridgeError(cause)) throw cause;
		throw new BridgeError('ERR_USAGE', `${file} cannot be written: ${toError(cause).message}`, {cause});
	} finally {
		await handle.close();
	}
}

/** Whoever reads may go away before the end, such as head. */
async function toStandardOutput(lines: Lines): Promise<Exported | undefined> {
	const {stdout} = process;
	const gone = once(stdout, 'error');
	gone.catch(() => {});
	let isGone = false;
	stdout.once('error', () => {
		isGone = true;
	});
	const write = async (part: string) => {
		if (isGone) throw new ReaderGone();
		if (!stdout.write(part)) await Promise.race([once(stdout, 'drain'), gone]);
	};
	try {
		return await handOn(lines, write);
	} catch (error) {
		if (isGone || error instanceof ReaderGone) return undefined;
		throw error;
	}
}

class ReaderGone extends Error {}
