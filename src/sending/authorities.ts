import {X509Certificate} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {createSecureContext, getCACertificates, type SecureContext} from 'node:tls';
import {BridgeError} from '../errors.ts';

/** Whom one side of a connection has to be vouched for by. */
export type Trust = {
	readonly context: SecureContext;
	/** PEM certificates that the configuration adds to the public authorities and to those of this machine. */
	readonly own: readonly string[];
	/** SHA-256 of the public key (SubjectPublicKeyInfo) of a certificate that has to be in the chain, in base64. None: any chain. */
	readonly pins: readonly string[];
};

const pemCertificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The certificates in a PEM file. A file that cannot be read, or has none, is a fault of the configuration. */
export function readAuthorities(file: string): readonly string[] {
	const text = readConfigured(file);
	const certificates = certificatesIn(text);
	if (certificates.length === 0) {
		throw new BridgeError('ERR_CONFIG', `ca_file ${file} has no certificate in PEM form in it`);
	}
	for (const certificate of certificates) checkCertificate(certificate, file);
	return certificates;
}

export const certificatesIn = (pem: string): readonly string[] => pem.match(pemCertificate) ?? [];

function readConfigured(file: string): string {
	try {
		return readFileSync(file, 'utf8');
	} catch (cause) {
		throw new BridgeError('ERR_CONFIG', `ca_file ${file} cannot be read`, {cause});
	}
}

function checkCertificate(certificate: string, file: string): void {
	try {
		new X509Certificate(certificate);
	} catch (cause) {
		throw new BridgeError('ERR_CONFIG', `ca_file ${file} has a certificate in it that cannot be read`, {cause});
	}
}

/** What this machine trusts beyond Node's own list, which most systems' lists repeat. Read once: a list is long. */
let ofThisMachine: readonly string[] | undefined;

export function machineAuthorities(): readonly string[] {
	if (!ofThisMachine) {
		const known = new Set(getCACertificates('default').map(body));
		ofThisMachine = getCACertificates('system').filter(certificate => !known.has(body(certificate)));
	}
	return ofThisMachine;
}

/** A certificate without what surrounds it: lists break their lines as they like. */
export const body = (pem: string): string => pem.replaceAll(/-----[^-]+-----|\s/g, '');

/** What is trusted: Node's own list, that of this machine, and the given authorities. TLS 1.2 or newer. */
export function trusting(own: readonly string[], pins: readonly string[] = []): Trust {
	const added = [...machineAuthorities(), ...own];
	const context = createSecureContext({
		minVersion: 'TLSv1.2',
		// Without any of our own the default stays, which Node has read already.
		...(added.length > 0 && {ca: [...getCACertificates('default'), ...added]}),
	});
	return {context, own, pins};
}
