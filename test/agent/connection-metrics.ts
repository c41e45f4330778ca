import test from 'ava';
import {readState} from '../../src/sending/connectivity-state.ts';
import {startBlackHole} from '../helpers/black-hole.ts';
import {alertRequest, post, scrape, startBridge} from '../helpers/bridge.ts';
import {eventually} from '../helpers/listen.ts';

const patience = {timeoutMillis: 60_000, intervalMillis: 50};

test('after a start every path is unknown; a black hole is found out, and the next connection delivers', async t => {
	const proxy = {name: 'hole', proxy: {url: `http://127.0.0.1:${await startBlackHole(t)}`, connect_timeout: '500ms'}};
	const bridge = await startBridge(t, {
		service_information: {operational_test: false},
		connections: [proxy, {direct: {}}],
	});
	const destination = `127.0.0.1:${bridge.urls.sandbox?.port}`;
	const at = `callhome_destination="${destination}"`;
	const statesOf = (metrics: Map<string, number>, connection: string) =>
		['connected', 'degraded', 'disconnected', 'unknown'].map(state =>
			metrics.get(`callhome_connection_status{callhome_connection="${connection}",callhome_connection_state="${state}",${at}}`),
		);
	const before = await scrape(bridge.urls.metrics);
	for (const connection of ['hole', 'direct']) t.deepEqual(statesOf(before, connection), [0, 0, 0, 1], connection);
	t.is(before.get(`callhome_connection_exhausted{${at}}`), 0);
	t.deepEqual(
		[...before.keys()].filter(name => name.startsWith('callhome_connection_last_success')),
		[],
		'nothing before the first answer',
	);

	await post(bridge.urls.otlp, alertRequest({serial: 'J1A2B3C'}));
	await eventually(async () => (await readState(bridge.callHome.store.read))?.paths[1]?.state === 'connected', patience);
	const after = await scrape(bridge.urls.metrics);
	t.deepEqual(statesOf(after, 'hole'), [0, 0, 1, 0]);
	t.deepEqual(statesOf(after, 'direct'), [1, 0, 0, 0]);
	t.is(after.get(`callhome_connection_exhausted{${at}}`), 0);
	const [problem] = await bridge.callHome.store.read.listProblems({});
	const [first, second] = await bridge.callHome.store.read.attemptsOf(problem?.id ?? '');
	t.like(first, {connection: 'hole', error_type: 'ERR_CONNECTION_TIMEOUT'});
	t.like(second, {connection: 'direct', status_code: 200});
});
