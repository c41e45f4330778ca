import {generateKeyPairSync} from 'node:crypto';
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import {BridgeError} from '../../src/errors.ts';
import {parsePublicKey, readPublicKeys, signerOf, signWith} from '../../src/updates/keys.ts';
import {temporaryDirectory} from '../helpers/listen.ts';
import {makeKeyPair, pemOf} from '../helpers/update-server.ts';

const pair = makeKeyPair();
const der = pair.publicKey.export({format: 'der', type: 'spki'});
const privatePem = pair.privateKey.export({format: 'pem', type: 'pkcs8'}).toString();

test('a key is the same in each of its forms', t => {
	const {id} = parsePublicKey(pemOf(pair), 'key.pem');
	t.regex(id, /^[0-9a-f]{16}$/);
	t.is(parsePublicKey(der.subarray(-32).toString('base64'), 'key').id, id);
	t.is(parsePublicKey(der.toString('base64'), 'key').id, id);
});

const {publicKey: rsa} = generateKeyPairSync('rsa', {modulusLength: 2048});
const {publicKey: x25519} = generateKeyPairSync('x25519');
const bad: [title: string, text: string, message: RegExp][] = [
	['an empty file', '', /not an Ed25519 public key/],
	['a key of RSA', rsa.export({format: 'pem', type: 'spki'}).toString(), /not an Ed25519 public key/],
	['a key of X25519', x25519.export({format: 'pem', type: 'spki'}).toString(), /not an Ed25519 public key/],
	['half a key', der.subarray(-16).toString('base64'), /not an Ed25519 public key/],
	['a private key', privatePem, /private key.*Name its public half/],
];
for (const [title, text, message] of bad) {
	test(`${title} is no public key`, t => {
		const error = t.throws(() => parsePublicKey(text.trim(), 'key.pem'), {instanceOf: BridgeError, message});
		t.is(error.code, 'ERR_CONFIG');
		t.false(error.message.includes(privatePem.slice(40, 60)));
	});
}

test('a file that is missing or endless is named', async t => {
	const directory = await temporaryDirectory(t);
	t.throws(() => readPublicKeys([join(directory, 'none.pem')]), {message: /public_key_file: .*none\.pem cannot be read/});
	writeFileSync(join(directory, 'long.pem'), 'A'.repeat(20_000));
	t.throws(() => readPublicKeys([join(directory, 'long.pem')]), {message: /too long for a key/});
});

test('what is signed is known again by its public key, and no other text is', async t => {
	const file = join(await temporaryDirectory(t), 'private.pem');
	writeFileSync(file, privatePem);
	const bytes = Buffer.from('manifest');
	const {signature, publicKey, id} = signWith(file, bytes);
	const keys = [parsePublicKey(publicKey, 'key')];
	t.is(signerOf(bytes, signature, keys)?.id, id);
	t.is(signerOf(Buffer.from('manifests'), signature, keys), undefined);
	t.is(signerOf(bytes, signature, []), undefined);
});

test('nothing of a file that is no private key is said', async t => {
	const file = join(await temporaryDirectory(t), 'private.pem');
	writeFileSync(file, `${privatePem.slice(0, 60)}geheim`);
	const error = t.throws(() => signWith(file, Buffer.from('')), {instanceOf: BridgeError});
	t.is(error.code, 'ERR_USAGE');
	t.false(`${error.stack}${error.cause}`.includes('geheim'));
});

test('any text is a key or a fault of the configuration', t => {
	const outcome = (text: string) => {
		try {
			return parsePublicKey(text, 'key').id.length === 16;
		} catch (error) {
			return error instanceof BridgeError && error.code === 'ERR_CONFIG';
		}
	};
	fc.assert(fc.property(fc.string(), outcome));
	fc.assert(fc.property(fc.uint8Array({minLength: 30, maxLength: 50}), bytes => outcome(Buffer.from(bytes).toString('base64'))));
	t.pass();
});
