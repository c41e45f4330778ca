import {readFile} from 'node:fs/promises';
import {createServer, type RequestListener, type Server} from 'node:http';
import {createServer as createSecureServer, type ServerOptions} from 'node:https';
import type {TLSSocket} from 'node:tls';
import {BridgeError, toError} from '../../errors.ts';
import {lingerMillis} from './answer.ts';
import type {OtlpReceiverConfig} from './config.ts';
import type {Report} from './refusal-log.ts';

type Tls = NonNullable<OtlpReceiverConfig['tls']>;

/** Longer than the 90 s after which a Go client gives an idle connection up: else both may act on it at once. */
const keepAliveMillis = 120_000;

/** The HTTP or HTTPS server with its limits, not yet listening. */
export async function createHttpServer(options: OtlpReceiverConfig, listener: RequestListener, report: Report): Promise<Server> {
	const timing = {connectionsCheckingInterval: Math.min(1000, Math.ceil(options.headers_timeout / 4))};
	const server = options.tls ? await createTlsServer(options.tls, options, timing, report) : createServer(timing);
	server.on('request', listener).on('checkContinue', listener);
	server.headersTimeout = options.headers_timeout;
	// For bodies that nobody wants. One that is wanted has its own, which is answered with 503 where Node would say 408.
	server.requestTimeout = options.headers_timeout + options.request_timeout + lingerMillis;
	server.keepAliveTimeout = keepAliveMillis;
	server.maxConnections = options.max_connections;
	return server.on('drop', ({remoteAddress: address = ''} = {}) => {
		const reason = `receivers.otlp.max_connections (${options.max_connections}) are open`;
		report({level: 'warn', kind: 'connection', address, text: `OTLP intake closed a connection from ${address}: ${reason}`});
	});
}

/**
A client certificate that is not of `client_ca_file` fails the handshake. An answer 403 could say more, but it would make a
Collector drop its records for what is a mistake in the configuration; a failed connection it tries again.
*/
async function createTlsServer(tls: Tls, options: OtlpReceiverConfig, timing: ServerOptions, report: Report): Promise<Server> {
	const [cert, key, ca] = await Promise.all([read(tls, 'cert_file'), read(tls, 'key_file'), read(tls, 'client_ca_file')]);
	const clients = ca && {ca, requestCert: true, rejectUnauthorized: true};
	try {
		const server = createSecureServer({
			...timing,
			...clients,
			cert,
			key,
			minVersion: 'TLSv1.2',
			handshakeTimeout: options.headers_timeout,
		});
		return server.on('tlsClientError', (error, socket) => report(handshakeFault(error, socket)));
	} catch (error) {
		throw new BridgeError('ERR_CONFIG', `receivers.otlp.tls: ${toError(error).message}`, {cause: error});
	}
}

async function read(tls: Tls, key: keyof Tls): Promise<Buffer | undefined> {
	const path = tls[key];
	if (path === undefined) return undefined;
	try {
		return await readFile(path);
	} catch (error) {
		throw new BridgeError('ERR_CONFIG', `receivers.otlp.tls.${key}: ${toError(error).message}`, {cause: error});
	}
}

const handshakeFault = (error: Error, {remoteAddress, authorizationError}: TLSSocket) => ({
	level: 'warn' as const,
	kind: 'handshake',
	address: remoteAddress ?? '',
	text: `OTLP intake: TLS handshake with ${remoteAddress ?? 'a client'} failed: ${authorizationError ?? error.message}`,
});
