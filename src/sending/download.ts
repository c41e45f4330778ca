import type {Socket} from 'node:net';
import type {Readable} from 'node:stream';
import {Client} from 'undici';
import {BridgeError, toError} from '../errors.ts';
import {type Address, authority} from './address.ts';
import {notHttp, over} from './over.ts';
import type {ProxyConfig} from './proxy-url.ts';
import {authorization, plainRefusal} from './tunnel.ts';

/** A question over plain HTTP: nothing is uploaded with it (G4). */
export type DownloadRequest = {
	readonly method: 'GET' | 'HEAD';
	/** With the query. */
	readonly path: string;
	readonly headers: Readonly<Record<string, string>>;
};

/** A reply whose body is still on its way. */
export type Download = {
	readonly statusCode: number;
	readonly headers: Readonly<Record<string, string | string[] | undefined>>;
	/** Destroying it closes the connection; it fails when the signal is aborted. */
	readonly body: Readable;
};

/** Asks over a socket of its own. A proxy is told the whole URL; what it says in its own name is an error that passes the turn on. */
export async function download(
	socket: Socket,
	destination: Address,
	proxy: ProxyConfig | undefined,
	{method, path, headers}: DownloadRequest,
	signal: AbortSignal,
): Promise<Download> {
	const host = destination.port === 80 ? authority(destination).replace(/:80$/, '') : authority(destination);
	// No limits of undici's own: the signal bounds the whole. `pipelining: 0` says "connection: close".
	const client = new Client(`http://${host}`, {connect: over(socket), pipelining: 0, headersTimeout: 0, bodyTimeout: 0});
	try {
		const asked = {
			method,
			path: proxy ? `http://${host}${path}` : path,
			headers: {...headers, host, ...(proxy && authorization(proxy))},
		};
		const reply = await client.request({...asked, signal});
		reply.body.once('close', () => client.destroy().catch(() => {})).on('error', () => {});
		const ownWord = proxy && plainRefusal({statusCode: reply.statusCode, headers: single(reply.headers)}, proxy, destination);
		if (!ownWord) return reply;
		reply.body.destroy();
		throw ownWord;
	} catch (thrown) {
		client.destroy().catch(() => {});
		throw downloadError(toError(thrown), host, signal);
	}
}

const single = (headers: Download['headers']): Record<string, string> =>
	Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value].flat().join(', ')]));

function downloadError(cause: Error, host: string, signal: AbortSignal): BridgeError {
	if (cause instanceof BridgeError) return cause;
	if (signal.aborted) return new BridgeError('ERR_REPLY_TIMEOUT', `No reply came from ${host} in time.`, {cause});
	const unparsable = notHttp(cause);
	if (unparsable) return new BridgeError('ERR_REPLY_TRUNCATED', `The reply of ${host} is not HTTP.`, {cause: unparsable});
	return new BridgeError('ERR_CONNECTION_RESET', `${host} closed the connection before it replied.`, {cause});
}
