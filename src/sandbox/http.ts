import {type IncomingMessage, type ServerResponse, STATUS_CODES} from 'node:http';
import type {Duplex} from 'node:stream';

export function sendJson(
	response: ServerResponse,
	status: number,
	body: unknown,
	headers: Readonly<Record<string, string>> = {},
) {
	send(response, status, 'application/json', JSON.stringify(body), headers);
}

export function send(
	response: ServerResponse,
	status: number,
	type: string,
	body: string,
	headers: Readonly<Record<string, string>> = {},
) {
	response.writeHead(status, {'content-type': type, 'content-length': Buffer.byteLength(body), ...headers}).end(body);
}

/** Undefined when the body is longer than the limit. Rejects when the client goes away. */
export async function readBody(request: IncomingMessage, limit: number): Promise<Uint8Array | undefined> {
	if (Number(request.headers['content-length'] ?? 0) > 4 * limit) return undefined;
	const chunks: Uint8Array[] = [];
	let size = 0;
	for await (const chunk of request as AsyncIterable<Uint8Array>) {
		size += chunk.byteLength;
		if (size <= limit) chunks.push(chunk);
		// A little too long is read to its end: a client that still writes would not see the answer.
		if (size > 4 * limit) return undefined;
	}
	return size > limit ? undefined : Buffer.concat(chunks);
}

const statusOfFault: Record<string, number> = {HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408};

/** Answers what Node's parser refused: there is no request then, and no response object. */
export function answerUnreadable(error: NodeJS.ErrnoException, socket: Duplex) {
	const status = statusOfFault[error.code ?? ''] ?? 400;
	const body = JSON.stringify({error: `the request cannot be read: ${STATUS_CODES[status]}`});
	const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close`;
	// Without a TLS session there is no way to say it, and a socket that waits for one would stay for good.
	if (/^(?:ECONNRESET$|ERR_TLS_|ERR_SSL_)/.test(error.code ?? '') || !socket.writable) socket.destroy();
	else socket.end(`${head}\r\n\r\n${body}`, () => socket.destroy());
}
