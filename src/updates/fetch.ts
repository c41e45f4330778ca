import {BridgeError, isBridgeError, neverLeft} from '../errors.ts';
import type {UpdatesConfig} from './config.ts';
import type {Signed} from './judge.ts';
import {maxManifestSize} from './manifest.ts';

/**
GETs a URL without a body, without a query or header that tells who asks, and without following a redirect. Rejects with a
BridgeError: one of `neverLeft` when no path worked, ERR_TOO_LARGE beyond `maxSize` bytes, any other one when there was an answer.
*/
export type Fetch = (url: URL, options: {readonly maxSize: number; readonly signal: AbortSignal}) => Promise<Buffer>;

export type Ways = {readonly https: Fetch; readonly http: Fetch};

/** Which way a manifest came. */
export type Origin = 'https' | 'http';
export type Fetched = Signed & {
	readonly origin: Origin;
	/** Why it came over plain HTTP. */
	readonly because?: BridgeError;
};

/** For the manifest and its signature, each. */
const timeoutMillis = 60_000;
const maxSignatureSize = 256;

const signatureUrl = (url: URL): URL => new URL(`${url.pathname}.sig`, url);

async function get(fetch: Fetch, url: URL, maxSize: number, signal: AbortSignal): Promise<Buffer> {
	signal.throwIfAborted();
	const bytes = await fetch(url, {maxSize, signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMillis)])});
	if (bytes.length <= maxSize) return bytes;
	throw new BridgeError('ERR_TOO_LARGE', `${url.href} is larger than ${maxSize} bytes`);
}

/**
The manifest and its signature, over HTTPS. Only when no HTTPS path works are both asked for over plain HTTP (S47): an answer
of the server, whatever it says, is no missing path.
*/
export async function fetchSigned(
	{url, http_url}: Pick<UpdatesConfig, 'url' | 'http_url'>,
	{https, http}: Ways,
	signal: AbortSignal,
): Promise<Fetched> {
	let bytes: Buffer;
	try {
		bytes = await get(https, url, maxManifestSize, signal);
	} catch (because) {
		if (!http_url || signal.aborted || !isBridgeError(because, ...neverLeft)) throw because;
		const overHttp = await get(http, http_url, maxManifestSize, signal).catch(error => {
			throw isBridgeError(error) ? neither(because, error) : error;
		});
		return {bytes: overHttp, signature: await signatureAt(http, http_url, signal), origin: 'http', because};
	}
	return {bytes, signature: await signatureAt(https, url, signal), origin: 'https'};
}

const neither = (https: BridgeError, http: BridgeError): BridgeError =>
	new BridgeError(http.code, `${https.message} Over plain HTTP: ${http.message}`, {cause: http});

const signatureAt = async (fetch: Fetch, url: URL, signal: AbortSignal): Promise<string> =>
	(await get(fetch, signatureUrl(url), maxSignatureSize, signal)).toString('latin1');
