import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {BridgeError} from '../../src/errors.ts';
import {issue, makeAuthority} from '../helpers/certificates.ts';
import {startConnectProxy} from '../helpers/connect-proxy.ts';
import {temporaryDirectory} from '../helpers/listen.ts';
import {listenSocket, listenTls} from '../helpers/tls-server.ts';
import {basicCredentials, direct, echo, failsWith, localhost, post, requestTo, through, wayOut} from '../helpers/ways-out.ts';

test('a request goes straight to the destination and its reply comes back', async t => {
	const url = await listenTls(t, localhost, echo);
	const connection = direct(t);
	t.is(connection.name, 'direct');
	const reply = await post(connection, url);
	t.is(reply.statusCode, 200);
	t.like(reply.headers, {'set-cookie': 'a=1, b=2', 'x-seen': 'yes'});
	const seen = JSON.parse(reply.body);
	t.like(seen, {method: 'POST', url: '/connect/api/v1', body: requestTo(url).body});
	t.like(seen.headers, {host: url.host, 'content-type': 'application/json', connection: 'close'});
});

test('one connection carries many requests at once, each over a socket of its own', async t => {
	const ports = new Set<number>();
	const url = await listenTls(t, localhost, (request, response) => {
		ports.add(request.socket.remotePort ?? 0);
		response.end('ok');
	});
	const connection = direct(t);
	const replies = await Promise.all(Array.from({length: 8}, () => post(connection, url)));
	t.deepEqual(
		replies.map(({body}) => body),
		Array(8).fill('ok'),
	);
	t.is(ports.size, 8);
});

test('a proxy is asked for a tunnel, with its credentials at once, and sees nothing else', async t => {
	const url = await listenTls(t, localhost, echo);
	const proxy = await startConnectProxy(t);
	const connection = through(t, proxy.port);
	t.is(connection.name, `proxy 127.0.0.1:${proxy.port}`);
	const seen = JSON.parse((await post(connection, url)).body);
	t.deepEqual(proxy.requests, [{target: url.host, authorization: `Basic ${basicCredentials}`}]);
	t.false('proxy-authorization' in seen.headers);
});

test('a proxy without credentials is sent none', async t => {
	const url = await listenTls(t, localhost, echo);
	const proxy = await startConnectProxy(t);
	await post(wayOut(t, {proxy: {url: `http://127.0.0.1:${proxy.port}`}}), url);
	t.deepEqual(proxy.requests, [{target: url.host, authorization: undefined}]);
});

test('a proxy that speaks TLS is verified by its own authorities', async t => {
	const url = await listenTls(t, localhost, echo);
	const proxyAuthority = await makeAuthority('Proxy authority');
	const proxy = await startConnectProxy(t, {
		issued: await issue(proxyAuthority, {commonName: 'localhost', hosts: ['localhost']}),
	});
	const file = join(await temporaryDirectory(t), 'proxy-ca.pem');
	writeFileSync(file, proxyAuthority.certificate);
	const proxyUrl = `https://user:pw@localhost:${proxy.port}`;
	const reply = await post(wayOut(t, {proxy: {url: proxyUrl, ca_file: file}}), url);
	t.is(JSON.parse(reply.body).method, 'POST');
	const message = await failsWith(t, 'ERR_CERTIFICATE', post(wayOut(t, {proxy: {url: proxyUrl}}), url));
	t.regex(message, /the proxy localhost.*CN=Proxy authority.*ca_file of the proxy/);
});

test("a proxy's authority is not trusted for the destination", async t => {
	const proxyAuthority = await makeAuthority('Proxy authority');
	const url = await listenTls(t, await issue(proxyAuthority, {commonName: 'localhost', hosts: ['localhost']}), echo);
	const proxy = await startConnectProxy(t, {
		issued: await issue(proxyAuthority, {commonName: 'localhost', hosts: ['localhost']}),
	});
	const file = join(await temporaryDirectory(t), 'proxy-ca.pem');
	writeFileSync(file, proxyAuthority.certificate);
	const connection = wayOut(t, {proxy: {url: `https://localhost:${proxy.port}`, ca_file: file}});
	t.regex(await failsWith(t, 'ERR_TLS_INSPECTED', post(connection, url)), /presented by "CN=Proxy authority".*TLS inspection/);
});

test('a ca_file that is missing or has no certificate is a fault of the configuration', async t => {
	const directory = await temporaryDirectory(t);
	const broken = join(directory, 'broken.pem');
	writeFileSync(broken, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
	const empty = join(directory, 'empty.pem');
	writeFileSync(empty, 'nothing');
	for (const file of [join(directory, 'missing.pem'), empty, broken]) {
		const error = t.throws(() => wayOut(t, {proxy: {url: 'https://proxy.example', ca_file: file}}), {
			instanceOf: BridgeError,
		});
		t.is(error?.code, 'ERR_CONFIG');
		t.true(error?.message.includes(file));
	}
});

test('nothing is opened for a plain http URL', async t => {
	let opened = 0;
	const port = await listenSocket(t, () => {
		opened++;
	});
	for (const connection of [direct(t), through(t, port)]) {
		await failsWith(t, 'ERR_USAGE', post(connection, new URL(`http://127.0.0.1:${port}/`)));
	}
	t.is(opened, 0);
});

test('a redirect is an answer, not followed', async t => {
	let asked = 0;
	const url = await listenTls(t, localhost, (_request, response) => {
		asked++;
		response.writeHead(307, {location: '/elsewhere'}).end();
	});
	t.like(await post(direct(t), url), {statusCode: 307, headers: {location: '/elsewhere'}});
	t.is(asked, 1);
});

test('closing gives up what is under way', async t => {
	const {promise: arrived, resolve} = Promise.withResolvers<void>();
	const url = await listenTls(t, localhost, () => resolve());
	const connection = direct(t);
	const attempt = failsWith(t, 'ERR_REPLY_TIMEOUT', post(connection, url));
	await arrived;
	await connection.close();
	await attempt;
	await failsWith(t, 'ERR_CONNECTION_TIMEOUT', post(connection, url));
});
