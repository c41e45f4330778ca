import {alertRequest, post, startBridge} from '../helpers/bridge.ts';
import {eventually, freePort} from '../helpers/listen.ts';
import {testWithPeer} from '../helpers/peers.ts';
import {startSquid} from '../helpers/squid.ts';

const patience = {timeoutMillis: 60_000, intervalMillis: 50};

testWithPeer('squid', 'when the only proxy is back, a problem does not wait for the hour until its next attempt', async t => {
	const port = await freePort();
	const bridge = await startBridge(t, {
		connections: [{proxy: {url: `http://127.0.0.1:${port}`}}],
		exporter: {sandbox: {}, retry_on_failure: {initial_interval: '1h', max_interval: '1h'}},
		service_information: {operational_test: {interval: '1s'}},
	});
	await post(bridge.urls.otlp, alertRequest({serial: 'J1A2B3C'}));
	const {store} = bridge.callHome;
	const words = async () => (await store.read.listActivities({})).map(({word}) => word);
	await eventually(async () => (await words()).includes('exhausted'), patience);
	t.is((await store.read.listProblems({}))[0]?.state, 'queued');

	await startSquid(t, {port});
	await eventually(async () => (await store.read.listProblems({}))[0]?.caseNumber !== undefined, patience);
	t.true((await words()).includes('recovered'));
});
