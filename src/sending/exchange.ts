import type {Socket} from 'node:net';
import type {TLSSocket} from 'node:tls';
import {Client, type Dispatcher} from 'undici';
import {BridgeError, toError} from '../errors.ts';
import type {OutboundRequest} from '../exporter.ts';
import {notHttp, over} from './over.ts';

/** A reply as it came. */
export type RawReply = {
	readonly statusCode: number;
	/** Lower-case names; a repeated header's values joined by ", ". */
	readonly headers: Readonly<Record<string, string>>;
	readonly body: Buffer;
	/** SHA-256 of the certificate (DER) that the server showed, in lower-case hex. */
	readonly peerCertificate?: string | undefined;
};

/**
One request over one socket, which is closed after it. A socket that is kept may be closed by the other side just when the next
request is written, and then nobody knows whether that one arrived; a handshake more is the lesser price where each request
may open a case (G3). Redirects are answers like any other: they are not followed.
*/
export async function exchange(
	socket: TLSSocket,
	{url, method, headers, body}: Omit<OutboundRequest, 'secrets'>,
	maxReplySize: number,
	signal: AbortSignal,
): Promise<RawReply> {
	const peerCertificate = socket.getPeerX509Certificate()?.fingerprint256.replaceAll(':', '').toLowerCase();
	const path = `${url.pathname}${url.search}`;
	const reply = await ask(socket, url, {path, method, headers, ...(body !== '' && {body})}, maxReplySize, signal);
	return {...reply, peerCertificate};
}

/**
A GET without a body over plain HTTP, and nothing else ever: nothing is uploaded over it (G4). To a proxy, which is told the
whole URL, `proxyHeaders` say who asks.
*/
export async function fetchPlain(
	socket: Socket,
	url: URL,
	proxyHeaders: Readonly<Record<string, string>> | undefined,
	maxReplySize: number,
	signal: AbortSignal,
): Promise<RawReply> {
	const path = proxyHeaders ? `${url.origin}${url.pathname}` : url.pathname;
	return ask(socket, url, {path, method: 'GET', headers: {host: url.host, ...proxyHeaders}}, maxReplySize, signal);
}

async function ask(
	socket: Socket,
	url: URL,
	request: Omit<Dispatcher.RequestOptions, 'signal'>,
	maxReplySize: number,
	signal: AbortSignal,
): Promise<RawReply> {
	// No limits of undici's own: the signal bounds the whole. `pipelining: 0` says "connection: close".
	const client = new Client(url.origin, {
		connect: over(socket),
		pipelining: 0,
		headersTimeout: 0,
		bodyTimeout: 0,
		allowH2: false,
	});
	let stage: Stage = 'request';
	try {
		const response = await client.request({...request, signal});
		stage = 'reply';
		return {
			statusCode: response.statusCode,
			headers: joined(response.headers),
			body: await bytesOf(response.body, maxReplySize, url.host),
		};
	} catch (thrown) {
		throw exchangeError(toError(thrown), stage, url.host, signal);
	} finally {
		await client.destroy();
	}
}

type Stage = 'request' | 'reply';

const joined = (headers: Dispatcher.ResponseData['headers']): Record<string, string> =>
	Object.fromEntries(
		Object.entries(headers).flatMap(([name, value]) =>
			value === undefined ? [] : [[name.toLowerCase(), [value].flat().join(', ')]],
		),
	);

async function bytesOf(body: AsyncIterable<Buffer>, maxReplySize: number, host: string): Promise<Buffer> {
	const chunks: Buffer[] = [];
	let size = 0;
	for await (const chunk of body) {
		size += chunk.length;
		if (size > maxReplySize) {
			throw new BridgeError(
				'ERR_TOO_LARGE',
				`The reply of ${host} is larger than ${maxReplySize} bytes. That is hardly IBM's service.`,
			);
		}
		chunks.push(chunk);
	}
	return Buffer.concat(chunks);
}

/** From here on the request may have arrived, whatever went wrong. */
function exchangeError(cause: Error, stage: Stage, host: string, signal: AbortSignal): BridgeError {
	if (cause instanceof BridgeError) return cause;
	if (signal.aborted) {
		return new BridgeError('ERR_REPLY_TIMEOUT', `No whole reply came from ${host} in the time for the attempt.`, {cause});
	}
	const unparsable = notHttp(cause);
	if (unparsable) return new BridgeError('ERR_REPLY_TRUNCATED', `The reply of ${host} is not HTTP.`, {cause: unparsable});
	if (stage === 'reply') return new BridgeError('ERR_REPLY_TRUNCATED', `The reply of ${host} broke off.`, {cause});
	if ('code' in cause && cause.code === 'UND_ERR_HEADERS_OVERFLOW') {
		return new BridgeError('ERR_TOO_LARGE', `The reply of ${host} has too many headers.`, {cause});
	}
	return new BridgeError('ERR_CONNECTION_RESET', `${host} closed the connection before it replied.`, {cause});
}
