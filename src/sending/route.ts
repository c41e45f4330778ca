import {isIP, type Socket} from 'node:net';
import type {TLSSocket} from 'node:tls';
import type {StageResult} from '../attempt.ts';
import {isBridgeError} from '../errors.ts';
import {type Address, authority} from './address.ts';
import type {Trust} from './authorities.ts';
import {dial, remoteOf} from './dial.ts';
import type {Family, Lookup} from './names.ts';
import type {ProxyConfig} from './proxy-url.ts';
import {connectError, type Peer} from './route-errors.ts';
import {secure} from './secure.ts';
import {connectThrough, greet} from './socks5.ts';
import {inStage, observed, type StageLimits} from './stage.ts';
import {openTunnel} from './tunnel.ts';

export type Route = StageLimits & {
	readonly proxy: ProxyConfig | undefined;
	/** Trusted for the destination. */
	readonly trust: Trust;
	/** Trusted for the TLS to the proxy itself. */
	readonly proxyTrust: Trust;
	/** For the destination, when the way is direct. */
	readonly lookup: Lookup;
	/** For the proxy: it may stand on this machine. */
	readonly proxyLookup: Lookup;
	readonly family: Family;
	/** The address of this machine from which the first socket leaves. */
	readonly localAddress: string | undefined;
	/** Goes to this address and does not ask for the name. TLS still verifies the name. */
	readonly address?: string | undefined;
};

/**
	name ──▶ socket ──▶ (TLS to the proxy) ──▶ CONNECT or SOCKS5 ──▶ TLS to the destination
	           └────────────────────── direct ─────────────────────────▲

The socket is ready to carry a request. Until then nothing of the request has left this machine.
*/
export async function openRoute(destination: Address, route: Route, signal: AbortSignal): Promise<TLSSocket> {
	const peer = destinationPeer(destination, route);
	if (route.proxy) return secure(await openProxied(destination, route.proxy, route, signal), peer, route.trust, route, signal);
	let addresses = await resolve(peer, route, signal);
	for (;;) {
		const socket = await openSocket(peer, addresses, route, signal);
		const {host: used} = remoteOf(socket);
		try {
			return await secure(socket, peer, route.trust, route, signal);
		} catch (error) {
			addresses = addresses.filter(address => address !== used);
			// One site of several may answer and be ill: the next address has its turn.
			if (addresses.length === 0 || signal.aborted || !isBridgeError(error, 'ERR_TLS', 'ERR_CONNECTION_TIMEOUT')) throw error;
		}
	}
}

/** The same without the TLS to the destination: for what brings its own. */
export async function openPlain(destination: Address, route: Route, signal: AbortSignal): Promise<Socket> {
	if (route.proxy) return openProxied(destination, route.proxy, route, signal);
	const peer = destinationPeer(destination, route);
	return openSocket(peer, await resolve(peer, route, signal), route, signal);
}

/** A socket to the proxy, which has not been told yet where it is to lead. */
export async function openToProxy(proxy: ProxyConfig, route: Route, signal: AbortSignal): Promise<Socket> {
	const peer: Peer = {host: proxy.host, port: proxy.port, role: 'proxy'};
	const socket = await openSocket(peer, await resolve(peer, route, signal), route, signal);
	return proxy.protocol === 'https' ? secure(socket, peer, route.proxyTrust, route, signal) : socket;
}

const destinationPeer = (destination: Address, {proxy}: Route): Peer => ({
	...destination,
	role: proxy ? 'destination behind a proxy' : 'destination',
});

async function resolve(peer: Peer, route: Route, signal: AbortSignal): Promise<readonly string[]> {
	if (route.address !== undefined && peer.role === 'destination') return [route.address];
	const lookup = peer.role === 'proxy' ? route.proxyLookup : route.lookup;
	if (isIP(peer.host) !== 0) return lookup(peer.host, route.family, signal);
	return inStage('name', peer, route, signal, limit => lookup(peer.host, route.family, limit), {
		detail: addresses => addresses.slice(0, 8).join(', '),
	});
}

async function openSocket(peer: Peer, addresses: readonly string[], route: Route, signal: AbortSignal): Promise<Socket> {
	const {localAddress} = route;
	return inStage('connection', peer, route, signal, limit => dial(addresses, peer.port, limit, {localAddress}), {
		detail: socket => authority(remoteOf(socket)),
		explain: error => connectError(peer, error),
	});
}

async function openProxied(destination: Address, proxy: ProxyConfig, route: Route, signal: AbortSignal): Promise<Socket> {
	const socket = await openToProxy(proxy, route, signal);
	const peer: Peer = {host: proxy.host, port: proxy.port, role: 'proxy'};
	const target = {...destination, host: route.address ?? destination.host};
	try {
		const authentication = {...route, onStage: (result: StageResult) => reportTunnel(result, proxy, route)};
		return await inStage('proxy', peer, authentication, signal, limit => askForWay(socket, proxy, target, limit));
	} catch (error) {
		socket.destroy();
		throw error;
	}
}

async function askForWay(socket: Socket, proxy: ProxyConfig, target: Address, limit: AbortSignal): Promise<Socket> {
	if (proxy.protocol !== 'socks5') return openTunnel(socket, proxy, target, limit);
	await greet(socket, proxy, limit);
	await connectThrough(socket, proxy, target, limit);
	return socket;
}

/** The proxy asks for credentials and judges them in one exchange with the rest: two stages of one time. */
function reportTunnel(result: StageResult, proxy: ProxyConfig, route: Route): void {
	const {error, ...passed} = result;
	const refusedCredentials = isBridgeError(error, 'ERR_PROXY_AUTHENTICATION');
	observed(refusedCredentials ? passed : result, route);
	const authentication = {...passed, stage: 'proxy_authentication' as const, duration: 0};
	if (refusedCredentials) observed({...authentication, error}, route);
	else if (!error && proxy.username !== undefined) observed(authentication, route);
}
