import type {Stage} from '../attempt.ts';
import {BridgeError} from '../errors.ts';
import {type Address, authority} from './address.ts';

/** Whom a stage talks to. */
export type Peer = Address & {
	readonly role: 'destination' | 'proxy' | 'destination behind a proxy';
};

export const nameOf = (peer: Peer) => `${peer.role === 'proxy' ? 'the proxy ' : ''}${authority(peer)}`;
const sentence = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

/** The code of a system or OpenSSL error. */
export const codeOf = (error: Error): string => ('code' in error && typeof error.code === 'string' ? error.code : error.name);

const otherWayOut = 'Open the firewall for it, or use a proxy.';

/** What lies behind a proxy cannot be reached when the proxy cannot. */
const hopOf = ({role}: Peer) => (role === 'proxy' ? ('proxy' as const) : undefined);

export function connectError(peer: Peer, cause: Error): BridgeError {
	const code = codeOf(cause);
	const options = {cause, hop: hopOf(peer)};
	if (code === 'EADDRNOTAVAIL' || ('syscall' in cause && cause.syscall === 'bind')) {
		const message = `No connection to ${nameOf(peer)} can leave from the address that is set for it (${code}). Check local_address and interface.`;
		return new BridgeError('ERR_NOT_CONFIGURED', message, {cause, hop: 'proxy'});
	}
	const advice = peer.role === 'proxy' ? 'Check that the proxy runs and that its address and port are right.' : otherWayOut;
	if (code === 'ETIMEDOUT') {
		return new BridgeError('ERR_CONNECTION_TIMEOUT', `${sentence(nameOf(peer))} does not answer (${code}). ${advice}`, options);
	}
	const what = code === 'ECONNREFUSED' ? 'refuses the connection' : 'cannot be connected to';
	return new BridgeError('ERR_CONNECTION_REFUSED', `${sentence(nameOf(peer))} ${what} (${code}). ${advice}`, options);
}

const unanswered: Partial<Record<Stage, string>> = {
	connection: 'does not answer',
	proxy: 'accepted the connection, but did not answer the request for a tunnel',
	proxy_tls: 'accepted the connection, but did not finish the TLS handshake',
	tls: 'accepted the connection, but did not finish the TLS handshake',
};

/** The stage's own time, the attempt's, or the bridge's is up. In none of them the request has left. */
export function stageTimeout(stage: Stage, peer: Peer, stageMillis: number, signal: AbortSignal): BridgeError {
	const reason: unknown = signal.reason;
	const hop = hopOf(peer);
	if (signal.aborted && !(reason instanceof Error && reason.name === 'TimeoutError')) {
		return new BridgeError('ERR_CONNECTION_TIMEOUT', `The way to ${nameOf(peer)} was given up before anything was sent.`, {hop});
	}
	const within = signal.aborted ? 'within the time for the attempt' : `within ${stageMillis} ms`;
	if (stage === 'name') {
		const message = `The name ${peer.host} cannot be resolved: no DNS server answers ${within}. Check this machine's DNS servers.`;
		return new BridgeError('ERR_NAME_NOT_FOUND', message, {hop});
	}
	const advice =
		peer.role === 'proxy' ? 'Check the proxy: it is down or busy.' : `Something on the way swallows it. ${otherWayOut}`;
	return new BridgeError('ERR_CONNECTION_TIMEOUT', `${sentence(nameOf(peer))} ${unanswered[stage]} ${within}. ${advice}`, {hop});
}

// What OpenSSL says when the other side does not speak TLS at all.
const notTls = new Set([
	'ERR_SSL_WRONG_VERSION_NUMBER',
	'ERR_SSL_PACKET_LENGTH_TOO_LONG',
	'ERR_SSL_HTTP_REQUEST',
	'ERR_SSL_HTTPS_PROXY_REQUEST',
	'ERR_SSL_RECORD_LAYER_FAILURE',
]);

export function tlsError(peer: Peer, cause: Error): BridgeError {
	const code = codeOf(cause);
	if (notTls.has(code) && peer.role === 'destination behind a proxy') {
		const message = `The proxy granted a tunnel to ${nameOf(peer)}, but what came through it is not TLS (${code}). Check what the proxy does with CONNECT.`;
		return new BridgeError('ERR_PROXY_REFUSED', message, {cause});
	}
	const isCut = code === 'ECONNRESET' || code === 'EPIPE';
	const what = isCut ? 'closed the connection during the TLS handshake' : 'and this machine agree on no TLS';
	const advice = isCut ? 'A firewall may cut what it does not know: exempt the host.' : 'TLS 1.2 or later is needed.';
	return new BridgeError('ERR_TLS', `${sentence(nameOf(peer))} ${what} (${code}). ${advice}`, {cause, hop: hopOf(peer)});
}
