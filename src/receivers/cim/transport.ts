import {connect as connectSocket, isIP, type Socket} from 'node:net';
import {connect as connectTls, type TLSSocket} from 'node:tls';
import {Client} from 'undici';
import {BridgeError, toError} from '../../errors.ts';
import {pinFault} from '../../pinned-key.ts';
import type {CimSystem} from './config.ts';

export type Posted = {readonly statusCode: number; readonly cimError: string; readonly body: Uint8Array};
export type Transport = {
	readonly url: string;
	post(headers: Readonly<Record<string, string>>, body: string, signal: AbortSignal): Promise<Posted>;
	close(): Promise<void>;
};

const mostReplyBytes = 16 * 1024 ** 2;
const hostText = (host: string): string => (host.includes(':') ? `[${host}]` : host);

/**
One connection to a management module. Rejects with ERR_CONNECTION_REFUSED, ERR_CONNECTION_TIMEOUT, ERR_CONNECTION_RESET,
ERR_NAME_NOT_FOUND, ERR_TLS, ERR_CERTIFICATE or ERR_CERTIFICATE_PIN before anything, the password above all, has been sent.
*/
export function createTransport(system: CimSystem, secure: boolean, ca: string | undefined, timeoutMillis: number): Transport {
	const url = `${secure ? 'https' : 'http'}://${hostText(system.host)}:${secure ? system.port : system.http_port}`;
	const client = new Client(url, {
		connect: (_options, callback) => {
			open(system, secure, ca, timeoutMillis).then(
				socket => callback(null, socket as TLSSocket),
				error => callback(toError(error), null),
			);
		},
		headersTimeout: timeoutMillis,
		bodyTimeout: timeoutMillis,
		maxResponseSize: mostReplyBytes,
	});
	return {
		url,
		async post(headers, body, signal) {
			try {
				const whole = AbortSignal.any([signal, AbortSignal.timeout(timeoutMillis)]);
				const reply = await client.request({method: 'POST', path: '/cimom', headers, body, signal: whole});
				const bytes = new Uint8Array(await reply.body.arrayBuffer());
				return {statusCode: reply.statusCode, cimError: [reply.headers.cimerror].flat()[0] ?? '', body: bytes};
			} catch (error) {
				throw replyError(url, toError(error));
			}
		},
		close: () => client.destroy(),
	};
}

function open(system: CimSystem, secure: boolean, ca: string | undefined, timeoutMillis: number): Promise<Socket> {
	const {host, port, http_port, pin} = system;
	const url = `${hostText(host)}:${secure ? port : http_port}`;
	const {promise, resolve, reject} = Promise.withResolvers<Socket>();
	const socket = secure
		? connectTls({
				host,
				port,
				minVersion: 'TLSv1.2',
				rejectUnauthorized: pin === undefined,
				...(ca !== undefined && {ca}),
				...(isIP(host) === 0 && {servername: host}),
			})
		: connectSocket({host, port: http_port});
	socket.setTimeout(timeoutMillis, () => socket.destroy(new BridgeError('ERR_CONNECTION_TIMEOUT', `${url} did not answer`)));
	socket.once('error', error => reject(connectionError(url, error, secure)));
	socket.once('close', () => reject(new BridgeError('ERR_CONNECTION_RESET', `${url} closed the connection`)));
	socket.once(secure ? 'secureConnect' : 'connect', () => {
		socket.setTimeout(0);
		const fault = pin === undefined || !secure ? undefined : pinFault(url, socket as TLSSocket, pin);
		if (!fault) return resolve(socket);
		reject(fault);
		socket.destroy();
	});
	return promise;
}

const codes = {
	ECONNREFUSED: 'ERR_CONNECTION_REFUSED',
	EHOSTUNREACH: 'ERR_CONNECTION_REFUSED',
	ENETUNREACH: 'ERR_CONNECTION_REFUSED',
	ETIMEDOUT: 'ERR_CONNECTION_TIMEOUT',
	ECONNRESET: 'ERR_CONNECTION_RESET',
	EPIPE: 'ERR_CONNECTION_RESET',
	ENOTFOUND: 'ERR_NAME_NOT_FOUND',
	EAI_AGAIN: 'ERR_NAME_NOT_FOUND',
} as const;
const codeOf = (error: Error): string => ('code' in error ? String(error.code) : '');
const known = (code: string) => (Object.hasOwn(codes, code) ? codes[code as keyof typeof codes] : undefined);

function connectionError(url: string, error: Error, secure: boolean): BridgeError {
	if (error instanceof BridgeError) return error;
	const code = codeOf(error);
	const kind = known(code) ?? (!secure ? 'ERR_CONNECTION_RESET' : /^(ERR_SSL|EPROTO)/.test(code) ? 'ERR_TLS' : 'ERR_CERTIFICATE');
	const advice = kind === 'ERR_CERTIFICATE' ? ': set ca_file or pin of this system if this is its own certificate' : '';
	return new BridgeError(kind, `${url}: ${error.message}${advice}`, {cause: error});
}

function replyError(url: string, error: Error): BridgeError {
	if (error instanceof BridgeError) return error;
	const code = codeOf(error);
	if (error.name === 'TimeoutError' || /TIMEOUT/.test(code))
		return new BridgeError('ERR_REPLY_TIMEOUT', `${url} did not answer in time`, {cause: error});
	if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE')
		return new BridgeError('ERR_TOO_LARGE', `${url}: the answer is larger than ${mostReplyBytes} bytes`);
	return new BridgeError(known(code) ?? 'ERR_REPLY_TRUNCATED', `${url}: ${error.message}`, {cause: error});
}

/** After these nobody speaks TLS there: HTTPS is not available. A certificate that is not trusted is another matter. */
export const httpsIsAway = ['ERR_CONNECTION_REFUSED', 'ERR_CONNECTION_TIMEOUT', 'ERR_CONNECTION_RESET', 'ERR_TLS'] as const;
