import {once} from 'node:events';
import {connect} from 'node:net';
import {networkInterfaces} from 'node:os';
import {setTimeout as pause} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import {createMetricsServer, type MetricsServerOptions, type MetricsServerParts} from '../../src/own-telemetry/metrics-server.ts';

const endpoint = {host: '127.0.0.1', port: 0};

async function serve(t: ExecutionContext, parts: Partial<MetricsServerParts> = {}, options: Partial<MetricsServerOptions> = {}) {
	const server = createMetricsServer({endpoint, ...options}, {collect: async () => 'up 1\n', readiness: () => ({}), ...parts});
	t.teardown(() => server.shutdown());
	await server.start();
	return {server, get: (path: string, init?: RequestInit) => fetch(new URL(path, server.url()), init)};
}

test('the metrics are served as Prometheus reads them', async t => {
	const {get, server} = await serve(t);
	const response = await get('/metrics');
	t.is(response.status, 200);
	t.is(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
	t.is(await response.text(), 'up 1\n');
	t.is(server.url().pathname, '/metrics');
});

test('the bridge is healthy while it answers', async t => {
	const response = await (await serve(t, {readiness: () => ({store: 'opening'})})).get('/healthz');
	t.is(response.status, 200);
	t.deepEqual(await response.json(), {status: 'ok'});
});

test('ready is said only when every part is, and what is not is named', async t => {
	const parts: Record<string, true | string> = {store: 'recovering', intake: true};
	const {get} = await serve(t, {readiness: () => parts});
	const waiting = await get('/readyz');
	t.is(waiting.status, 503);
	t.deepEqual(await waiting.json(), {status: 'not_ready', not_ready: {store: 'recovering'}});
	parts.store = true;
	const ready = await get('/readyz');
	t.is(ready.status, 200);
	t.deepEqual(await ready.json(), {status: 'ready'});
});

for (const path of ['/', '/metrics/', '/constructor', '/__proto__', '/?/metrics']) {
	test(`${path} is not found`, async t => {
		t.is((await (await serve(t)).get(path)).status, 404);
	});
}

test('only GET and HEAD are allowed, and HEAD has no body', async t => {
	const {get} = await serve(t);
	const post = await get('/metrics', {method: 'POST', body: 'x'});
	t.is(post.status, 405);
	t.is(post.headers.get('allow'), 'GET, HEAD');
	const head = await get('/metrics', {method: 'HEAD'});
	t.is(head.status, 200);
	t.is(head.headers.get('content-length'), '5');
	t.is(await head.text(), '');
});

test('metrics that cannot be collected are 503, and the next ones are served', async t => {
	let fail = true;
	const collect = async () => {
		if (fail) throw new Error('the reader is shut down');
		return 'up 1\n';
	};
	const {get} = await serve(t, {collect});
	const failed = await get('/metrics');
	t.is(failed.status, 503);
	t.regex(await failed.text(), /the reader is shut down/);
	fail = false;
	t.is((await get('/metrics')).status, 200);
});

test('a collection that hangs is given up', async t => {
	const {get} = await serve(t, {collect: () => new Promise(() => {})}, {timeoutMillis: 50});
	const response = await get('/metrics');
	t.is(response.status, 503);
	t.regex(await response.text(), /not within 50 ms/);
});

test('clients that ask at the same time share one collection', async t => {
	let collections = 0;
	const collect = async () => {
		collections++;
		await pause(100);
		return 'up 1\n';
	};
	const {get} = await serve(t, {collect});
	await Promise.all(Array.from({length: 10}, async () => (await get('/metrics')).text()));
	t.true(collections < 10);
	await (await get('/metrics')).text();
	t.true(collections >= 2);
});

test('a client that does not read is let go', async t => {
	const {server} = await serve(t, {collect: async () => 'x'.repeat(64 * 1024 * 1024)}, {timeoutMillis: 150});
	const socket = connect(Number(server.url().port), '127.0.0.1');
	socket.on('error', () => {});
	await once(socket, 'connect');
	socket.pause();
	socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
	await pause(600);
	socket.resume();
	await once(socket, 'close');
	t.true(socket.bytesRead < 64 * 1024 * 1024);
});

test('a taken port is said, with the way out', async t => {
	const {server} = await serve(t);
	const second = createMetricsServer(
		{endpoint: {host: '127.0.0.1', port: Number(server.url().port)}},
		{collect: async () => '', readiness: () => ({})},
	);
	await t.throwsAsync(second.start(), {
		code: 'ERR_CONFIG',
		message: /metrics_endpoint: 127\.0\.0\.1:\d+ is taken .* choose another port/,
	});
	await second.shutdown();
});

test('shut down before, during and after the start, nothing listens', async t => {
	const make = () =>
		createMetricsServer({endpoint: {host: 'localhost', port: 0}}, {collect: async () => '', readiness: () => ({})});
	const before = make();
	await before.shutdown();
	await before.start();
	t.throws(() => before.url());
	const during = make();
	const started = during.start();
	await during.shutdown();
	await started;
	t.throws(() => during.url());
	const after = make();
	await after.start();
	const url = after.url();
	await fetch(url);
	await after.shutdown();
	await after.shutdown();
	await t.throwsAsync(fetch(url));
});

const hasIPv6 = Object.values(networkInterfaces()).some(addresses => addresses?.some(({address}) => address === '::1'));

(hasIPv6 ? test : test.skip)('an address of IPv6 is written in brackets', async t => {
	const {server, get} = await serve(t, {}, {endpoint: {host: '::1', port: 0}});
	t.regex(server.url().href, /^http:\/\/\[::1\]:\d+\/metrics$/);
	t.is((await get('/metrics')).status, 200);
});
