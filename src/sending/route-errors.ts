import type {PeerCertificate} from 'node:tls';
import {BridgeError} from '../errors.ts';
import {type Address, authority} from './address.ts';

/** Whom a stage talks to. */
export type Peer = Address & {
	readonly role: 'destination' | 'proxy' | 'destination behind a proxy';
};

const nameOf = (peer: Peer) => `${peer.role === 'proxy' ? 'the proxy ' : ''}${authority(peer)}`;
const sentence = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

/** The code of a system or OpenSSL error. */
const codeOf = (error: Error): string => ('code' in error && typeof error.code === 'string' ? error.code : error.name);

const otherWayOut = 'Open the firewall for it, or use a proxy.';

export function connectError(peer: Peer, cause: Error): BridgeError {
	const code = codeOf(cause);
	const advice = peer.role === 'proxy' ? 'Check that the proxy runs and that its address and port are right.' : otherWayOut;
	if (/^(ENOTFOUND|EAI_)/.test(code)) {
		const hint = peer.role === 'proxy' ? '' : ', or use a proxy, which resolves names itself';
		const message = `The name ${peer.host} cannot be resolved (${code}). Check its spelling and this machine's DNS${hint}.`;
		return new BridgeError('ERR_NAME_NOT_FOUND', message, {cause});
	}
	if (code === 'ETIMEDOUT') {
		return new BridgeError('ERR_CONNECTION_TIMEOUT', `${sentence(nameOf(peer))} does not answer (${code}). ${advice}`, {cause});
	}
	const what = code === 'ECONNREFUSED' ? 'refuses the connection' : 'cannot be connected to';
	return new BridgeError('ERR_CONNECTION_REFUSED', `${sentence(nameOf(peer))} ${what} (${code}). ${advice}`, {cause});
}

const unanswered = {
	connection: 'does not answer',
	proxy: 'accepted the connection, but did not answer the request for a tunnel',
	TLS: 'accepted the connection, but did not finish the TLS handshake',
} as const;

/** The stage's own time, the attempt's, or the bridge's is up. In none of them the request has left. */
export function stageTimeout(stage: keyof typeof unanswered, peer: Peer, stageMillis: number, signal: AbortSignal): BridgeError {
	const reason: unknown = signal.reason;
	if (signal.aborted && !(reason instanceof Error && reason.name === 'TimeoutError')) {
		return new BridgeError('ERR_CONNECTION_TIMEOUT', `The way to ${nameOf(peer)} was given up before anything was sent.`);
	}
	const within = signal.aborted ? 'within the time for the attempt' : `within ${stageMillis} ms`;
	const advice = peer.role === 'proxy' ? 'Check the proxy.' : `Something on the way swallows it. ${otherWayOut}`;
	return new BridgeError('ERR_CONNECTION_TIMEOUT', `${sentence(nameOf(peer))} ${unanswered[stage]} ${within}. ${advice}`);
}

// What OpenSSL says when the other side does not speak TLS at all.
const notTls = new Set([
	'ERR_SSL_WRONG_VERSION_NUMBER',
	'ERR_SSL_PACKET_LENGTH_TOO_LONG',
	'ERR_SSL_HTTP_REQUEST',
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
	return new BridgeError('ERR_TLS', `${sentence(nameOf(peer))} ${what} (${code}). ${advice}`, {cause});
}

export function certificateError(peer: Peer, cause: Error, presented: PeerCertificate | undefined): BridgeError {
	const code = codeOf(cause);
	const shown = presented?.subject
		? ` It is for ${distinguished(presented.subject)}, from ${distinguished(presented.issuer)}.`
		: '';
	const message = `The certificate of ${nameOf(peer)} ${verdict(code, peer, presented)} (${code}).${shown} ${advice(code, peer)}`;
	return new BridgeError('ERR_CERTIFICATE', message, {cause});
}

function verdict(code: string, {host}: Peer, presented: PeerCertificate | undefined): string {
	const date = (read: (certificate: PeerCertificate) => string, latest: boolean) => {
		const times = chainOf(presented)
			.map(certificate => Date.parse(read(certificate)))
			.sort((a, b) => a - b);
		const time = times.at(latest ? -1 : 0);
		return time === undefined || Number.isNaN(time) ? '' : ` ${new Date(time).toISOString()}`;
	};
	switch (code) {
		case 'CERT_HAS_EXPIRED':
			return `has expired: it, or one above it, was valid until${date(certificate => certificate.valid_to, false)}`;
		case 'CERT_NOT_YET_VALID':
			return `is not valid yet: it, or one above it, is valid from${date(certificate => certificate.valid_from, true)}`;
		case 'ERR_TLS_CERT_ALTNAME_INVALID':
			return `is not for ${host}`;
		default:
			return 'comes from an authority that is not trusted here';
	}
}

function advice(code: string, {role}: Peer): string {
	if (code === 'CERT_NOT_YET_VALID' || code === 'CERT_HAS_EXPIRED')
		return "Check this machine's clock, and then the other side's certificate.";
	if (role === 'proxy')
		return 'If this is the right proxy, set ca_file of the proxy to the authority that issued its certificate.';
	return (
		'A TLS inspection on the way may have put its own certificate in place: exempt the host from it, ' +
		'or, if its authority is to be trusted, set ca_file of the exporter.'
	);
}

/** The certificate and those above it. The topmost names itself as its issuer. */
function chainOf(presented: PeerCertificate | undefined): readonly PeerCertificate[] {
	const chain = new Set<PeerCertificate>();
	for (let above = presented; above?.valid_to && !chain.has(above) && chain.size < 10; ) {
		chain.add(above);
		above = 'issuerCertificate' in above ? (above.issuerCertificate as PeerCertificate | undefined) : undefined;
	}
	return [...chain];
}

/** `CN=proxy.example, O=Example AG`. Anybody may write anything into a certificate: one line, and not long. */
function distinguished(name: PeerCertificate['subject']): string {
	const parts = ['CN', 'O', 'OU'].flatMap(key => {
		const value = (name as Readonly<Record<string, string | string[] | undefined>>)[key];
		return value === undefined ? [] : [`${key}=${[value].flat().join('+')}`];
	});
	const text = parts.join(', ').replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, ' ');
	return `"${(text || 'no name').slice(0, 200).toWellFormed()}"`;
}
