import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as pause} from 'node:timers/promises';
import test from 'ava';
import {startCallHome} from '../../src/agent/embedded.ts';
import {readLights} from '../../src/sending/lights.ts';
import {scrape, settingsOf, startBridge} from '../helpers/bridge.ts';
import {startConnectProxy} from '../helpers/connect-proxy.ts';
import {eventually, freePort, temporaryDirectory} from '../helpers/listen.ts';

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
