import test from 'ava';
import {readLights} from '../../src/sending/lights.ts';
import {alertRequest, post, scrape, startBridge} from '../helpers/bridge.ts';
import {eventually, freePort} from '../helpers/listen.ts';

test('a fault finds the second connection; the lights, the states and the order show it', async t => {
	const port = await freePort();
	const bridge = await startBridge(t, {
		system: {machine_type: '8871', model: 'AC1', serial_number: 'J1A2B3C'},
		connections: [{proxy: {url: `http://127.0.0.1:${port}`}}, {direct: {}}],
	});
	await post(bridge.urls.otlp, alertRequest({serial: 'J1A2B3C'}));
	const {store} = bridge.callHome;
	const destination = `127.0.0.1:${bridge.urls.sandbox?.port}`;
	await eventually(async () => (await readLights(store.read))[destination]?.case_opened !== undefined, {timeoutMillis: 60_000});

	const metrics = await scrape(bridge.urls.metrics);
	const at = `callhome_destination="${destination}"`;
	const stateOf = (connection: string, state: string) =>
		metrics.get(`callhome_connection_status{callhome_connection="${connection}",callhome_connection_state="${state}",${at}}`);
	t.is(stateOf(`proxy 127.0.0.1:${port}`, 'disconnected'), 1);
	t.is(stateOf('direct', 'connected'), 1);
	t.is(metrics.get(`callhome_connection_exhausted{${at}}`), 0);
	t.is(metrics.get('callhome_heartbeat_overdue'), 0);
	for (const light of ['reached', 'accepted', 'case_opened']) {
		const lit = metrics.get(`callhome_destination_last_success_timestamp_seconds{${at},callhome_light="${light}"}`);
		t.true(Math.abs((lit ?? 0) - Date.now() / 1000) < 120, light);
	}
	t.is(metrics.get(`callhome_destination_last_success_timestamp_seconds{${at},callhome_light="uploaded"}`), undefined);
	const [problem] = await store.read.listProblems({});
	const attempts = await store.read.attemptsOf(problem?.id ?? '');
	t.true(attempts.some(attempt => attempt.connection === 'direct' && attempt.destination === destination));
});
