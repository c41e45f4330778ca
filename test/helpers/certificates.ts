import 'reflect-metadata';
import {webcrypto} from 'node:crypto';
import {isIP} from 'node:net';
import {
	BasicConstraintsExtension,
	ExtendedKeyUsage,
	ExtendedKeyUsageExtension,
	type JsonGeneralName,
	KeyUsageFlags,
	KeyUsagesExtension,
	SubjectAlternativeNameExtension,
	X509CertificateGenerator,
} from '@peculiar/x509';

const algorithm = {name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256'};
const hour = 3_600_000;

export type Authority = {
	readonly name: string;
	/** PEM, for `ca_file` and its like. */
	readonly certificate: string;
	readonly keys: webcrypto.CryptoKeyPair;
};
/** PEM, both. */
export type Issued = {readonly certificate: string; readonly key: string};

export type Wish = {
	readonly commonName: string;
	/** Names and addresses that the certificate is good for. */
	readonly hosts?: readonly string[];
	readonly notBefore?: Date;
	readonly notAfter?: Date;
	/** For a client instead of a server. */
	readonly client?: boolean;
};

const makeKeys = () => webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
const validity = ({notBefore = new Date(Date.now() - hour), notAfter = new Date(Date.now() + 24 * hour)}: Partial<Wish>) => ({
	notBefore,
	notAfter,
});

/** A certificate authority for one test. */
export async function makeAuthority(name: string): Promise<Authority> {
	const keys = await makeKeys();
	const certificate = await X509CertificateGenerator.createSelfSigned({
		name: [{CN: [name]}],
		keys,
		signingAlgorithm: algorithm,
		...validity({}),
		extensions: [
			new BasicConstraintsExtension(true, undefined, true),
			new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
		],
	});
	return {name, certificate: certificate.toString('pem'), keys};
}

/** A certificate of the authority with a key of its own. An expired one has a `notAfter` in the past. */
export async function issue(authority: Authority, wish: Wish): Promise<Issued> {
	const keys = await makeKeys();
	const names = (wish.hosts ?? []).map((host): JsonGeneralName => ({type: isIP(host) ? 'ip' : 'dns', value: host}));
	const certificate = await X509CertificateGenerator.create({
		subject: [{CN: [wish.commonName]}],
		issuer: [{CN: [authority.name]}],
		publicKey: keys.publicKey,
		signingKey: authority.keys.privateKey,
		signingAlgorithm: algorithm,
		...validity(wish),
		extensions: [
			new BasicConstraintsExtension(false, undefined, true),
			new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
			new ExtendedKeyUsageExtension([wish.client ? ExtendedKeyUsage.clientAuth : ExtendedKeyUsage.serverAuth]),
			...(names.length > 0 ? [new SubjectAlternativeNameExtension(names)] : []),
		],
	});
	return {certificate: certificate.toString('pem'), key: await pemOf(keys.privateKey)};
}

/** A certificate that nobody but itself vouches for. */
export async function issueSelfSigned({commonName, hosts = [commonName], ...wish}: Wish): Promise<Issued> {
	const keys = await makeKeys();
	const names = hosts.map((host): JsonGeneralName => ({type: isIP(host) ? 'ip' : 'dns', value: host}));
	const certificate = await X509CertificateGenerator.createSelfSigned({
		name: [{CN: [commonName]}],
		keys,
		signingAlgorithm: algorithm,
		...validity(wish),
		extensions: [new SubjectAlternativeNameExtension(names)],
	});
	return {certificate: certificate.toString('pem'), key: await pemOf(keys.privateKey)};
}

async function pemOf(key: webcrypto.CryptoKey): Promise<string> {
	const bytes = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key));
	const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
	return ['-----BEGIN PRIVATE KEY-----', ...lines, '-----END PRIVATE KEY-----', ''].join('\n');
}
