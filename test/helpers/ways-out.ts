import type {RequestListener} from 'node:http';
import {inspect} from 'node:util';
import type {ExecutionContext} from 'ava';
import {BridgeError, type BridgeErrorCode} from '../../src/errors.ts';
import type {Connection, OutboundRequest} from '../../src/exporter.ts';
import {Secret} from '../../src/secret.ts';
import {type ConnectionOptions, createConnection, type WayOut} from '../../src/sending/connections.ts';
import {connectionsSchema} from '../../src/sending/connections-config.ts';
import {issue, makeAuthority} from './certificates.ts';

/** What the tests of one file trust, and the certificate of `localhost` in it. */
export const authority = await makeAuthority('Test authority');
export const localhost = await issue(authority, {commonName: 'localhost', hosts: ['localhost']});

export const proxyPassword = 'hunter2-@:';
export const apiKey = 'api-key-58b1f0';
export const basicCredentials = Buffer.from(`user:${proxyPassword}`).toString('base64');

// Generous: these bound a hanging test. A test of the limits themselves sets its own.
const patienceMillis = 20_000;

export const requestTo = (url: URL): OutboundRequest => ({
	url,
	method: 'POST',
	headers: {accept: 'application/json', 'content-type': 'application/json'},
	body: JSON.stringify({api_key: apiKey, title: 'Lüfter'}),
	secrets: [new Secret(apiKey)],
});

export type WayOptions = ConnectionOptions & {readonly connectTimeoutMillis?: number};

export function wayOut(t: ExecutionContext, config: object, {connectTimeoutMillis, ...options}: WayOptions = {}): WayOut {
	const [[kind = '', settings = {}] = []] = Object.entries(config);
	const connect_timeout = `${connectTimeoutMillis ?? patienceMillis}ms`;
	const [parsed] = connectionsSchema.parse([{[kind]: {connect_timeout, ...settings}}]);
	if (!parsed) throw new Error('no connection');
	const connection = createConnection(parsed, {ca: [authority.certificate], ...options});
	t.teardown(() => connection.close());
	return connection;
}

export const direct = (t: ExecutionContext, options?: WayOptions) => wayOut(t, {direct: {}}, options);

export const through = (t: ExecutionContext, port: number, options?: WayOptions) =>
	wayOut(t, {proxy: {url: `http://user:${encodeURIComponent(proxyPassword)}@127.0.0.1:${port}`}}, options);

export const post = (connection: Connection, url: URL, signal = AbortSignal.timeout(patienceMillis)) =>
	connection.send(requestTo(url), signal);

/** The attempt fails with this code, and neither the error nor anything below it shows a secret. Returns its message. */
export async function failsWith(t: ExecutionContext, code: BridgeErrorCode, attempt: Promise<unknown>): Promise<string> {
	const error = await t.throwsAsync(attempt, {instanceOf: BridgeError});
	t.is(error.code, code, error.message);
	const everything = inspect(error, {depth: Number.POSITIVE_INFINITY, showHidden: true});
	for (const secret of [proxyPassword, encodeURIComponent(proxyPassword), basicCredentials, apiKey]) {
		t.false(everything.includes(secret), `${secret} in ${everything}`);
	}
	return error.message;
}

/** Answers with what it was sent. */
export const echo: RequestListener = async (request, response) => {
	const chunks = await request.toArray();
	const {method, url, headers} = request;
	response.setHeader('Set-Cookie', ['a=1', 'b=2']).setHeader('X-Seen', 'yes');
	response.end(JSON.stringify({method, url, headers, body: Buffer.concat(chunks).toString()}));
};
