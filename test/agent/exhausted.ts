import test from 'ava';
import {alertRequest, post, scrape, startBridge} from '../helpers/bridge.ts';
import {eventually, freePort} from '../helpers/listen.ts';

test('a bridge without any way out says so once, with the age of what waits, and shows it', async t => {
	const port = await freePort();
	const bridge = await startBridge(t, {connections: [{proxy: {url: `http://127.0.0.1:${port}`}}]});
	await post(bridge.urls.otlp, alertRequest({serial: 'J1A2B3C'}));
	const {store} = bridge.callHome;
	const said = async () => (await store.read.listActivities({})).filter(({word}) => word === 'exhausted');
	await eventually(async () => (await said()).length > 0);
	await eventually(async () => (await store.read.dueSubmissions(Number.MAX_SAFE_INTEGER, [], 1))[0]?.attempts === 3, {
		timeoutMillis: 60_000,
	});
	const [line, ...more] = await said();
	t.deepEqual(more, []);
	t.is(line?.level, 'error');
	t.regex(
		line?.text ?? '',
		/^no connection leads to 127\.0\.0\.1:\d+; the oldest problem waits for \d+ s\. proxy 127\.0\.0\.1:\d+ to/,
	);
	t.is(bridge.said.filter(text => text.startsWith('error no connection leads to')).length, 1);

	const metrics = await scrape(bridge.urls.metrics);
	const destination = `callhome_destination="127.0.0.1:${bridge.urls.sandbox?.port}"`;
	t.is(metrics.get(`callhome_connection_exhausted{${destination}}`), 1);
	t.is(
		metrics.get(
			`callhome_connection_status{callhome_connection="proxy 127.0.0.1:${port}",callhome_connection_state="disconnected",${destination}}`,
		),
		1,
	);
	t.is(metrics.get('callhome_heartbeat_overdue'), undefined, 'no system, no heartbeat');
	t.deepEqual(
		[...metrics.keys()].filter(name => name.startsWith('callhome_destination_last_success')),
		[],
	);
});
