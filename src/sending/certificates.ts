import {createHash, X509Certificate} from 'node:crypto';
import {checkServerIdentity, type PeerCertificate, rootCertificates} from 'node:tls';
import {BridgeError} from '../errors.ts';
import {authority} from './address.ts';
import type {Trust} from './authorities.ts';
import {codeOf, nameOf, type Peer} from './route-errors.ts';

/** What OpenSSL says when nobody whom we trust stands behind a certificate. */
const unknownAuthority = new Set([
	'SELF_SIGNED_CERT_IN_CHAIN',
	'DEPTH_ZERO_SELF_SIGNED_CERT',
	'UNABLE_TO_GET_ISSUER_CERT',
	'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
	'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
	'CERT_UNTRUSTED',
]);

const isIbm = (host: string): boolean => /(^|\.)ibm\.com\.?$/i.test(host);

export function certificateError(peer: Peer, cause: Error, presented: PeerCertificate | undefined, trust: Trust): BridgeError {
	const code = codeOf(cause);
	if (presented && isInspected(code, peer, presented, trust)) return inspectedError(peer, cause, presented);
	const shown = presented?.subject
		? ` It is for ${distinguished(presented.subject)}, from ${distinguished(presented.issuer)}.`
		: '';
	const message = `The certificate of ${nameOf(peer)} ${verdict(code, peer, presented)} (${code}).${shown} ${advice(code, peer)}`;
	return new BridgeError('ERR_CERTIFICATE', message, {cause, hop: peer.role === 'proxy' ? 'proxy' : undefined});
}

/**
The right name, from somebody whom nobody here knows, where it is known who should vouch for it: IBM's servers have public
certificates, and for others the configuration says whom to trust.
*/
function isInspected(code: string, peer: Peer, presented: PeerCertificate, {own}: Trust): boolean {
	if (peer.role === 'proxy' || !unknownAuthority.has(code)) return false;
	return (isIbm(peer.host) || own.length > 0) && checkServerIdentity(peer.host, presented) === undefined;
}

function inspectedError(peer: Peer, cause: Error, presented: PeerCertificate): BridgeError {
	const whose = isIbm(peer.host) ? "by IBM's CA" : 'by a CA that ca_file names';
	const message =
		`The certificate of ${authority(peer)} is presented by ${issuerOf(presented)}, not ${whose}: ` +
		`exempt this host from TLS inspection (${codeOf(cause)}).`;
	return new BridgeError('ERR_TLS_INSPECTED', message, {cause});
}

/** Who else than a public authority vouches for IBM: a TLS inspection that this machine was told to trust. */
export function inspectedBy(
	presented: PeerCertificate,
	{host, role}: Peer,
	isPublic = (certificate: Buffer) => publicKeys().has(pinOf(certificate)),
): string | undefined {
	if (role === 'proxy' || !isIbm(host)) return undefined;
	return signersOf(presented).some(({raw}) => isPublic(raw)) ? undefined : issuerOf(presented);
}

/** The keys of the public authorities. A key, and not a certificate: an authority may be vouched for by an older one besides. */
let ofPublicAuthorities: ReadonlySet<string> | undefined;

function publicKeys(): ReadonlySet<string> {
	ofPublicAuthorities ??= new Set(rootCertificates.map(certificate => pinOf(Buffer.from(certificate))));
	return ofPublicAuthorities;
}

/** Throws when none of the certificates has a key that is pinned. */
export function checkPins(presented: PeerCertificate | undefined, peer: Peer, {pins}: Trust): void {
	if (pins.length === 0) return;
	const keys = signersOf(presented).map(({raw}) => pinOf(raw));
	if (keys.some(key => pins.includes(key))) return;
	const shown = keys.map(key => `sha256//${key}`).join(', ');
	const message =
		`None of the certificates of ${authority(peer)} has a pinned key: it was shown ${shown || 'none'}, for ${subjectOf(presented)}, ` +
		`from ${issuerOf(presented)}. If the service has a new key, correct pins; otherwise somebody stands between.`;
	throw new BridgeError('ERR_CERTIFICATE_PIN', message);
}

/** SHA-256 of the SubjectPublicKeyInfo, in base64 (RFC 7469, section 2.4). */
export function pinOf(certificate: Buffer): string {
	const key = new X509Certificate(certificate).publicKey.export({type: 'spki', format: 'der'});
	return createHash('sha256').update(key).digest('base64');
}

/**
Unix milliseconds at which the first of the chain ends. One that had ended before `after` was not needed for a chain that is
trusted: some servers still show it.
*/
export function endOfChain(presented: PeerCertificate | undefined, after = Number.NEGATIVE_INFINITY): number | undefined {
	const ends = chainOf(presented).map(certificate => Date.parse(certificate.valid_to));
	const first = Math.min(...ends.filter(end => end > after));
	return Number.isFinite(first) ? first : undefined;
}

const subjectOf = (presented: PeerCertificate | undefined): string =>
	presented?.subject ? distinguished(presented.subject) : 'nobody';

export const issuerOf = (presented: PeerCertificate | undefined): string =>
	presented?.issuer ? distinguished(presented.issuer) : 'nobody';

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
		case 'DEPTH_ZERO_SELF_SIGNED_CERT':
			return 'is signed by nobody but itself';
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

/**
The certificate and those above it, as far as each is signed by the next one: whoever stands between may show a foreign
certificate beside its own, and that has no part in what is trusted.
*/
function signersOf(presented: PeerCertificate | undefined): readonly X509Certificate[] {
	const [first, ...above] = chainOf(presented).map(({raw}) => new X509Certificate(raw));
	const signers = first ? [first] : [];
	for (const next of above) {
		const last = signers.at(-1);
		if (!last || !next.ca || !last.checkIssued(next) || !last.verify(next.publicKey)) break;
		signers.push(next);
	}
	return signers;
}

/** `CN=proxy.example, O=Example AG`. Anybody may write anything into a certificate: one line, and not long. */
function distinguished(name: PeerCertificate['subject']): string {
	const parts = ['CN', 'O', 'OU'].flatMap(key => {
		const value = (name as Readonly<Record<string, string | string[] | undefined>>)[key];
		return value === undefined ? [] : [`${key}=${[value].flat().join('+')}`];
	});
	const text = parts.join(', ').replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ');
	return `"${(text || 'no name').slice(0, 200).toWellFormed()}"`;
}
