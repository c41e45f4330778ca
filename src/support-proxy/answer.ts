import {STATUS_CODES} from 'node:http';
import type {Socket} from 'node:net';
import type {Refusal} from './refusal.ts';

/** Texts of others must not begin a line of ours. */
const oneLine = (text: string): string => text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ');

/** The whole answer: a plain text of one line, after which the connection is closed. */
export function answerOf({status, text, headers}: Refusal, withBody = true): string {
	const body = `${oneLine(text)}\n`;
	const lines = [
		`HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
		'Content-Type: text/plain; charset=utf-8',
		`Content-Length: ${Buffer.byteLength(body)}`,
		'Cache-Control: no-store',
		'X-Content-Type-Options: nosniff',
		...Object.entries(headers ?? {}).map(([name, value]) => `${name}: ${value}`),
		'Connection: close',
		'',
		withBody ? body : '',
	];
	return lines.join('\r\n');
}

/** So long a client may take to read why it was refused. */
const lingerMillis = 1000;

/**
Answers and closes. What the client still sends is read and thrown away for a moment: a connection that is closed over unread
bytes is reset, and the answer is lost on the way.
*/
export function refuse(socket: Socket, refusal: Refusal, withBody = true): void {
	if (socket.destroyed) return;
	const timer = setTimeout(() => socket.destroy(), lingerMillis);
	socket
		.on('error', () => {})
		.once('end', () => socket.destroySoon())
		.once('close', () => clearTimeout(timer));
	socket.end(answerOf(refusal, withBody));
	socket.resume();
}
