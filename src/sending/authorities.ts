import {X509Certificate} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {createSecureContext, getCACertificates, type SecureContext} from 'node:tls';
import {BridgeError} from '../errors.ts';

const pemCertificate = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The certificates in a PEM file. A file that cannot be read, or has none, is a fault of the configuration. */
export function readAuthorities(file: string): readonly string[] {
	const text = readConfigured(file);
	const certificates = text.match(pemCertificate) ?? [];
	if (certificates.length === 0) {
		throw new BridgeError('ERR_CONFIG', `ca_file ${file} has no certificate in PEM form in it`);
	}
	for (const certificate of certificates) checkCertificate(certificate, file);
	return certificates;
}

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

/** What is trusted: what Node trusts by default, and the given authorities. */
export const trusting = (authorities: readonly string[]): SecureContext =>
	createSecureContext({
		minVersion: 'TLSv1.2',
		// Without any of our own the default stays, which Node has read already.
		...(authorities.length > 0 && {ca: [...getCACertificates('default'), ...authorities]}),
	});
