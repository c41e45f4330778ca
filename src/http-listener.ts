import {once} from 'node:events';
import {readFileSync} from 'node:fs';
import {createServer, type IncomingMessage, type Server, type ServerOptions} from 'node:http';
import {createServer as createSecureServer} from 'node:https';
import type {AddressInfo, Socket} from 'node:net';
import {BridgeError, toError} from './errors.ts';
import type {Endpoint} from './settings.ts';

export type ListenerSettings = {
	readonly endpoint: Endpoint;
	readonly tls?:
		| {
				readonly cert_file: string;
				readonly key_file: string;
				/** With it, only clients with a certificate of these authorities get in. */
				readonly client_ca_file?: string | undefined;
		  }
		| undefined;
};

export type ListenerLimits = {
	readonly connections: number;
	readonly headersMillis: number;
	readonly requestMillis: number;
	/** HTTP/1.1 wants a Host header; false: old firmware may send none. */
	readonly requireHostHeader?: boolean;
};

const handshakeMillis = 10_000;

/**
An HTTP server, over TLS 1.2 or newer when the settings have certificates. `place` is the configuration key that the settings stand
under, for its errors: ERR_CONFIG for a file that cannot be read and an endpoint that cannot be listened on.
*/
export function createHttpListener(
	place: string,
	{endpoint, tls}: ListenerSettings,
	{connections, headersMillis, requestMillis, requireHostHeader = true}: ListenerLimits,
) {
	const checkMillis = Math.min(1000, Math.ceil(Math.min(headersMillis, requestMillis) / 4));
	const server = openServer(place, tls, {requireHostHeader, connectionsCheckingInterval: checkMillis});
	const sockets = new Set<Socket>();
	server.maxConnections = connections;
	server.headersTimeout = headersMillis;
	server.requestTimeout = requestMillis;
	server.on('connection', (socket: Socket) => {
		sockets.add(socket);
		socket.once('close', () => sockets.delete(socket));
	});
	return {
		server,
		async start(): Promise<void> {
			const {host, port} = endpoint;
			try {
				server.listen(port, host);
				await once(server, 'listening');
			} catch (cause) {
				const message = `${place}.endpoint: cannot listen on ${host}:${port}: ${toError(cause).message}`;
				throw new BridgeError('ERR_CONFIG', message, {cause});
			}
		},
		/** Who is in is served; after a while the connections are cut. */
		async shutdown(drainMillis: number): Promise<void> {
			if (!server.listening) return;
			const closed = once(server, 'close');
			server.close();
			server.closeIdleConnections();
			const timer = setTimeout(() => sockets.forEach(socket => void socket.destroy()), drainMillis);
			await closed;
			clearTimeout(timer);
		},
		/** Known once it listens; before, ERR_NOT_READY. */
		url(path = '/'): URL {
			if (!server.listening) throw new BridgeError('ERR_NOT_READY', `${place} does not listen yet`);
			const {address, port} = server.address() as AddressInfo;
			return new URL(`${tls ? 'https' : 'http'}://${address.includes(':') ? `[${address}]` : address}:${port}${path}`);
		},
	};
}

function openServer(place: string, tls: ListenerSettings['tls'], options: ServerOptions): Server {
	if (!tls) return createServer(options);
	const read = (key: keyof typeof tls) => {
		const file = tls[key];
		try {
			return file === undefined ? undefined : readFileSync(file);
		} catch (cause) {
			throw new BridgeError('ERR_CONFIG', `${place}.tls.${key}: ${toError(cause).message}`, {cause});
		}
	};
	const [cert, key, ca] = [read('cert_file'), read('key_file'), read('client_ca_file')];
	const clients = ca && {ca, requestCert: true, rejectUnauthorized: true};
	try {
		return createSecureServer({...options, cert, key, minVersion: 'TLSv1.2', handshakeTimeout: handshakeMillis, ...clients});
	} catch (cause) {
		throw new BridgeError('ERR_CONFIG', `${place}.tls: ${toError(cause).message}`, {cause});
	}
}

/**
Undefined when it is larger than it may be: then it is read on and thrown away, so that the client gets to read its answer.
Rejects when the client goes away.
*/
export async function readWhole(request: IncomingMessage, mostBytes: number): Promise<Buffer | undefined> {
	const chunks: Buffer[] = [];
	let size = 0;
	for await (const chunk of request as AsyncIterable<Buffer>) {
		size += chunk.length;
		if (size <= mostBytes) chunks.push(chunk);
		else chunks.length = 0;
	}
	return size > mostBytes ? undefined : Buffer.concat(chunks);
}
