import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {connect} from 'node:net';
import test, {type ExecutionContext} from 'ava';
import {issue} from '../helpers/certificates.ts';
import {startConnectProxy} from '../helpers/connect-proxy.ts';
import {listenSocket, listenTls} from '../helpers/tls-server.ts';
import {authority, direct, echo, failsWith, localhost, post, through} from '../helpers/ways-out.ts';

test('a name that does not exist is named', async t => {
	const message = await failsWith(t, 'ERR_NAME_NOT_FOUND', post(direct(t), new URL('https://nowhere.invalid/')));
	t.true(message.includes('nowhere.invalid'));
});

test('a closed port refuses the connection', async t => {
	const port = await closedPort(t);
	t.true(
		(await failsWith(t, 'ERR_CONNECTION_REFUSED', post(direct(t), new URL(`https://127.0.0.1:${port}/`)))).includes(
			`127.0.0.1:${port}`,
		),
	);
	const url = await listenTls(t, localhost, echo);
	t.true((await failsWith(t, 'ERR_CONNECTION_REFUSED', post(through(t, port), url))).includes(`The proxy 127.0.0.1:${port}`));
});

/** A port that was free a moment ago. */
async function closedPort(t: ExecutionContext): Promise<number> {
	const {promise, resolve} = Promise.withResolvers<void>();
	const port = await listenSocket(t, socket => {
		socket.destroy();
		resolve();
	});
	// The outgoing side of a connection holds a port that nobody listens on.
	const socket = connect(port, '127.0.0.1');
	await once(socket, 'connect');
	const local = socket.localPort ?? 0;
	await promise;
	socket.destroy();
	return local;
}

test.serial('a host that takes no connection is given up in time', async t => {
	const port = await fullPort(t);
	const started = Date.now();
	const message = await failsWith(
		t,
		'ERR_CONNECTION_TIMEOUT',
		post(direct(t, {connectTimeoutMillis: 300}), new URL(`https://127.0.0.1:${port}/`)),
	);
	t.regex(message, /does not answer within 300 ms/);
	t.true(Date.now() - started < 10_000);
});

/** A port whose queue of waiting connections is full: the kernel drops what comes then, as a firewall does. */
async function fullPort(t: ExecutionContext): Promise<number> {
	const program = `
		const server = require('node:net').createServer().listen({port: 0, host: '127.0.0.1', backlog: 1}, () => {
			require('node:fs').writeSync(1, server.address().port + '\\n');
			Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000);
		});`;
	const child = spawn(process.execPath, ['-e', program], {stdio: ['ignore', 'pipe', 'inherit']});
	t.teardown(() => child.kill('SIGKILL'));
	const [line] = await once(child.stdout, 'data');
	const port = Number(String(line));
	const fillers = Array.from({length: 4}, () => connect(port, '127.0.0.1').on('error', () => {}));
	t.teardown(() => {
		for (const socket of fillers) socket.destroy();
	});
	await new Promise(resolve => setTimeout(resolve, 200));
	return port;
}

test.serial('a black hole behind an open port is given up in time', async t => {
	const port = await listenSocket(t, () => {});
	const atDestination = direct(t, {connectTimeoutMillis: 500});
	const message = await failsWith(t, 'ERR_CONNECTION_TIMEOUT', post(atDestination, new URL(`https://127.0.0.1:${port}/`)));
	t.regex(message, /TLS handshake within 500 ms/);
});

for (const [what, wanted, ca, pattern] of [
	[
		'expired',
		{notBefore: new Date('2026-01-01'), notAfter: new Date('2026-02-03T04:05:06Z')},
		true,
		/valid until 2026-02-03T04:05:06.000Z.*clock/,
	],
	[
		'not yet valid',
		{notBefore: new Date('2099-01-01T00:00:00Z'), notAfter: new Date('2100-01-01')},
		true,
		/valid from 2099-01-01T00:00:00.000Z.*clock/,
	],
	['for another host', {commonName: 'other.example', hosts: ['other.example']}, true, /is not for localhost.*CN=other.example/],
	['from an unknown authority', {}, false, /not trusted here.*"CN=localhost", from "CN=Test authority".*TLS inspection/],
] as const) {
	test(`a certificate that is ${what}`, async t => {
		let asked = 0;
		const url = await listenTls(t, await issue(authority, {commonName: 'localhost', hosts: ['localhost'], ...wanted}), () => {
			asked++;
		});
		t.regex(await failsWith(t, 'ERR_CERTIFICATE', post(direct(t, {ca: ca ? [authority.certificate] : []}), url)), pattern);
		const proxy = await startConnectProxy(t);
		t.regex(
			await failsWith(t, 'ERR_CERTIFICATE', post(through(t, proxy.port, {ca: ca ? [authority.certificate] : []}), url)),
			pattern,
		);
		t.is(asked, 0);
	});
}

test('an address is verified as such', async t => {
	const byName = await listenTls(t, localhost, echo);
	byName.hostname = '127.0.0.1';
	await failsWith(t, 'ERR_CERTIFICATE', post(direct(t), byName));
	const byAddress = await listenTls(t, await issue(authority, {commonName: 'by address', hosts: ['127.0.0.1']}), echo);
	byAddress.hostname = '127.0.0.1';
	t.is((await post(direct(t), byAddress)).statusCode, 200);
});

test('TLS below 1.2 is refused', async t => {
	const url = await listenTls(t, localhost, echo, {minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0'});
	t.regex(await failsWith(t, 'ERR_TLS', post(direct(t), url)), /TLS 1.2/);
});

test('what is no TLS, and what is cut during the handshake, never saw the request', async t => {
	const plain = await listenSocket(t, socket => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
	await failsWith(t, 'ERR_TLS', post(direct(t), new URL(`https://localhost:${plain}/`)));
	const cut = await listenSocket(t, socket => socket.once('data', () => socket.resetAndDestroy()));
	t.regex(await failsWith(t, 'ERR_TLS', post(direct(t), new URL(`https://localhost:${cut}/`))), /during the TLS handshake/);
	const ended = await listenSocket(t, socket => socket.once('data', () => socket.end()));
	await failsWith(t, 'ERR_TLS', post(direct(t), new URL(`https://localhost:${ended}/`)));
});
