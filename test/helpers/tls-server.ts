import {once} from 'node:events';
import type {RequestListener, Server} from 'node:http';
import {createServer as createHttpsServer} from 'node:https';
import {type AddressInfo, createServer as createSocketServer, type Socket, type Server as SocketServer} from 'node:net';
import {createServer as createTlsServer, type TLSSocket, type TlsOptions} from 'node:tls';
import type {ExecutionContext} from 'ava';
import type {Issued} from './certificates.ts';

const identityOf = ({certificate, key}: Issued) => ({cert: certificate, key});

async function opened<S extends Server | SocketServer>(t: ExecutionContext, server: S): Promise<number> {
	const sockets = new Set<Socket>();
	server.on('connection', (socket: Socket) => {
		sockets.add(socket.on('error', () => {}).on('close', () => sockets.delete(socket)));
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	t.teardown(() => {
		server.close();
		for (const socket of sockets) socket.destroy();
	});
	return (server.address() as AddressInfo).port;
}

/** A real HTTPS server on a free port. */
export async function listenTls(
	t: ExecutionContext,
	issued: Issued,
	listener: RequestListener,
	options: TlsOptions = {},
): Promise<URL> {
	const server = createHttpsServer({...identityOf(issued), ...options}, listener).on('tlsClientError', () => {});
	return new URL(`https://localhost:${await opened(t, server)}/connect/api/v1`);
}

/** A TLS server below HTTP: for replies that no HTTP server would give. */
export async function listenTlsSocket(t: ExecutionContext, issued: Issued, onSocket: (socket: TLSSocket) => void): Promise<URL> {
	const server = createTlsServer(identityOf(issued), socket => onSocket(socket.on('error', () => {}))).on(
		'tlsClientError',
		() => {},
	);
	return new URL(`https://localhost:${await opened(t, server)}/connect/api/v1`);
}

/** A TCP server that does whatever the test says. Answers its port. */
export async function listenSocket(t: ExecutionContext, onSocket: (socket: Socket) => void): Promise<number> {
	return opened(t, createSocketServer(onSocket));
}
