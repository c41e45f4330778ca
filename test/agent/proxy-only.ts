import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {alertRequest, post, startBridge} from '../helpers/bridge.ts';
import {eventually, freePort, temporaryDirectory} from '../helpers/listen.ts';
import {listenSocket} from '../helpers/tls-server.ts';
import {makeKeyPair, pemOf} from '../helpers/update-server.ts';

/** A port that counts who comes. */
async function watched(t: ExecutionContext, answer = '') {
	const seen = {connections: 0, bytes: ''};
	const port = await listenSocket(t, socket => {
		seen.connections++;
		socket
			.on('error', () => {})
			.on('data', chunk => {
				seen.bytes += chunk.toString('latin1');
				socket.end(answer);
			});
	});
	return {port, seen};
}

test('with proxies alone no direct connection is ever opened: for submissions, updates and telemetry', async t => {
	const directory = await temporaryDirectory(t);
	const [ibm, updates, plain, collector] = [await watched(t), await watched(t), await watched(t), await watched(t)];
	const proxy = await watched(t, 'HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n');
	const keyFile = join(directory, 'updates.pem');
	writeFileSync(keyFile, pemOf(makeKeyPair()));
	const bridge = await startBridge(t, {
		systems: [{match: {'host.name': 'db01'}, machine_type: '8871', model: 'AC1', serial_number: 'J1A2B3C'}],
		connections: [
			{proxy: {url: `http://127.0.0.1:${proxy.port}`, name: 'broken'}},
			{proxy: {url: `http://127.0.0.1:${await freePort()}`, name: 'gone'}},
		],
		destinations: {
			allow_loopback: true,
			updates: {
				url: `https://127.0.0.1:${updates.port}/callhome-updates.json`,
				http_url: `http://127.0.0.1:${plain.port}/callhome-updates.json`,
				public_key_file: keyFile,
			},
		},
		exporter: {
			call_home_connect: {
				customer_number: '7654321',
				api_key: 'a',
				private_key: 'b',
				endpoint: `https://127.0.0.1:${ibm.port}/connect/api/v1`,
			},
			retry_on_failure: {initial_interval: '50ms', max_interval: '100ms'},
		},
		telemetry: {otlp: {endpoint: `http://127.0.0.1:${collector.port}`, proxy: `http://127.0.0.1:${proxy.port}`}},
	});
	await post(bridge.urls.otlp, alertRequest({}));
	const {read} = bridge.callHome.store;
	await eventually(
		async () => {
			const [problem] = await read.listProblems({});
			const attempts = await read.attemptsOf(problem?.id ?? '');
			return attempts.length >= 8 && new Set(attempts.map(({connection}) => connection)).size === 2;
		},
		{timeoutMillis: 60_000},
	);
	t.is((await bridge.callHome.updates?.check())?.outcome, 'failed');
	await bridge.shutdown(); // Hands over the last of the telemetry.
	t.true(proxy.seen.connections > 0);
	for (const port of [ibm.port, updates.port, plain.port]) t.true(proxy.seen.bytes.includes(`127.0.0.1:${port}`));
	for (const {port, seen} of [ibm, updates, plain, collector]) t.is(seen.connections, 0, `port ${port}`);
});
