import {once} from 'node:events';
import {readFileSync} from 'node:fs';
import {createServer, type IncomingMessage, type RequestListener, type Server} from 'node:http';
import {createServer as createSecureServer} from 'node:https';
import type {AddressInfo, Socket} from 'node:net';
import {BridgeError, toError} from '../../errors.ts';
import type {SourceParts} from '../../source.ts';
import type {CimConfig} from './config.ts';

/** The HTTP or HTTPS server of the listener. `url` is known once it listens. */
export function createListener(config: CimConfig, listener: RequestListener, log: SourceParts['log']) {
	const server = openServer(config).on('request', listener);
	const sockets = new Set<Socket>();
	server.maxConnections = config.max_connections;
	server.headersTimeout = 10_000;
	server.requestTimeout = 30_000;
	server.keepAliveTimeout = 30_000;
	server.on('connection', (socket: Socket) => {
		sockets.add(socket);
		socket.once('close', () => sockets.delete(socket));
	});
	server.on('clientError', answerUnreadable);
	return {
		async start() {
			const {host, port} = config.endpoint;
			try {
				server.listen(port, host);
				await once(server, 'listening');
			} catch (cause) {
				const reason = `cannot listen on ${host}:${port}: ${toError(cause).message}`;
				throw new BridgeError('ERR_CONFIG', `receivers.cim.endpoint: ${reason}`, {cause});
			}
			server.on('error', error => log('error', `CIM listener: ${error.message}`));
		},
		/** Who is in is served; after a while the connections are cut. */
		async shutdown(drainMillis: number) {
			if (!server.listening) return;
			const closed = once(server, 'close');
			server.close();
			server.closeIdleConnections();
			const timer = setTimeout(() => sockets.forEach(socket => void socket.destroy()), drainMillis);
			await closed;
			clearTimeout(timer);
		},
		url(): URL {
			if (!server.listening) throw new BridgeError('ERR_NOT_READY', 'the CIM listener does not listen yet');
			const {address, port} = server.address() as AddressInfo;
			return new URL(`${config.tls ? 'https' : 'http'}://${address.includes(':') ? `[${address}]` : address}:${port}`);
		},
	};
}

/** Node does not read M-POST, the method of older senders: told that it is not implemented, they go on with POST. */
function answerUnreadable(error: Error & {rawPacket?: Buffer}, socket: Socket): void {
	if (!socket.writable) return void socket.destroy();
	const isMPost = error.rawPacket?.subarray(0, 7).toString('latin1') === 'M-POST ';
	const status = isMPost ? '501 Not Implemented' : '400 Bad Request';
	socket.end(`HTTP/1.1 ${status}\r\nCIMExport: MethodResponse\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
}

function openServer({tls}: CimConfig): Server {
	const options = {requireHostHeader: false, connectionsCheckingInterval: 1000};
	if (!tls) return createServer(options);
	const read = (key: keyof typeof tls) => {
		const file = tls[key];
		try {
			return file === undefined ? undefined : readFileSync(file);
		} catch (cause) {
			throw new BridgeError('ERR_CONFIG', `receivers.cim.tls.${key}: ${toError(cause).message}`, {cause});
		}
	};
	const ca = read('client_ca_file');
	const [cert, key] = [read('cert_file'), read('key_file')];
	const clients = ca && {ca, requestCert: true, rejectUnauthorized: true};
	try {
		return createSecureServer({...options, cert, key, minVersion: 'TLSv1.2', handshakeTimeout: 10_000, ...clients});
	} catch (cause) {
		throw new BridgeError('ERR_CONFIG', `receivers.cim.tls: ${toError(cause).message}`, {cause});
	}
}

/** Undefined when it is larger than it may be: then it is read on and thrown away, so that the sender gets to read its answer. */
export async function readBody(request: IncomingMessage, mostBytes: number): Promise<Buffer | undefined> {
	const chunks: Buffer[] = [];
	let size = 0;
	for await (const chunk of request as AsyncIterable<Buffer>) {
		size += chunk.length;
		if (size <= mostBytes) chunks.push(chunk);
		else chunks.length = 0;
	}
	return size > mostBytes ? undefined : Buffer.concat(chunks);
}
