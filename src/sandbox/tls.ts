import type {IncomingMessage, ServerResponse} from 'node:http';
import {createServer} from 'node:https';
import type {Socket} from 'node:net';
import type {Certificates, Identity} from './certificates.ts';
import {answerUnreadable} from './http.ts';

export type TlsServerOptions = {
	readonly certificates: Certificates;
	readonly requestTimeoutMillis: number;
	/** Asked once for each new connection. */
	showsExpiredCertificate(): boolean;
	answer(request: IncomingMessage, response: ServerResponse, resetConnection: () => void): void;
};

const minVersion = 'TLSv1.2';

export function createTlsServer({certificates, requestTimeoutMillis, showsExpiredCertificate, answer}: TlsServerOptions) {
	const server = createServer({
		...certificates.server,
		minVersion,
		handshakeTimeout: requestTimeoutMillis + 1000, // A client that is slow with both is told so over TLS.
		headersTimeout: requestTimeoutMillis,
		requestTimeout: requestTimeoutMillis,
		connectionsCheckingInterval: Math.min(requestTimeoutMillis, 1000),
	});
	server.maxConnections = 1000;
	const sockets = new Map<string, Socket>();
	let shown = certificates.server;

	function show(identity: Identity) {
		if (identity !== shown) server.setSecureContext({...identity, minVersion}); // New ticket keys too: no earlier session resumes.
		shown = identity;
	}

	/** A TLS socket cannot reset its connection; the one under it can. */
	const resetUnder = (session: Socket) => sockets.get(peerOf(session))?.resetAndDestroy();

	// Before Node's own listener, which starts TLS with what is then set.
	server.prependListener('connection', (socket: Socket) => {
		const peer = peerOf(socket);
		sockets.set(peer, socket);
		socket.once('close', () => sockets.delete(peer));
		show(showsExpiredCertificate() ? certificates.expired : certificates.server);
	});
	server.on('clientError', answerUnreadable);
	server.on('request', (request, response) => answer(request, response, () => resetUnder(request.socket)));

	async function close() {
		for (const socket of sockets.values()) socket.destroy();
		if (server.listening) await new Promise(resolve => server.close(resolve));
	}
	return {server, close};
}
export type TlsServer = ReturnType<typeof createTlsServer>;

const peerOf = (socket: Socket) => `${socket.remoteAddress} ${socket.remotePort}`;
