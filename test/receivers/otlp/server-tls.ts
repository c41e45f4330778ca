import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {type ConnectionOptions, connect} from 'node:tls';
import test, {type ExecutionContext} from 'ava';
import {Client} from 'undici';
import type {OtlpReceiverParts} from '../../../src/receivers/otlp/server.ts';
import {type Authority, type Issued, issue, makeAuthority} from '../../helpers/certificates.ts';
import {eventually, temporaryDirectory} from '../../helpers/listen.ts';
import {bodyOf, converse, startIntake} from '../../helpers/otlp-intake.ts';

async function filesOf(t: ExecutionContext, texts: Record<string, string>): Promise<Record<string, string>> {
	const directory = await temporaryDirectory(t);
	const entries = Object.entries(texts).map(([name, text]) => [name, text, join(directory, name)] as const);
	await Promise.all(entries.map(([, text, path]) => writeFile(path, text)));
	return Object.fromEntries(entries.map(([name, , path]) => [name, path]));
}

async function startSecureIntake(t: ExecutionContext, {mutual = false} = {}, parts: Partial<OtlpReceiverParts> = {}) {
	const authority = await makeAuthority('Test authority');
	const {certificate, key} = await issue(authority, {commonName: 'bridge', hosts: ['127.0.0.1', 'localhost']});
	const files = await filesOf(t, {'cert.pem': certificate, 'key.pem': key, 'ca.pem': authority.certificate});
	const tls = {
		cert_file: files['cert.pem'] ?? '',
		key_file: files['key.pem'] ?? '',
		...(mutual && {client_ca_file: files['ca.pem'] ?? ''}),
	};
	return {authority, ...(await startIntake(t, {tls}, parts))};
}

async function send(url: URL, authority: Authority, client?: Issued): Promise<number> {
	const connection = new Client(url, {connect: {ca: authority.certificate, cert: client?.certificate, key: client?.key}});
	try {
		const body = bodyOf({selected: ['a']});
		const reply = await connection.request({
			method: 'POST',
			path: '/v1/logs',
			headers: {'content-type': 'application/json'},
			body,
		});
		return reply.statusCode;
	} finally {
		await connection.destroy();
	}
}

test('serves over TLS, and says so in its address', async t => {
	const {url, authority, consumed} = await startSecureIntake(t);
	t.is(url.protocol, 'https:');
	t.is(await send(url, authority), 200);
	t.deepEqual(consumed, ['a']);
});

test('TLS 1.1 is not spoken', async t => {
	const {url, authority} = await startSecureIntake(t);
	const shake = (options: ConnectionOptions) =>
		new Promise<string | undefined>((resolve, reject) => {
			const socket = connect({host: url.hostname, port: Number(url.port), ca: authority.certificate, ...options});
			t.teardown(() => socket.destroy());
			socket.once('secureConnect', () => resolve(socket.getProtocol() ?? undefined)).once('error', reject);
		});
	t.is(await shake({maxVersion: 'TLSv1.2'}), 'TLSv1.2');
	// The client would speak it: at security level 0 its own OpenSSL allows it.
	await t.throwsAsync(shake({minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0'}));
});

test('with client_ca_file a client with a certificate of that authority is served', async t => {
	const {url, authority, consumed} = await startSecureIntake(t, {mutual: true});
	t.is(await send(url, authority, await issue(authority, {commonName: 'collector', client: true})), 200);
	t.deepEqual(consumed, ['a']);
});

test('with client_ca_file nobody else is, and the log says why', async t => {
	const {url, authority, consumed, logged} = await startSecureIntake(t, {mutual: true});
	const stranger = await makeAuthority('Another authority');
	const clients = {
		none: undefined,
		strange: await issue(stranger, {commonName: 'collector', client: true}),
		expired: await issue(authority, {commonName: 'collector', client: true, notAfter: new Date(Date.now() - 1000)}),
		server: await issue(authority, {commonName: 'collector'}),
	};
	for (const [name, client] of Object.entries(clients)) {
		await t.throwsAsync(send(url, authority, client), undefined, name);
	}
	t.deepEqual(consumed, []);
	t.true(await eventually(() => logged.some(text => /TLS handshake with 127\.0\.0\.1 failed/.test(text))));
});

test('plain HTTP to the TLS port gets nothing', async t => {
	const {url, authority, consumed} = await startSecureIntake(t);
	await t.throwsAsync(send(new URL(url.href.replace('https:', 'http:')), authority));
	t.deepEqual(consumed, []);
});

test('shutdown does not wait for a handshake that never comes', async t => {
	const {url, receiver} = await startSecureIntake(t, {}, {drainMillis: 100});
	const client = await converse(t, url);
	const started = Date.now();
	await receiver.shutdown();
	await client.closed;
	t.true(Date.now() - started < 3000);
});

test('a file that is missing or is no certificate stops the start, by its config key', async t => {
	const files = await filesOf(t, {'no.pem': 'not a certificate'});
	const bad = files['no.pem'] ?? '';
	const missing = `${bad}.missing`;
	await t.throwsAsync(startIntake(t, {tls: {cert_file: missing, key_file: bad}}), {
		code: 'ERR_CONFIG',
		message: /receivers\.otlp\.tls\.cert_file: ENOENT/,
	});
	await t.throwsAsync(startIntake(t, {tls: {cert_file: bad, key_file: bad}}), {
		code: 'ERR_CONFIG',
		message: /receivers\.otlp\.tls: /,
	});
});
