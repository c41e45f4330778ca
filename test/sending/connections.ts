import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {writeFileSync} from 'node:fs';
import type {RequestListener} from 'node:http';
import {connect, type Socket} from 'node:net';
import {join} from 'node:path';
import {inspect} from 'node:util';
import test, {type ExecutionContext} from 'ava';
import {BridgeError, type BridgeErrorCode} from '../../src/errors.ts';
import type {Connection, OutboundRequest} from '../../src/exporter.ts';
import {Secret} from '../../src/secret.ts';
import {type ConnectionOptions, createConnection} from '../../src/sending/connections.ts';
import {connectionsSchema} from '../../src/sending/connections-config.ts';
import {startConnectProxy} from '../helpers/connect-proxy.ts';
import {temporaryDirectory} from '../helpers/listen.ts';
import {listenSocket, listenTls, listenTlsSocket, makeTestAuthority} from '../helpers/tls-server.ts';

const authority = await makeTestAuthority();
const identity = await authority.issue();
const password = 'hunter2-@:';
const apiKey = 'api-key-58b1f0';

const requestTo = (url: URL): OutboundRequest => ({
	url,
	method: 'POST',
	headers: {accept: 'application/json', 'content-type': 'application/json'},
	body: JSON.stringify({api_key: apiKey, title: 'Lüfter'}),
	secrets: [new Secret(apiKey)],
});

function connectionTo(t: ExecutionContext, config: unknown, options: ConnectionOptions = {}) {
	const [parsed] = connectionsSchema.parse([config]);
	if (!parsed) throw new Error('no connection');
	const connection = createConnection(parsed, {ca: [authority.pem], connectTimeoutMillis: 2000, ...options});
	t.teardown(() => connection.close());
	return connection;
}
const direct = (t: ExecutionContext, options?: ConnectionOptions) => connectionTo(t, {direct: {}}, options);
const through = (t: ExecutionContext, port: number, options?: ConnectionOptions) =>
	connectionTo(t, {proxy: {url: `http://user:${encodeURIComponent(password)}@127.0.0.1:${port}`}}, options);

const post = (connection: Connection, url: URL, millis = 5000) => connection.send(requestTo(url), AbortSignal.timeout(millis));

/** The attempt fails with this code, and neither the error nor anything below it shows a secret. */
async function failsWith(t: ExecutionContext, code: BridgeErrorCode, attempt: Promise<unknown>): Promise<string> {
	const error = await t.throwsAsync(attempt, {instanceOf: BridgeError});
	t.is(error.code, code, error.message);
	const everything = inspect(error, {depth: Number.POSITIVE_INFINITY, showHidden: true});
	const basic = Buffer.from(`user:${password}`).toString('base64');
	for (const secret of [password, encodeURIComponent(password), basic, apiKey]) {
		t.false(everything.includes(secret), `${secret} in ${everything}`);
	}
	return error.message;
}

const echo: RequestListener = async (request, response) => {
	const chunks = await request.toArray();
	const {method, url, headers} = request;
	response.setHeader('Set-Cookie', ['a=1', 'b=2']).setHeader('X-Seen', 'yes');
	response.end(JSON.stringify({method, url, headers, body: Buffer.concat(chunks).toString()}));
};

test('a request goes straight to the destination and its reply comes back', async t => {
	const url = await listenTls(t, identity, echo);
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
	const url = await listenTls(t, identity, (request, response) => {
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
	const url = await listenTls(t, identity, echo);
	const proxy = await startConnectProxy(t);
	const connection = through(t, proxy.port);
	t.is(connection.name, `proxy 127.0.0.1:${proxy.port}`);
	const seen = JSON.parse((await post(connection, url)).body);
	t.deepEqual(proxy.requests, [{target: url.host, authorization: `Basic ${Buffer.from(`user:${password}`).toString('base64')}`}]);
	t.false('proxy-authorization' in seen.headers);
});

test('a proxy without credentials is sent none', async t => {
	const url = await listenTls(t, identity, echo);
	const proxy = await startConnectProxy(t);
	await post(connectionTo(t, {proxy: {url: `http://127.0.0.1:${proxy.port}`}}), url);
	t.deepEqual(proxy.requests, [{target: url.host, authorization: undefined}]);
});

test('a proxy that speaks TLS is verified by its own authorities', async t => {
	const url = await listenTls(t, identity, echo);
	const proxyAuthority = await makeTestAuthority('CN=Proxy authority');
	const proxy = await startConnectProxy(t, {identity: await proxyAuthority.issue()});
	const file = join(await temporaryDirectory(t), 'proxy-ca.pem');
	writeFileSync(file, proxyAuthority.pem);
	const proxyUrl = `https://user:pw@localhost:${proxy.port}`;
	const reply = await post(connectionTo(t, {proxy: {url: proxyUrl, ca_file: file}}), url);
	t.is(JSON.parse(reply.body).method, 'POST');
	const message = await failsWith(t, 'ERR_CERTIFICATE', post(connectionTo(t, {proxy: {url: proxyUrl}}), url));
	t.regex(message, /the proxy localhost.*CN=Proxy authority.*ca_file of the proxy/);
});

test("a proxy's authority is not trusted for the destination", async t => {
	const proxyAuthority = await makeTestAuthority('CN=Proxy authority');
	const url = await listenTls(t, await proxyAuthority.issue(), echo);
	const proxy = await startConnectProxy(t, {identity: await proxyAuthority.issue()});
	const file = join(await temporaryDirectory(t), 'proxy-ca.pem');
	writeFileSync(file, proxyAuthority.pem);
	const connection = connectionTo(t, {proxy: {url: `https://localhost:${proxy.port}`, ca_file: file}});
	t.regex(await failsWith(t, 'ERR_CERTIFICATE', post(connection, url)), /TLS inspection/);
});

test('a ca_file that is missing or has no certificate is a fault of the configuration', async t => {
	const directory = await temporaryDirectory(t);
	const broken = join(directory, 'broken.pem');
	writeFileSync(broken, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
	const empty = join(directory, 'empty.pem');
	writeFileSync(empty, 'nothing');
	for (const file of [join(directory, 'missing.pem'), empty, broken]) {
		const error = t.throws(() => connectionTo(t, {proxy: {url: 'https://proxy.example', ca_file: file}}), {
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
	const url = await listenTls(t, identity, (_request, response) => {
		asked++;
		response.writeHead(307, {location: '/elsewhere'}).end();
	});
	t.like(await post(direct(t), url), {statusCode: 307, headers: {location: '/elsewhere'}});
	t.is(asked, 1);
});

test('a name that does not exist is named', async t => {
	const message = await failsWith(
		t,
		'ERR_NAME_NOT_FOUND',
		post(direct(t, {connectTimeoutMillis: 15_000}), new URL('https://nowhere.invalid/'), 15_000),
	);
	t.true(message.includes('nowhere.invalid'));
});

test('a closed port refuses the connection', async t => {
	const port = await closedPort(t);
	t.true(
		(await failsWith(t, 'ERR_CONNECTION_REFUSED', post(direct(t), new URL(`https://127.0.0.1:${port}/`)))).includes(
			`127.0.0.1:${port}`,
		),
	);
	const url = await listenTls(t, identity, echo);
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
	t.true(Date.now() - started < 3000);
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
	const message = await failsWith(
		t,
		'ERR_CONNECTION_TIMEOUT',
		post(direct(t, {connectTimeoutMillis: 200}), new URL(`https://localhost:${port}/`)),
	);
	t.regex(message, /TLS handshake within 200 ms/);
	const url = await listenTls(t, identity, echo);
	t.regex(
		await failsWith(t, 'ERR_CONNECTION_TIMEOUT', post(through(t, port, {connectTimeoutMillis: 200}), url)),
		/tunnel within 200 ms/,
	);
	t.regex(
		await failsWith(t, 'ERR_CONNECTION_TIMEOUT', post(through(t, port, {connectTimeoutMillis: 60_000}), url, 100)),
		/within the time for the attempt/,
	);
});

for (const [what, instead, code, pattern] of [
	[
		'asks for other credentials',
		'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="x"\r\nContent-Length: 4\r\n\r\nnope',
		'ERR_PROXY_AUTHENTICATION',
		/correct them/,
	],
	['forbids the tunnel', 'HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n', 'ERR_PROXY_REFUSED', /status 403.*Allow CONNECT/],
	['cannot reach the destination', 'HTTP/1.0 503 Service Unavailable\r\n\r\n<html>', 'ERR_PROXY_REFUSED', /status 503/],
	['redirects', 'HTTP/1.1 302 Found\r\nLocation: http://portal.example/\r\n\r\n', 'ERR_PROXY_REFUSED', /status 302/],
	['answers in no HTTP', `SSH-2.0-OpenSSH_9.9 ${apiKey}\r\n`, 'ERR_PROXY_REFUSED', /not answer in HTTP/],
	[
		'says yes and sends a page',
		'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html><body>You are blocked</body></html>',
		'ERR_PROXY_REFUSED',
		/granted a tunnel.*not TLS/,
	],
	['hangs up', '', 'ERR_PROXY_REFUSED', /closed the connection/],
] as const) {
	test(`a proxy that ${what}`, async t => {
		const url = await listenTls(t, identity, echo);
		const proxy = await startConnectProxy(t, {instead: socket => socket.end(instead)});
		t.regex(await failsWith(t, code, post(through(t, proxy.port), url)), pattern);
	});
}

test('a proxy that wants credentials which are not configured', async t => {
	const url = await listenTls(t, identity, echo);
	const proxy = await startConnectProxy(t, {instead: socket => socket.end('HTTP/1.1 407 No\r\n\r\n')});
	const connection = connectionTo(t, {proxy: {url: `http://127.0.0.1:${proxy.port}`}});
	t.regex(await failsWith(t, 'ERR_PROXY_AUTHENTICATION', post(connection, url)), /write them into the URL/);
});

test('a proxy that resets', async t => {
	const url = await listenTls(t, identity, echo);
	for (const instead of [
		(socket: Socket) => socket.resetAndDestroy(),
		(socket: Socket) => socket.write('HTTP/1.1 200 OK\r\n\r\n', () => socket.resetAndDestroy()),
	]) {
		const proxy = await startConnectProxy(t, {instead});
		const error = await t.throwsAsync(post(through(t, proxy.port), url), {instanceOf: BridgeError});
		t.true(['ERR_PROXY_REFUSED', 'ERR_TLS'].includes(error.code), error.code);
	}
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
	['for another host', {names: ['other.example']}, true, /is not for localhost.*CN=other.example/],
	['from an unknown authority', {}, false, /not trusted here.*"CN=localhost", from "CN=Test authority".*TLS inspection/],
] as const) {
	test(`a certificate that is ${what}`, async t => {
		let asked = 0;
		const url = await listenTls(t, await authority.issue(wanted), () => {
			asked++;
		});
		t.regex(await failsWith(t, 'ERR_CERTIFICATE', post(direct(t, {ca: ca ? [authority.pem] : []}), url)), pattern);
		const proxy = await startConnectProxy(t);
		t.regex(await failsWith(t, 'ERR_CERTIFICATE', post(through(t, proxy.port, {ca: ca ? [authority.pem] : []}), url)), pattern);
		t.is(asked, 0);
	});
}

test('an address is verified as such', async t => {
	const byName = await listenTls(t, identity, echo);
	byName.hostname = '127.0.0.1';
	await failsWith(t, 'ERR_CERTIFICATE', post(direct(t), byName));
	const byAddress = await listenTls(t, await authority.issue({names: [], addresses: ['127.0.0.1']}), echo);
	byAddress.hostname = '127.0.0.1';
	t.is((await post(direct(t), byAddress)).statusCode, 200);
});

test('TLS below 1.2 is refused', async t => {
	const url = await listenTls(t, {...identity, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0'}, echo);
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

test('a reset before or after the request was read leaves open whether it arrived', async t => {
	const atOnce = await listenTlsSocket(t, identity, socket => socket.destroy());
	await failsWith(t, 'ERR_CONNECTION_RESET', post(direct(t), atOnce));
	const afterwards = await listenTlsSocket(t, identity, socket => socket.once('data', () => socket.destroy()));
	await failsWith(t, 'ERR_CONNECTION_RESET', post(direct(t), afterwards));
	const proxy = await startConnectProxy(t);
	await failsWith(t, 'ERR_CONNECTION_RESET', post(through(t, proxy.port), afterwards));
});

test.serial('no reply in time', async t => {
	let asked = 0;
	const silent = await listenTls(t, identity, () => {
		asked++;
	});
	await failsWith(t, 'ERR_REPLY_TIMEOUT', post(direct(t), silent, 400));
	t.is(asked, 1);
	const halting = await listenTls(t, identity, (_request, response) => {
		response.write('{"serv');
	});
	await failsWith(t, 'ERR_REPLY_TIMEOUT', post(direct(t), halting, 400));
});

for (const [what, reply] of [
	['shorter than announced', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"service":'],
	['without its last chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"ser\r\n'],
	['that is no HTTP', `220 mail.example ESMTP ${apiKey}\r\n`],
] as const) {
	test(`a reply ${what}`, async t => {
		const url = await listenTlsSocket(t, identity, socket => socket.once('data', () => socket.end(reply)));
		await failsWith(t, 'ERR_REPLY_TRUNCATED', post(direct(t), url));
	});
}

test('a reply beyond the limit is given up, one at the limit is read', async t => {
	let written = 0;
	const url = await listenTls(t, identity, (request, response) => {
		if (request.url === '/fits') {
			response.end('x'.repeat(1024));
			return;
		}
		const more = () => {
			if (written < 200 * 1024 ** 2 && !response.destroyed) response.write('x'.repeat(65_536), more);
			written += 65_536;
		};
		more();
	});
	const connection = direct(t, {maxReplySize: 1024});
	t.is((await post(connection, new URL('/fits', url))).body.length, 1024);
	await failsWith(t, 'ERR_TOO_LARGE', post(connection, url));
	t.true(written < 50 * 1024 ** 2);
});

test('closing gives up what is under way', async t => {
	const {promise: arrived, resolve} = Promise.withResolvers<void>();
	const url = await listenTls(t, identity, () => resolve());
	const connection = direct(t);
	const attempt = failsWith(t, 'ERR_REPLY_TIMEOUT', post(connection, url, 60_000));
	await arrived;
	await connection.close();
	await attempt;
	await failsWith(t, 'ERR_CONNECTION_TIMEOUT', post(connection, url));
});
