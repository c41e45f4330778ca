import {createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {BridgeError, type BridgeErrorCode, toError} from '../errors.ts';

export type PublicKey = {
	/** The first 16 hexadecimal digits of the SHA-256 of the 32 bytes: what people compare. */
	readonly id: string;
	readonly key: KeyObject;
};

/** What stands before the 32 bytes of an Ed25519 key in SubjectPublicKeyInfo (RFC 8410). */
const spkiHead = Buffer.from('302a300506032b6570032100', 'hex');
/** A larger file is no key. */
const maxLength = 16 * 1024;

/** The keys of these files; ERR_CONFIG names the file that has none. */
export const readPublicKeys = (files: readonly string[]): readonly PublicKey[] =>
	files.map(file => parsePublicKey(readKeyFile(file, 'public_key_file', 'ERR_CONFIG'), file));

function readKeyFile(file: string, setting: string, code: BridgeErrorCode): string {
	try {
		const text = readFileSync(file, 'utf8');
		if (text.length <= maxLength) return text.trim();
	} catch (cause) {
		throw new BridgeError(code, `${setting}: ${file} cannot be read: ${toError(cause).message}`, {cause});
	}
	throw new BridgeError(code, `${setting}: ${file} is too long for a key`);
}

/** PEM, or the 32 bytes or the DER form of it in base64. Nothing of the file's text gets into a message. */
export function parsePublicKey(text: string, file: string): PublicKey {
	if (text.includes('PRIVATE KEY')) {
		const message = `public_key_file: ${file} has a private key in it: that one belongs only where updates are signed. Name its public half.`;
		throw new BridgeError('ERR_CONFIG', message);
	}
	const key = importPublicKey(text);
	if (key?.asymmetricKeyType === 'ed25519') return {id: idOf(key), key};
	const message = `public_key_file: ${file} is not an Ed25519 public key in PEM or base64`;
	throw new BridgeError('ERR_CONFIG', message);
}

function importPublicKey(text: string): KeyObject | undefined {
	try {
		if (text.startsWith('-----')) return createPublicKey(text);
		const bytes = decodeBase64(text);
		const der = bytes?.length === 32 ? Buffer.concat([spkiHead, bytes]) : bytes;
		return der && createPublicKey({key: der, format: 'der', type: 'spki'});
	} catch {
		return undefined;
	}
}

const rawOf = (key: KeyObject): Buffer => key.export({format: 'der', type: 'spki'}).subarray(spkiHead.length);
const idOf = (key: KeyObject): string => createHash('sha256').update(rawOf(key)).digest('hex').slice(0, 16);

/** Only what an encoder would write: each signature has one text, so that no changed character goes unnoticed. */
function decodeBase64(text: string): Buffer | undefined {
	const bytes = Buffer.from(text, 'base64');
	return bytes.toString('base64') === text ? bytes : undefined;
}

/** The key that signed these bytes, if it is one of `keys`. The signature is base64, with one line end or none. */
export function signerOf(bytes: Buffer, signature: string, keys: readonly PublicKey[]): PublicKey | undefined {
	const decoded = decodeBase64(signature.replace(/\r?\n$/, ''));
	return decoded?.length === 64 ? keys.find(({key}) => verify(null, bytes, key, decoded)) : undefined;
}

/** Signs with the private key of a PEM file. For those who run an update server. */
export function signWith(
	file: string,
	bytes: Buffer,
): {readonly signature: string; readonly publicKey: string; readonly id: string} {
	const key = importPrivateKey(readKeyFile(file, '--key', 'ERR_USAGE'), file);
	const publicKey = createPublicKey(key);
	return {
		signature: `${sign(null, bytes, key).toString('base64')}\n`,
		publicKey: rawOf(publicKey).toString('base64'),
		id: idOf(publicKey),
	};
}

/** Without the cause: it might quote the file. */
function importPrivateKey(text: string, file: string): KeyObject {
	try {
		const key = createPrivateKey(text);
		if (key.asymmetricKeyType === 'ed25519') return key;
	} catch {
		// Said below.
	}
	throw new BridgeError('ERR_USAGE', `--key: ${file} is not an Ed25519 private key in PEM without a passphrase`);
}
