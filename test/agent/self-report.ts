import test from 'ava';
import {startConnectionReports} from '../../src/agent/upkeep.ts';
import {readState} from '../../src/sending/connectivity-state.ts';
import {alertRequest, post} from '../helpers/bridge.ts';
import {patience, startBridgeWithSandbox} from '../helpers/bridge-with-sandbox.ts';
import {hour, minute, policyOf} from '../helpers/decisions.ts';
import {eventually, freePort} from '../helpers/listen.ts';

const system = {machine_type: '8871', model: 'AC1', serial_number: 'J1A2B3C'};

test('a path that stays broken is reported to IBM over the one that works, once in eight hours', async t => {
	const port = await freePort();
	const {sandbox, bridge, activities} = await startBridgeWithSandbox(t, {
		connections: [{proxy: {url: `http://127.0.0.1:${port}`}}, {direct: {}}],
	});
	const {store} = bridge.callHome;
	await post(bridge.urls.otlp, alertRequest({serial: 'J1A2B3C'}));
	const {paths} = await eventually(async () => {
		const state = await readState(store.read);
		const [proxy, direct] = state?.paths ?? [];
		return proxy?.state === 'disconnected' && direct?.state === 'connected' && state;
	}, patience);

	/** The reports of the agent, over what it has seen, as if the proxy had failed for a quarter of an hour by now. */
	const lost = paths.map(({connection, state, since = 0, lastSuccessAt, errorType}) => ({
		connection,
		state,
		since: since - 15 * minute,
		lastSuccessAt,
		errorType,
	}));
	const connections = paths.map(({connection}) => ({
		name: connection,
		kind: connection.startsWith('proxy') ? 'proxy' : 'direct',
	}));
	async function look(ahead: number) {
		await using stack = new AsyncDisposableStack();
		let looks = 0;
		const clock = () => {
			looks++;
			return Date.now() + ahead;
		};
		const upkeep = {store, policy: policyOf(), wake: () => {}, log: () => {}, stack};
		startConnectionReports(connections, () => lost, [{...system, match: {}}], upkeep, {clock, intervalMillis: 5});
		await eventually(() => looks > 5, patience);
	}
	await look(0);
	t.is((await activities('connection_lost')).length, 1, 'of all the looks one reports');
	await post(bridge.urls.otlp, alertRequest({serial: 'J1A2B3C', id: 'fan-1', type: 'fan'})); // Wakes the queue.
	const report = await eventually(
		() => sandbox.received().find(({eventType, eventId}) => eventType === 'status' && eventId.startsWith('status_connections')),
		patience,
	);
	t.like(report, {assetId: 'J1A2B3C', fate: 'accepted'});
	const sent = JSON.stringify(report);
	t.regex(sent, /ERR_CONNECTION_REFUSED/);
	t.false(sent.includes(String(port)), 'nothing of the network of the operator is in it');

	await look(8 * hour - minute);
	t.is((await activities('connection_lost')).length, 1);
	await look(8 * hour + minute);
	t.is((await activities('connection_lost')).length, 2);
});
