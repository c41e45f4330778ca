import type {IncomingMessage, ServerResponse} from 'node:http';
import type {Encoding} from './reading.ts';
import {type Refusal, refusalTerms, termsOf} from './refusal.ts';
import type {Report} from './refusal-log.ts';
import {contentTypes, encodeStatus} from './status.ts';

/** How long a client may go on sending a body that nobody wants before its connection is closed under it. */
export const lingerMillis = 2000;

/** Written with the plain calls of node:http: those of Express would add a charset to the type. */
export function answer(response: ServerResponse, encoding: Encoding, body: Uint8Array): void {
	response.writeHead(200, {'Content-Type': contentTypes[encoding], 'Content-Length': body.length});
	response.end(body);
}

/** Makes the function that answers a request with a refusal, in the request's encoding when that is known. */
export function createRefuse(report: Report) {
	return function refuse(request: IncomingMessage, response: ServerResponse, refusal: Refusal, encoding?: Encoding): void {
		report(entryOf(request, refusal));
		const terms = termsOf(refusal);
		// A client that was not told to go on may send its body or not: only a closed connection is clear to both.
		const closes = terms.closes === true || request.headers.expect !== undefined;
		const plain = Buffer.from(`${refusal.message}\n`);
		const isPlain = terms.isPlain || !encoding;
		const body = isPlain ? plain : encodeStatus({code: terms.code, message: refusal.message}, encoding);
		response.writeHead(terms.statusCode, {
			'Content-Type': isPlain ? 'text/plain; charset=utf-8' : contentTypes[encoding],
			'Content-Length': body.length,
			...terms.headers,
			...(terms.retryAfterSeconds !== undefined && {'Retry-After': terms.retryAfterSeconds}),
			...(closes && {Connection: 'close'}),
		});
		if (closes && !request.complete) endAfterRequest(request, response, body);
		else response.end(body);
	};
}

/**
Ends the connection once the client has stopped sending, or after a while. Closed at once, what it still sends would be
answered with a reset, and a reset makes its system throw away the answer it has not read yet.
*/
function endAfterRequest(request: IncomingMessage, response: ServerResponse, body: Uint8Array): void {
	const end = () => {
		clearTimeout(timer);
		response.end();
	};
	const timer = setTimeout(end, lingerMillis);
	request.once('end', end).once('close', end).resume();
	response.write(body);
}

function entryOf(request: IncomingMessage, {refusal, message, cause}: Refusal) {
	const {method, socket} = request;
	const address = socket.remoteAddress ?? 'a client that is gone';
	const path = (request.url ?? '').split('?', 1)[0]?.slice(0, 100);
	const reason = cause ? `${message} ${cause.stack ?? cause.message}` : message;
	return {
		level: refusal === 'failed' ? 'error' : 'warn',
		kind: refusal,
		address,
		text: `OTLP intake answered ${method} ${path} from ${address} with ${refusalTerms[refusal].statusCode}: ${reason}`,
	} as const;
}
