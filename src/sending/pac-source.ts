import {readFile, stat} from 'node:fs/promises';
import {toError} from '../errors.ts';
import {readAuthorities, type Trust, trusting} from './authorities.ts';
import type {Family} from './names.ts';
import type {PacConfig} from './pac-config.ts';
import {pacFault} from './pac-fault.ts';
import {fetchPac, maxPacSize} from './pac-fetch.ts';

export type PacSourceOptions = {
	readonly family: Family;
	/** Asked at each fetch: the address of an interface may change. */
	readonly localAddress: () => string | undefined;
	readonly log: (level: 'warn', text: string) => void;
	/** Milliseconds of a clock that is never set. */
	readonly now: () => number;
	/** Milliseconds for the whole fetch, with its redirects. */
	readonly fetchMillis: number;
};

/** Milliseconds for which a fetched file is kept, and after which one that could not be fetched again is asked for once more. */
const keptMillis = 3_600_000;
const againMillis = 5 * 60_000;

export type PacSource = {
	/** The script, as it was when it could be loaded last. Rejects with ERR_PAC when it never could. */
	read(): Promise<string>;
	close(): Promise<void>;
};

/** Where a PAC file comes from, as it may be shown. */
export const placeOf = (source: PacConfig['source']): string =>
	'file' in source ? source.file : `${source.url.origin}${source.url.pathname}`;

export function createPacSource({source, caFile}: PacConfig, options: PacSourceOptions): PacSource {
	const {log, now} = options;
	const place = placeOf(source);
	const closing = new AbortController();
	const load = 'file' in source ? createFileLoader(source.file) : createFetch(source.url, caFile, options, closing.signal);
	let script: string | undefined;
	let warned: string | undefined;
	let dueAt = 0;
	let loading: Promise<string> | undefined;

	async function reload(): Promise<string> {
		try {
			script = checked(await load());
			warned = undefined;
			dueAt = now() + ('file' in source ? 0 : keptMillis);
		} catch (thrown) {
			const {message} = toError(thrown);
			if (script === undefined) throw pacFault(place, `cannot be loaded: ${message}`, thrown);
			dueAt = now() + ('file' in source ? 0 : againMillis);
			if (warned !== message && !closing.signal.aborted)
				log('warn', `The PAC file ${place} cannot be loaded again: ${message}. The last one is used.`);
			warned = message;
		}
		return script;
	}

	function reloadOnce(): Promise<string> {
		loading ??= reload().finally(() => {
			loading = undefined;
		});
		return loading;
	}

	return {
		async read() {
			if (script !== undefined && now() < dueAt) return script;
			const reloaded = reloadOnce();
			// A file is there at once. What has to be fetched does not keep anybody waiting who can do with the last one.
			return script === undefined || 'file' in source ? reloaded : script;
		},
		async close() {
			closing.abort();
			await loading?.catch(() => {});
		},
	};
}

/** A login page that answers in place of the file does not take the place of the file. */
function checked(script: string): string {
	if (script.includes('FindProxyForURL')) return script;
	throw new Error('there is no FindProxyForURL in it');
}

/** Reads the file when it has changed. */
function createFileLoader(file: string): () => Promise<string> {
	let known: {readonly version: string; readonly script: string} | undefined;
	return async function load() {
		const found = await stat(file);
		const version = `${found.mtimeMs} ${found.size} ${found.ino}`;
		if (known?.version === version) return known.script;
		if (!found.isFile()) throw new Error('it is not a file');
		if (found.size > maxPacSize) throw new Error(`larger than ${maxPacSize} bytes`);
		known = {version, script: decode(await readFile(file))};
		return known.script;
	};
}

/** Authorities that cannot be read are said at the start. */
function createFetch(
	url: URL,
	caFile: string | undefined,
	options: PacSourceOptions,
	closing: AbortSignal,
): () => Promise<string> {
	const {family, localAddress, fetchMillis} = options;
	const authorities = caFile === undefined ? [] : readAuthorities(caFile);
	let trust: Trust | undefined;
	return async function load() {
		if (url.protocol === 'https:') trust ??= trusting(authorities);
		const signal = AbortSignal.any([closing, AbortSignal.timeout(fetchMillis)]);
		return decode(await fetchPac(url, {family, localAddress: localAddress(), trust, signal}));
	};
}

const decode = (bytes: Buffer): string => new TextDecoder().decode(bytes);
