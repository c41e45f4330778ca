import type {Socket} from 'node:net';
import test from 'ava';
import {BridgeError} from '../../src/errors.ts';
import {startConnectProxy} from '../helpers/connect-proxy.ts';
import {listenSocket, listenTls} from '../helpers/tls-server.ts';
import {apiKey, echo, failsWith, localhost, post, through, wayOut} from '../helpers/ways-out.ts';

for (const [what, instead, code, pattern] of [
	[
		'asks for other credentials',
		'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="x"\r\nContent-Length: 4\r\n\r\nnope',
		'ERR_PROXY_AUTHENTICATION',
		/correct them/,
	],
	['forbids the tunnel', 'HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n', 'ERR_PROXY_REFUSED', /status 403.*Allow CONNECT/],
	['is busy', 'HTTP/1.0 503 Service Unavailable\r\n\r\n<html>', 'ERR_PROXY_BUSY', /is busy.*status 503/],
	['has too many requests of this machine', 'HTTP/1.1 429 Too Many Requests\r\n\r\n', 'ERR_PROXY_BUSY', /is busy.*status 429/],
	[
		'cannot reach the destination',
		'HTTP/1.1 503 Service Unavailable\r\nX-Squid-Error: ERR_CONNECT_FAIL 111\r\n\r\n',
		'ERR_PROXY_REFUSED',
		/cannot reach localhost.*ERR_CONNECT_FAIL 111/,
	],
	['waits for the destination in vain', 'HTTP/1.1 504 Gateway Timeout\r\n\r\n', 'ERR_PROXY_REFUSED', /cannot reach/],
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
		const url = await listenTls(t, localhost, echo);
		const proxy = await startConnectProxy(t, {instead: socket => socket.end(instead)});
		t.regex(await failsWith(t, code, post(through(t, proxy.port), url)), pattern);
	});
}

test('a proxy that wants credentials which are not configured', async t => {
	const url = await listenTls(t, localhost, echo);
	const proxy = await startConnectProxy(t, {instead: socket => socket.end('HTTP/1.1 407 No\r\n\r\n')});
	const connection = wayOut(t, {proxy: {url: `http://127.0.0.1:${proxy.port}`}});
	t.regex(await failsWith(t, 'ERR_PROXY_AUTHENTICATION', post(connection, url)), /write them into the URL/);
});

test('a proxy that resets', async t => {
	const url = await listenTls(t, localhost, echo);
	for (const instead of [
		(socket: Socket) => socket.resetAndDestroy(),
		(socket: Socket) => socket.write('HTTP/1.1 200 OK\r\n\r\n', () => socket.resetAndDestroy()),
	]) {
		const proxy = await startConnectProxy(t, {instead});
		const error = await t.throwsAsync(post(through(t, proxy.port), url), {instanceOf: BridgeError});
		t.true(['ERR_PROXY_REFUSED', 'ERR_TLS'].includes(error.code), error.code);
	}
});

test.serial('a proxy that never answers is given up in time', async t => {
	const port = await listenSocket(t, () => {});
	const url = new URL('https://localhost/');
	const message = await failsWith(t, 'ERR_CONNECTION_TIMEOUT', post(through(t, port, {connectTimeoutMillis: 500}), url));
	t.regex(message, /tunnel within 500 ms/);
	t.regex(
		await failsWith(t, 'ERR_CONNECTION_TIMEOUT', post(through(t, port), url, AbortSignal.timeout(500))),
		/within the time for the attempt/,
	);
});
