import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as pause} from 'node:timers/promises';
import test from 'ava';
import {startCallHome} from '../../src/agent/embedded.ts';
import {walkDoubtful} from '../../src/agent/operational-test.ts';
import type {PathObservation} from '../../src/sending/connection-health.ts';
import {readLights} from '../../src/sending/lights.ts';
import {scrape, settingsOf, startBridge} from '../helpers/bridge.ts';
import {startConnectProxy} from '../helpers/connect-proxy.ts';
import {eventually, freePort, temporaryDirectory} from '../helpers/listen.ts';
import {listenSocket, listenTls} from '../helpers/tls-server.ts';
import {localhost, wayOut} from '../helpers/ways-out.ts';

test('connections that nothing is sent over are walked on a schedule, and shown as used ones are', async t => {
	const dead = await freePort();
	const good = await startConnectProxy(t);
	const bridge = await startBridge(t, {
		connections: [
			{direct: {name: 'first'}},
			{proxy: {name: 'good', url: `http://127.0.0.1:${good.port}`}},
			{proxy: {name: 'dead', url: `http://user:hunter2@127.0.0.1:${dead}`}},
		],
		service_information: {operational_test: {interval: '1s'}},
	});
	const {store} = bridge.callHome;
	const destination = `127.0.0.1:${bridge.urls.sandbox?.port}`;
	const at = `callhome_destination="${destination}"`;
	const stateOf = (page: Map<string, number>, connection: string, state: string) =>
		page.get(`callhome_connection_status{callhome_connection="${connection}",callhome_connection_state="${state}",${at}}`);
	const metrics = await eventually(
		async () => {
			const page = await scrape(bridge.urls.metrics);
			return stateOf(page, 'dead', 'disconnected') === 1 && stateOf(page, 'good', 'connected') === 1 && page;
		},
		{timeoutMillis: 60_000},
	);
	t.is(stateOf(metrics, 'first', 'connected'), 1, 'nothing was sent over it, and it is known');
	const failures = `callhome_connection_stage_failures_total{callhome_connection="dead",callhome_connection_stage="connection",${at},error_type="ERR_CONNECTION_REFUSED"}`;
	t.true((metrics.get(failures) ?? 0) >= 1);
	t.is(
		[...metrics.keys()].find(name => name.startsWith('callhome_connection_attempts')),
		undefined,
		'a walk is no attempt to send something',
	);

	const lights = await eventually(async () => (await readLights(store.read))[destination]);
	t.deepEqual(Object.keys(lights), ['reached'], 'and nothing is known to be accepted');
	const activities = await eventually(async () => {
		const found = (await store.read.listActivities({})).filter(({word}) => word === 'path_failed');
		return found.length > 0 && found;
	});
	t.regex(activities[0]?.text ?? '', /^dead -> 127\.0\.0\.1:\d+ {2}FAILED at TCP: no proxy listens there/);
	t.false(JSON.stringify([activities, bridge.said]).includes('hunter2'));
	const cases = await bridge.sandbox?.('', {method: 'GET', path: '/sandbox/cases'});
	t.is(cases?.text, '{"cases":[]}', 'no case comes of it');
});

for (const [title, settings] of Object.entries({
	'before activation nothing is walked': {consent: {}},
	'operational_test: false switches it off': {service_information: {operational_test: false}},
})) {
	test(title, async t => {
		const proxy = await startConnectProxy(t);
		const directory = await temporaryDirectory(t);
		const file = join(directory, 'callhome.yaml');
		const connections = [{proxy: {url: `http://127.0.0.1:${proxy.port}`}}];
		const often = {service_information: {operational_test: {interval: '1s'}}};
		writeFileSync(file, JSON.stringify(settingsOf(directory, {...often, connections, ...settings})));
		const callHome = await startCallHome({config: file, log: () => {}});
		t.teardown(() => callHome.shutdown());
		await pause(3000); // The first run comes after one to two intervals.
		t.deepEqual(proxy.requests, []);
	});
}

test('paths in doubt are walked at once, and a walk that a shutdown cuts short says nothing', async t => {
	const url = await listenTls(t, localhost, (_request, response) => response.writeHead(404).end());
	const [dead, silent] = [await freePort(), await listenSocket(t, () => {})];
	const good = await startConnectProxy(t);
	const proxies = {dead, silent, good: good.port};
	const connections = Object.entries(proxies).map(([name, port]) => wayOut(t, {proxy: {name, url: `http://127.0.0.1:${port}`}}));
	const server = {host: 'localhost', port: Number(url.port)};
	const seen: [connection: string, result: PathObservation][] = [];
	const health = {
		doubtful: () => connections.map(({name}) => ({connection: name, destination: url.host})),
		observe: (connection: string, _destination: string, result: PathObservation) => void seen.push([connection, result]),
	};
	const stack = new AsyncDisposableStack();
	walkDoubtful(url, 60_000, {connectivity: {health}, connections, servers: () => [server]}, {log: () => {}, stack});
	await eventually(() => seen.length === 2);
	await stack.disposeAsync();
	const results = Object.fromEntries(seen);
	t.like(results.dead, {ok: false, errorType: 'ERR_CONNECTION_REFUSED', everywhere: false});
	t.like(results.good, {ok: false, uncertain: true, errorType: 'ERR_NOT_IBM'}, 'it is asked what a submission would meet');
	t.deepEqual(Object.keys(results).sort(), ['dead', 'good']);
});
