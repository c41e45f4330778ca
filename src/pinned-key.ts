import {hash, X509Certificate} from 'node:crypto';
import type {TLSSocket} from 'node:tls';
import {BridgeError} from './errors.ts';

/** What is wrong with the key that the other side shows, or undefined when it is the pinned one. */
export function pinFault(url: string, socket: TLSSocket, pin: string): BridgeError | undefined {
	const {raw} = socket.getPeerCertificate();
	const key = raw && new X509Certificate(raw).publicKey.export({type: 'spki', format: 'der'});
	const shown = key ? hash('sha256', key, 'base64') : 'none';
	if (shown === pin) return undefined;
	return new BridgeError('ERR_CERTIFICATE_PIN', `${url} shows another key than the pinned one: sha256//${shown}`);
}
