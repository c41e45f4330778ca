import {once} from 'node:events';
import {connect as connectSocket, isIP, type Socket} from 'node:net';
import {connect as connectTls, type PeerCertificate, type SecureContext, type TLSSocket} from 'node:tls';
import {type BridgeError, isBridgeError, toError} from '../errors.ts';
import type {Address} from './address.ts';
import type {ProxyConfig} from './proxy-url.ts';
import {certificateError, connectError, type Peer, stageTimeout, tlsError} from './route-errors.ts';
import {openTunnel} from './tunnel.ts';

export type Route = {
	readonly proxy: ProxyConfig | undefined;
	/** Trusted for the destination. */
	readonly trust: SecureContext;
	/** Trusted for the TLS to the proxy itself. */
	readonly proxyTrust: SecureContext;
	/** For each stage: name and connection, TLS to the proxy, CONNECT, TLS to the destination. */
	readonly stageMillis: number;
};

/**
	socket ──▶ (TLS to the proxy) ──▶ CONNECT ──▶ TLS to the destination
	   └───────────────── direct ────────────────────────▲

The socket is ready to carry a request. Until then nothing of the request has left this machine.
*/
export async function openRoute(destination: Address, route: Route, signal: AbortSignal): Promise<TLSSocket> {
	const {proxy} = route;
	const target: Peer = {...destination, role: proxy ? 'destination behind a proxy' : 'destination'};
	const first: Peer = proxy ? {host: proxy.host, port: proxy.port, role: 'proxy'} : target;
	let socket = await openSocket(first, route, signal);
	try {
		if (proxy?.protocol === 'https') socket = await secure(socket, first, route.proxyTrust, route, signal);
		if (proxy) socket = await inStage('proxy', first, route, signal, limit => openTunnel(socket, proxy, destination, limit));
		return await secure(socket, target, route.trust, route, signal);
	} catch (error) {
		socket.destroy();
		throw error;
	}
}

/** Runs one stage against its time limit. What it throws becomes a BridgeError. */
async function inStage<T>(
	stage: 'connection' | 'proxy' | 'TLS',
	peer: Peer,
	{stageMillis}: Route,
	signal: AbortSignal,
	run: (limit: AbortSignal) => Promise<T>,
	explain: (error: Error) => BridgeError = error => tlsError(peer, error),
): Promise<T> {
	const limit = AbortSignal.any([signal, AbortSignal.timeout(stageMillis)]);
	try {
		limit.throwIfAborted();
		return await run(limit);
	} catch (thrown) {
		if (isBridgeError(thrown)) throw thrown;
		if (limit.aborted) throw stageTimeout(stage, peer, stageMillis, signal);
		throw explain(toError(thrown));
	}
}

async function openSocket(peer: Peer, route: Route, signal: AbortSignal): Promise<Socket> {
	return inStage(
		'connection',
		peer,
		route,
		signal,
		async limit => {
			const socket = connectSocket({host: peer.host, port: peer.port, noDelay: true, autoSelectFamilyAttemptTimeout: 1000});
			return settled(socket, 'connect', limit);
		},
		error => connectError(peer, error),
	);
}

/** Waits for the event. When it does not come, the socket goes. */
async function settled<S extends Socket>(socket: S, event: string, limit: AbortSignal): Promise<S> {
	try {
		await once(socket, event, {signal: limit});
		socket.on('error', () => {}); // Between two stages nobody listens; the next one finds the socket destroyed.
		return socket;
	} catch (error) {
		socket.on('error', () => {}).destroy();
		throw error;
	}
}

/** Verified, always: against `trust`, and against the name. */
async function secure(
	socket: Socket,
	peer: Peer,
	secureContext: SecureContext,
	route: Route,
	signal: AbortSignal,
): Promise<TLSSocket> {
	let presented: PeerCertificate | undefined;
	let secured: TLSSocket | undefined;
	return inStage(
		'TLS',
		peer,
		route,
		signal,
		async limit => {
			secured = connectTls({
				socket,
				secureContext,
				host: peer.host,
				...(isIP(peer.host) === 0 && {servername: peer.host}),
				ALPNProtocols: ['http/1.1'],
				rejectUnauthorized: true,
			});
			// Once the verification has failed the certificate is gone with the socket, and it is what an operator has to see.
			const opened = secured;
			opened.prependOnceListener('secure', () => {
				presented = opened.getPeerCertificate(true);
			});
			return settled(opened, 'secureConnect', limit);
		},
		error => (secured?.authorizationError ? certificateError(peer, error, presented) : tlsError(peer, error)),
	);
}
