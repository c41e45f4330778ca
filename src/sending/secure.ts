import {once} from 'node:events';
import {isIP, type Socket} from 'node:net';
import {connect as connectTls, type PeerCertificate, type TLSSocket} from 'node:tls';
import type {BridgeError} from '../errors.ts';
import type {Trust} from './authorities.ts';
import {certificateError, checkPins, endOfChain, inspectedBy, issuerOf} from './certificates.ts';
import {codeOf, type Peer, tlsError} from './route-errors.ts';
import {inStage, type StageLimits} from './stage.ts';

/** TLS over an open socket. Verified, always: against what is trusted, against the name, and against the pins if there are any. */
export async function secure(
	socket: Socket,
	peer: Peer,
	trust: Trust,
	limits: StageLimits,
	signal: AbortSignal,
): Promise<TLSSocket> {
	const handshake = begin(socket, peer, trust);
	const stage = peer.role === 'proxy' ? 'proxy_tls' : 'tls';
	try {
		return await inStage(stage, peer, limits, signal, limit => handshake.done(limit), {
			seen: opened => seen(opened, handshake.presented(), peer),
			failed: error => ended(error, handshake.presented()),
			explain: error =>
				handshake.isUnverified() ? certificateError(peer, error, handshake.presented(), trust) : tlsError(peer, error),
		});
	} catch (error) {
		socket.destroy();
		throw error;
	}
}

function begin(socket: Socket, peer: Peer, trust: Trust) {
	let presented: PeerCertificate | undefined;
	let opened: TLSSocket | undefined;
	async function done(limit: AbortSignal): Promise<TLSSocket> {
		const secured = connectTls({
			socket,
			secureContext: trust.context,
			host: peer.host,
			...(isIP(peer.host) === 0 && {servername: peer.host}),
			ALPNProtocols: ['http/1.1'],
			rejectUnauthorized: true,
		});
		opened = secured;
		// Once the verification has failed the certificate is gone with the socket, and it is what an operator has to see.
		secured.prependOnceListener('secure', () => {
			presented = secured.getPeerCertificate(true);
		});
		await settled(secured, 'secureConnect', limit);
		if (peer.role !== 'proxy') checkPins(presented, peer, trust);
		return secured;
	}
	return {done, presented: () => presented, isUnverified: () => Boolean(opened?.authorizationError)};
}

/** Waits for the event. When it does not come, the socket goes. */
async function settled(socket: TLSSocket, event: string, limit: AbortSignal): Promise<void> {
	try {
		await once(socket, event, {signal: limit});
		socket.on('error', () => {}); // Between two stages nobody listens; the next one finds the socket destroyed.
	} catch (error) {
		socket.on('error', () => {}).destroy();
		throw error;
	}
}

/** An end in the past is an end as well. */
function ended({cause}: BridgeError, presented: PeerCertificate | undefined) {
	const end = cause instanceof Error && codeOf(cause) === 'CERT_HAS_EXPIRED' ? endOfChain(presented) : undefined;
	return end === undefined ? {} : {certificateEnd: end};
}

function seen(opened: TLSSocket, presented: PeerCertificate | undefined, peer: Peer) {
	const inspector = presented && inspectedBy(presented, peer);
	const end = endOfChain(presented, Date.now());
	const issuer = issuerOf(presented);
	return {
		detail: `${opened.getProtocol() ?? 'TLS'}, certificate from ${issuer}`,
		...(end !== undefined && {certificateEnd: end}),
		...(inspector !== undefined && {
			warning:
				`The certificate is presented by ${inspector}, not by an authority that IBM uses: a TLS inspection on the way reads what is sent. ` +
				`IBM does not support that: exempt ${peer.host} from it.`,
		}),
	};
}
