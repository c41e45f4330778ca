import {once} from 'node:events';
import {createServer} from 'node:http';
import {createServer as createHttpsServer} from 'node:https';
import {type AddressInfo, connect, type Socket} from 'node:net';
import type {ExecutionContext} from 'ava';
import type {Issued} from './certificates.ts';

export type ConnectProxy = {
	readonly port: number;
	/** What it was asked, in order. */
	readonly requests: readonly {readonly target: string; readonly authorization: string | undefined}[];
};

export type ConnectProxyOptions = {
	/** Speaks TLS to its clients. */
	readonly issued?: Issued;
	/** Instead of a tunnel: what a broken or forbidding proxy does with the socket. */
	readonly instead?: (socket: Socket) => void;
	/** Wherever a tunnel is to lead, it leads to this port of this machine. */
	readonly leadsTo?: number;
};

/** A tiny proxy that tunnels, or does odd things that a good one does not. */
export async function startConnectProxy(
	t: ExecutionContext,
	{issued, instead, leadsTo}: ConnectProxyOptions = {},
): Promise<ConnectProxy> {
	const requests: {target: string; authorization: string | undefined}[] = [];
	const sockets = new Set<Socket>();
	const server = issued ? createHttpsServer({cert: issued.certificate, key: issued.key}) : createServer();
	server.on('connection', (socket: Socket) => sockets.add(socket.on('error', () => {})));
	server.on('tlsClientError', () => {});
	server.on('connect', (request, stream, head) => {
		const socket = stream as Socket;
		requests.push({target: request.url ?? '', authorization: request.headers['proxy-authorization']});
		socket.on('error', () => {});
		if (instead) {
			instead(socket);
			return;
		}
		const [host, port] = (request.url ?? '').split(':');
		const upstream = leadsTo === undefined ? connect(Number(port), host) : connect(leadsTo, '127.0.0.1');
		sockets.add(upstream.on('error', () => socket.destroy()));
		upstream.once('connect', () => {
			socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
			upstream.write(head);
			upstream.pipe(socket).pipe(upstream);
		});
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	t.teardown(() => {
		server.close();
		for (const socket of sockets) socket.destroy();
	});
	return {port: (server.address() as AddressInfo).port, requests};
}
