import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {inspect} from 'node:util';
import test from 'ava';
import {BridgeError} from '../../src/errors.ts';
import {issue} from '../helpers/certificates.ts';
import {eventually, listen, temporaryDirectory} from '../helpers/listen.ts';
import {answering, openPac, written} from '../helpers/pac.ts';
import {listenSocket, listenTls} from '../helpers/tls-server.ts';
import {authority, localhost} from '../helpers/ways-out.ts';

const good = answering('PROXY good.example:1');
const hour = 3_600_000;
const everything = {depth: Number.POSITIVE_INFINITY, showHidden: true};

for (const [what, answer, said] of [
	[
		'answers 404',
		{status: 404},
		/^The PAC file http:\/\/127\.0\.0\.1:\d+\/proxy\.pac cannot be loaded: 127\.0\.0\.1:\d+ answered 404\./,
	],
	['answers 500', {status: 500, body: good}, /answered 500/],
	['shows a login page', {status: 200, body: '<html>Log in</html>'}, /there is no FindProxyForURL in it/],
	['redirects to nowhere', {status: 302}, /redirects to nowhere/],
	['redirects in a circle', {status: 302, location: '/proxy.pac'}, /more than 3 redirects/],
	['redirects to a file', {status: 302, location: 'file:///etc/passwd'}, /redirects from http: to file:/],
	['redirects to another protocol', {status: 307, location: 'https://localhost/proxy.pac'}, /redirects from http: to https:/],
	['floods', {status: 200, body: `//${'x'.repeat(2 * 1024 ** 2)}`}, /larger than 1048576 bytes/],
] as const) {
	test(`a server that ${what} is named with its answer`, async t => {
		const {status, body = '', location} = {location: undefined, ...answer} as {status: number; body?: string; location?: string};
		const url = new URL(
			'/proxy.pac?token=hunter2',
			await listen(t, (_request, response) => {
				response.writeHead(status, location === undefined ? {} : {location}).end(body);
			}),
		);
		const error = await t.throwsAsync(openPac(t, {source: {url}}).ask(), {instanceOf: BridgeError});
		t.is(error.code, 'ERR_PAC');
		t.is(error.hop, 'proxy');
		t.regex(error.message, said);
		t.notRegex(inspect(error, everything), /hunter2/);
	});
}

test('a redirect to the same protocol is followed', async t => {
	const base = await listen(t, (request, response) => {
		if (request.url === '/moved.pac') response.end(good);
		else response.writeHead(301, {location: '/moved.pac'}).end();
	});
	t.deepEqual(written(await openPac(t, {source: {url: new URL('/proxy.pac', base)}}).ask()), ['http good.example:1']);
});

test.serial('a server that is silent, drips or never ends its headers is given up in time', async t => {
	for (const begin of ['', 'HTTP/1.1 200 OK\r\n\r\n//', 'HTTP/1.1 200 OK\r\nx: ']) {
		const port = await listenSocket(t, socket => {
			socket.write(begin);
			const timer = setInterval(() => socket.write('x'), 20);
			socket.on('close', () => clearInterval(timer));
		});
		const {ask} = openPac(t, {source: {url: new URL(`http://127.0.0.1:${port}/`)}, fetchMillis: 400});
		const error = await t.throwsAsync(ask(), {instanceOf: BridgeError});
		t.is(error.code, 'ERR_PAC');
		t.regex(error.message, /cannot be loaded: (no whole answer in time|.*Response does not match|.*Expected HTTP)/);
	}
});

test('a server that refuses, or does not speak HTTP, is said', async t => {
	const port = await listenSocket(t, socket => socket.end('SSH-2.0-OpenSSH_9.9 hunter2\r\n'));
	const error = await t.throwsAsync(openPac(t, {source: {url: new URL(`http://127.0.0.1:${port}/`)}}).ask(), {
		instanceOf: BridgeError,
	});
	t.is(error.code, 'ERR_PAC');
	t.notRegex(inspect(error, everything), /hunter2/);
});

test('over TLS the server is verified, by the authority of ca_file if there is one', async t => {
	const url = await listenTls(t, localhost, (_request, response) => response.end(good));
	const error = await t.throwsAsync(openPac(t, {source: {url}}).ask(), {instanceOf: BridgeError});
	t.regex(error.message, /cannot be loaded: .*UNABLE_TO_VERIFY_LEAF_SIGNATURE/);
	const caFile = join(await temporaryDirectory(t), 'ca.pem');
	writeFileSync(caFile, authority.certificate);
	t.deepEqual(written(await openPac(t, {source: {url}, caFile}).ask()), ['http good.example:1']);
	const other = await issue(authority, {commonName: 'other', hosts: ['other.example']});
	const wrong = await listenTls(t, other, (_request, response) => response.end(good));
	const named = await t.throwsAsync(openPac(t, {source: {url: wrong}, caFile}).ask(), {instanceOf: BridgeError});
	t.regex(named.message, /ERR_TLS_CERT_ALTNAME_INVALID/);
});

test('a changed file is fetched after its hour, and nobody waits for it; while it is gone the last one is used', async t => {
	const answer = {status: 200, body: good};
	let asked = 0;
	const clock = {now: 0};
	const url = await listen(t, (_request, response) => {
		asked++;
		response.writeHead(answer.status).end(answer.body);
	});
	const {ask, said} = openPac(t, {source: {url}, now: () => clock.now});
	const proxy = async () => written(await ask())[0];
	t.is(await proxy(), 'http good.example:1');
	answer.body = answering('PROXY better.example:1');
	clock.now += hour - 1;
	t.is(await proxy(), 'http good.example:1');
	t.is(asked, 1);
	clock.now += 1;
	await proxy();
	await eventually(async () => (await proxy()) === 'http better.example:1');
	t.is(asked, 2);

	answer.status = 503;
	clock.now += hour;
	await proxy();
	await eventually(() => said.length === 1);
	t.regex(said[0] ?? '', /cannot be loaded again: .* answered 503\. The last one is used\.$/);
	t.is(await proxy(), 'http better.example:1');
	t.is(asked, 3, 'it is left alone for five minutes');
	clock.now += 5 * 60_000;
	await proxy();
	await eventually(() => asked === 4);
	t.is(said.length, 1, 'and complained of once');

	Object.assign(answer, {status: 200, body: answering('PROXY back.example:1')});
	clock.now += 5 * 60_000;
	await proxy();
	await eventually(async () => (await proxy()) === 'http back.example:1');
});

test('many that ask at the start cause one fetch, and one that failed is tried again by the next', async t => {
	let asked = 0;
	const url = await listen(t, (_request, response) => {
		asked++;
		response.writeHead(asked === 1 ? 500 : 200).end(good);
	});
	const {ask} = openPac(t, {source: {url}});
	const failed = await Promise.allSettled(Array.from({length: 5}, (_, index) => ask(`host-${index}.example`)));
	t.deepEqual(
		failed.map(({status}) => status),
		Array(5).fill('rejected'),
	);
	t.is(asked, 1);
	t.deepEqual(written(await ask()), ['http good.example:1']);
});
