import {execFile} from 'node:child_process';
import {once} from 'node:events';
import {connect, type Socket} from 'node:net';
import {buffer} from 'node:stream/consumers';
import {promisify} from 'node:util';
import test from 'ava';
import {eventually, listen} from '../helpers/listen.ts';
import {connectRequest, exchangeWith, openTunnel, startEcho, startSupportProxy} from '../helpers/support-proxy.ts';
import {listenSocket} from '../helpers/tls-server.ts';

const run = promisify(execFile);
const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1]);

/** The other side has closed, politely or not. */
const over = (socket: Socket) =>
	new Promise<void>(resolve => {
		socket
			.once('end', resolve)
			.once('close', () => resolve())
			.resume();
	});

async function withEcho(
	t: Parameters<typeof startEcho>[0],
	limits: Record<string, unknown> = {},
	more: Record<string, unknown> = {},
) {
	const echo = await startEcho(t);
	const listed = [{host: '127.0.0.1', port: echo.port}];
	return {...(await startSupportProxy(t, {listed, settings: {limits, ...more}})), echo, target: `127.0.0.1:${echo.port}`};
}

test('megabytes pass in both directions, and are counted', async t => {
	const {port, target, bytes, proxy, told} = await withEcho(t);
	const socket = await openTunnel(port, target);
	t.is(proxy.tunnels(), 1);
	const sent = Buffer.alloc(20 * 1024 ** 2, 'abcdefg');
	socket.end(sent); // A half that is closed does not end the other.
	t.true((await buffer(socket)).equals(sent));
	await eventually(() => proxy.tunnels() === 0);
	t.deepEqual(bytes, {transmit: sent.length, receive: sent.length});
	await eventually(() => told.length === 1);
	t.like(told[0], {level: 'info', word: 'support_proxy_passed'});
	t.regex(
		told[0]?.text ?? '',
		/^support proxy: 127\.0\.0\.1 -> 127\.0\.0\.1:\d+: allowed: 20971520 bytes there and 20971520 back in .* closed$/,
	);
});

test('bulk keeps its bytes at the pace of a slow reader, and counts no longer when it is reset', async t => {
	const {port, target, proxy, bytes} = await withEcho(t);
	const socket = await openTunnel(port, target);
	const sent = Buffer.from(Uint8Array.from({length: 8 * 1024 ** 2}, (_, index) => (index * 31 + (index >> 9)) & 255));
	socket.pause();
	socket.end(sent);
	await eventually(() => bytes.transmit > 1024 ** 2); // Until then nobody reads: the buffers on the way fill up.
	t.true((await buffer(socket)).equals(sent));
	await eventually(() => proxy.tunnels() === 0);
	const reset = await openTunnel(port, target);
	reset.resume().write(sent);
	await once(reset, 'data');
	reset.resetAndDestroy();
	await eventually(() => proxy.tunnels() === 0);
	t.is(await new Promise<number>(resolve => void setTimeout(() => resolve(proxy.tunnels()), 50)), 0);
});

test('what follows the CONNECT at once goes into the tunnel', async t => {
	const {port, target} = await withEcho(t);
	const text = connectRequest('127.0.0.2:1');
	const answer = await exchangeWith(port, connectRequest(target) + text, {until: '127.0.0.2:1 HTTP/1.1'});
	t.regex(answer, /^HTTP\/1\.1 200 [^\r]*\r\n\r\nCONNECT 127\.0\.0\.2:1/, 'it is echoed by the destination, and not read');
});

test('a tunnel without a byte ends, also one of which a half is closed', async t => {
	const {port, target, told, proxy} = await withEcho(t, {idle_timeout: '300ms'});
	const silent = await openTunnel(port, target);
	await over(silent);
	const listed = await listenSocket(t, socket => socket.on('data', () => {}));
	const holding = await startSupportProxy(t, {
		listed: [{host: '127.0.0.1', port: listed}],
		settings: {limits: {idle_timeout: '300ms'}},
	});
	const half = await openTunnel(holding.port, `127.0.0.1:${listed}`);
	half.end('x');
	await over(half);
	await eventually(() => proxy.tunnels() === 0 && told.some(({text}) => text.endsWith('ended: idle')));
	t.pass();
});

test('a tunnel ends after its lifetime, although it is busy', async t => {
	const {port, target, told} = await withEcho(t, {tunnel_lifetime: '400ms'});
	const socket = await openTunnel(port, target);
	const timer = setInterval(() => socket.write('x'), 20);
	await over(socket);
	clearInterval(timer);
	await eventually(() => told.some(({text}) => text.endsWith('ended: lifetime')));
	t.pass();
});

test('a tunnel carries no more bytes than it may', async t => {
	const {port, target, told, echo} = await withEcho(t, {bytes_per_tunnel: 1000});
	const socket = await openTunnel(port, target);
	socket.write(Buffer.alloc(400));
	await once(socket, 'data');
	socket.write(Buffer.alloc(700));
	await over(socket);
	await eventually(() => told.some(({text}) => text.endsWith('ended: bytes')));
	await eventually(() => [...echo.sockets].every(({destroyed}) => destroyed));
	t.pass();
});

test('no more connections than allowed, of one client and of all; closed ones count no more', async t => {
	for (const limits of [{connections_per_client: 2}, {connections: 2}]) {
		const {port, target, decisions} = await withEcho(t, limits);
		const one = await openTunnel(port, target);
		const two = await openTunnel(port, target);
		const answer = await exchangeWith(port, connectRequest(target));
		t.is(statusOf(answer), 503);
		t.regex(answer, /\r\nRetry-After: 30\r\n/);
		t.is(decisions.at(-1), 'too_many');
		one.destroy();
		await eventually(async () => statusOf(await exchangeWith(port, connectRequest(target), {until: '\r\n\r\n'})) === 200);
		two.destroy();
	}
});

test('a destination that refuses, or does not answer, is told to the client', async t => {
	const refusing = await startSupportProxy(t, {listed: [{host: '127.0.0.1', port: 1}]});
	t.is(statusOf(await exchangeWith(refusing.port, connectRequest('127.0.0.1:1'))), 502);
	t.is(refusing.decisions.at(-1), 'ERR_CONNECTION_REFUSED');
	const silentProxy = await listenSocket(t, () => {});
	const late = await startSupportProxy(t, {
		listed: [{host: '127.0.0.1', port: 1}],
		settings: {limits: {open_timeout: '200ms'}},
		connections: [{proxy: {url: `http://127.0.0.1:${silentProxy}`}}],
	});
	t.is(statusOf(await exchangeWith(late.port, connectRequest('127.0.0.1:1'))), 504);
	t.is(late.decisions.at(-1), 'ERR_CONNECTION_TIMEOUT');
});

test('at its end tunnels are closed, and requests are no longer taken', async t => {
	const {port, target, proxy, told} = await withEcho(t);
	const socket = await openTunnel(port, target);
	const waiting = connect(port, '127.0.0.1').on('error', () => {});
	await once(waiting, 'connect');
	const closed = Promise.all([over(socket), over(waiting)]);
	await proxy.shutdown();
	await closed;
	t.is(proxy.tunnels(), 0);
	t.regex(told.at(-1)?.text ?? '', /ended: shutdown/);
	await t.throwsAsync(once(connect(port, '127.0.0.1'), 'connect'), {code: 'ECONNREFUSED'});
});

test('a client of IPv6 is served, and its network is known', async t => {
	const echo = await startEcho(t);
	const {port, told} = await startSupportProxy(t, {
		listed: [{host: '127.0.0.1', port: echo.port}],
		settings: {endpoint: '[::1]:0', clients: ['::1/128']},
	});
	const target = `127.0.0.1:${echo.port}`;
	t.is(statusOf(await exchangeWith(port, connectRequest(target), {host: '::1', until: '\r\n\r\n'})), 200);
	await eventually(() => told.some(({text}) => text.startsWith('support proxy: ::1 -> ')));
});

test('a flood of refusals is told in a few lines', async t => {
	const {port, target, decisions, told, proxy} = await withEcho(t);
	for (let turn = 0; turn < 100; turn++) await exchangeWith(port, connectRequest(`no${turn % 60}.example:443`));
	t.is(decisions.length, 100);
	t.is(told.length, 40);
	(await openTunnel(port, target)).destroy();
	await eventually(() => told.length === 41);
	t.is(told.at(-1)?.word, 'support_proxy_passed', 'what passes does not drown in it');
	await proxy.shutdown();
	t.is(told.length, 40 + 1 + 40 + 1);
	t.regex(told.at(-2)?.text ?? '', /1 more of it/);
	t.regex(told.at(-1)?.text ?? '', /20 further requests/);
});

test('a configuration update is fetched over plain HTTP: the path and nothing else is passed on', async t => {
	const seen: {method: string | undefined; url: string | undefined; headers: Record<string, unknown>}[] = [];
	const server = await listen(t, ({method, url, headers}, response) => {
		seen.push({method, url, headers});
		response.setHeader('Connection', 'close, X-Hop').setHeader('X-Hop', '1').setHeader('ETag', '"1"');
		response.writeHead(url === '/gone' ? 404 : 200).end('update');
	});
	const updates = {
		url: 'https://updates.example/list.json',
		http_url: `http://updates.example:${server.port}/list.json`,
		public_key_file: '/nowhere/key.pem',
	};
	const {port, decisions, bytes} = await startSupportProxy(t, {
		destinations: {updates},
		zone: {'updates.example': ['127.0.0.1']},
	});
	const url = `http://updates.example:${server.port}`;
	const curl = async (...args: string[]) => (await run('curl', ['-sS', '-i', '-x', `http://127.0.0.1:${port}`, ...args])).stdout;
	const answer = await curl(`${url}/a%20b`, '-H', 'If-None-Match: "0"', '-H', 'Cookie: secret', '-H', 'X-Data: upload');
	t.regex(answer, /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nupdate$/);
	t.false(/x-hop/i.test(answer));
	t.regex(answer, /etag: "1"/i);
	t.like(seen[0], {method: 'GET', url: '/a%20b'});
	t.deepEqual(Object.keys(seen[0]?.headers ?? {}).sort(), ['accept', 'connection', 'host', 'if-none-match', 'via']);
	t.is(seen[0]?.headers.host, `updates.example:${server.port}`);
	t.regex(await curl(`${url}/gone`), /^HTTP\/1\.1 404 /);
	t.regex(await curl('-I', `${url}/list.json`), /^HTTP\/1\.1 200 OK/);
	t.is(bytes.receive, 12);
	t.deepEqual(decisions, ['allowed', 'allowed', 'allowed']);
	t.is(statusOf(await exchangeWith(port, connectRequest(`updates.example:${server.port}`))), 403, 'no tunnel to plain HTTP');
	t.is(statusOf(await exchangeWith(port, connectRequest(`127.0.0.1:${server.port}`))), 403, 'nor by the address');
	t.is(seen.length, 3);
});

test('a download is bounded like a tunnel', async t => {
	const server = await listen(t, (_request, response) => {
		response.writeHead(200);
		response.write('x'.repeat(600));
	});
	const updates = {
		url: 'https://updates.example/list.json',
		http_url: `http://updates.example:${server.port}/list.json`,
		public_key_file: '/nowhere/key.pem',
	};
	const ask = `GET http://updates.example:${server.port}/list.json HTTP/1.1\r\nHost: x\r\n\r\n`;
	for (const [limits, reason] of [
		[{idle_timeout: '200ms'}, 'idle'],
		[{tunnel_lifetime: '200ms'}, 'lifetime'],
		[{bytes_per_tunnel: 500}, 'bytes'],
	] as const) {
		const {port, told} = await startSupportProxy(t, {
			destinations: {updates},
			zone: {'updates.example': ['127.0.0.1']},
			settings: {limits},
		});
		const answer = await exchangeWith(port, ask);
		t.false(answer.endsWith('0\r\n\r\n'), 'it does not look whole');
		await eventually(() => told.some(({text}) => text.endsWith(`ended: ${reason}`)));
	}
});
