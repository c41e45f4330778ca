import {createPrivateKey, generateKeyPairSync, type KeyObject, X509Certificate} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {chmod, mkdir, rename, writeFile} from 'node:fs/promises';
import {join} from 'node:path';

/** PEM texts. */
export type Identity = {readonly key: string; readonly cert: string};
export type Certificates = {readonly caFile: string; readonly server: Identity; readonly expired: Identity};

const dayMillis = 86_400_000;
const days = {
	authority: 3650,
	server: 825, // Some platforms trust no server certificate that lives longer.
	renewal: 365, // Long enough for a sandbox that is not restarted for a year.
};
const hostNames = ['localhost', 'esupport.ibm.com'];
const addresses = ['127.0.0.1', '::1'];
const curve = {name: 'ECDSA', namedCurve: 'P-256'};

export const caFileIn = (directory: string): string => join(directory, 'ca.pem');

/**
The sandbox's own CA and what it has signed, from the directory; what is missing, damaged or about to expire is made anew. The
CA stays as long as it can, so that clients which trust it need not be told again.
*/
export async function ensureCertificates(directory: string, now = Date.now()): Promise<Certificates> {
	await mkdir(directory, {recursive: true, mode: 0o700});
	await chmod(directory, 0o700);
	const authority = readAuthority(directory, now) ?? (await renewAuthority(directory, now));
	if (!isServerGood(directory, authority, now)) await renewServer(directory, authority, now);
	const read = (name: string) => readFileSync(join(directory, name), 'utf8');
	const key = read('server.key');
	return {caFile: caFileIn(directory), server: {key, cert: read('server.pem')}, expired: {key, cert: read('expired.pem')}};
}

type Authority = {readonly certificate: X509Certificate; readonly key: KeyObject};

function readAuthority(directory: string, now: number): Authority | undefined {
	return unlessDamaged(() => {
		const certificate = readCertificate(directory, 'ca.pem');
		const key = readKey(directory, 'ca.key');
		const isGood = certificate.ca && certificate.verify(certificate.publicKey) && certificate.checkPrivateKey(key);
		// It must outlive every certificate that it may still sign.
		return isGood && isValid(certificate, now, days.server) ? {certificate, key} : undefined;
	});
}

function isServerGood(directory: string, {certificate: issuer}: Authority, now: number): boolean {
	const isGood = unlessDamaged(() => {
		const key = readKey(directory, 'server.key');
		const [server, expired] = [readCertificate(directory, 'server.pem'), readCertificate(directory, 'expired.pem')];
		const areOurs = [server, expired].every(
			certificate => certificate.verify(issuer.publicKey) && certificate.checkPrivateKey(key),
		);
		const isNamed = hostNames.every(name => server.checkHost(name)) && addresses.every(address => server.checkIP(address));
		return areOurs && isNamed && isValid(server, now, days.renewal) && expired.validToDate.getTime() < now;
	});
	return isGood ?? false;
}

function unlessDamaged<T>(read: () => T): T | undefined {
	try {
		return read();
	} catch {
		return undefined;
	}
}

const readCertificate = (directory: string, name: string) => new X509Certificate(readFileSync(join(directory, name)));
const readKey = (directory: string, name: string) => createPrivateKey(readFileSync(join(directory, name)));

const isValid = (certificate: X509Certificate, now: number, daysLeft: number): boolean =>
	certificate.validFromDate.getTime() <= now && certificate.validToDate.getTime() > now + daysLeft * dayMillis;

/** Loaded only when something is to be signed: it takes longer than the rest of the start. */
async function loadX509() {
	await import('reflect-metadata');
	return import('@peculiar/x509');
}

const newKeys = () => generateKeyPairSync('ec', {namedCurve: curve.namedCurve});
const signingKey = (key: KeyObject) => key.toCryptoKey(curve, true, ['sign']);
const verifyingKey = (key: KeyObject) => key.toCryptoKey(curve, true, ['verify']);
const validity = (from: number, to: number) => ({notBefore: new Date(from), notAfter: new Date(to)});

async function renewAuthority(directory: string, now: number): Promise<Authority> {
	const x509 = await loadX509();
	const keys = newKeys();
	const publicKey = verifyingKey(keys.publicKey);
	const certificate = await x509.X509CertificateGenerator.createSelfSigned({
		name: 'CN=Callhome Bridge sandbox CA',
		keys: {publicKey, privateKey: signingKey(keys.privateKey)},
		signingAlgorithm: {name: 'ECDSA', hash: 'SHA-256'},
		...validity(now - dayMillis, now + days.authority * dayMillis),
		extensions: [
			new x509.BasicConstraintsExtension(true, 0, true),
			new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
			await x509.SubjectKeyIdentifierExtension.create(publicKey),
		],
	});
	await replace(directory, 'ca.key', pemOf(keys.privateKey), 0o600);
	await replace(directory, 'ca.pem', certificate.toString('pem'), 0o644);
	return {certificate: new X509Certificate(certificate.toString('pem')), key: keys.privateKey};
}

async function renewServer(directory: string, authority: Authority, now: number) {
	const keys = newKeys();
	const [from, to] = [now - dayMillis, now + days.server * dayMillis];
	await replace(directory, 'server.key', pemOf(keys.privateKey), 0o600);
	await replace(directory, 'server.pem', await signServer(authority, keys.publicKey, from, to), 0o644);
	await replace(directory, 'expired.pem', await signServer(authority, keys.publicKey, now - 30 * dayMillis, from), 0o644);
}

async function signServer(authority: Authority, serverKey: KeyObject, from: number, to: number): Promise<string> {
	const x509 = await loadX509();
	const publicKey = verifyingKey(serverKey);
	const certificate = await x509.X509CertificateGenerator.create({
		subject: 'CN=Callhome Bridge sandbox',
		issuer: new x509.X509Certificate(authority.certificate.raw).subjectName,
		publicKey,
		signingKey: signingKey(authority.key),
		signingAlgorithm: {name: 'ECDSA', hash: 'SHA-256'},
		...validity(from, to),
		extensions: [
			new x509.BasicConstraintsExtension(false, undefined, true),
			new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
			new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
			new x509.SubjectAlternativeNameExtension([
				...hostNames.map(value => ({type: 'dns' as const, value})),
				...addresses.map(value => ({type: 'ip' as const, value})),
			]),
			await x509.SubjectKeyIdentifierExtension.create(publicKey),
			await x509.AuthorityKeyIdentifierExtension.create(verifyingKey(authority.certificate.publicKey)),
		],
	});
	return certificate.toString('pem');
}

const pemOf = (key: KeyObject): string => key.export({type: 'pkcs8', format: 'pem'}).toString();

/** In one step: a start that is interrupted leaves the old file or the new one. */
async function replace(directory: string, name: string, text: string, mode: number) {
	const file = join(directory, name);
	const fresh = `${file}.${process.pid}.new`;
	await writeFile(fresh, text.endsWith('\n') ? text : `${text}\n`, {mode: 0o600});
	await chmod(fresh, mode);
	await rename(fresh, file);
}
