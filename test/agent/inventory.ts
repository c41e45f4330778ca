import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {giveOrder} from '../../src/agent/control.ts';
import {startAgent} from '../../src/agent.ts';
import {configOf, scrape, startBridge} from '../helpers/bridge.ts';
import {patience, startBridgeWithSandbox} from '../helpers/bridge-with-sandbox.ts';
import {eventually, listen, temporaryDirectory} from '../helpers/listen.ts';
import {wholeMachine} from '../helpers/redfish-machine.ts';
import {createRedfishService, machinePages} from '../helpers/redfish-service.ts';

const system = {name: 'this', machine_type: '8871', model: 'AC1', serial_number: 'J1A2B3C'};
const labels =
	'{callhome_system_model="AC1",callhome_system_serial_number="J1A2B3C",callhome_system_type="8871",host_name="this"}';
const lastSuccess = `callhome_system_inventory_last_success_timestamp_seconds${labels}`;
const due = `callhome_system_inventory_due_timestamp_seconds${labels}`;

/** In one file one after the other: the OpenTelemetry API is global. */
const one = test.serial;

const open = (t: ExecutionContext, settings: Record<string, unknown> = {}) =>
	startBridgeWithSandbox(t, {
		system,
		consent: {cases: true, inventory: true},
		service_information: {inventory: {interval: '1h'}},
		...settings,
	});

one('with consent the inventory of this machine arrives by itself, and the metrics tell when the next one is due', async t => {
	const {sandbox, bridge, activities} = await open(t);
	const [arrived] = await eventually(() => {
		const found = sandbox.received().filter(({eventType}) => eventType === 'inventory');
		return found.length > 0 && found;
	}, patience);
	t.is(arrived?.fate, 'accepted');
	const kept = JSON.stringify(arrived);
	t.true(kept.includes('"machine_type":"8871"'));
	t.false(kept.includes('addresses'), 'the network was not named');
	t.false(kept.includes('test-private-key'));
	const metrics = await eventually(async () => {
		const page = await scrape(bridge.urls.metrics);
		return page.has(lastSuccess) && page;
	}, patience);
	t.true(Math.abs((metrics.get(lastSuccess) ?? 0) - Date.now() / 1000) < 60);
	t.is((metrics.get(due) ?? 0) - (metrics.get(lastSuccess) ?? 0), 3600);
	t.is(metrics.get('callhome_inventory_interval_seconds'), 3600);
	t.regex((await activities('inventory_changed'))[0]?.text ?? '', /^inventory of this \(host\): \d+ parts, the first$/);
	await bridge.shutdown();
});

one('while IBM does not answer it stays queued and due, and it arrives afterwards', async t => {
	const {sandbox, bridge} = await open(t);
	sandbox.setMode('unavailable');
	const before = sandbox.received().filter(({eventType}) => eventType === 'inventory').length;
	await giveOrder(bridge.directory, {operation: 'collect_inventory', named: 'host'});
	await eventually(
		() => sandbox.received().some(({fate, eventType}) => eventType === 'inventory' && fate !== 'accepted'),
		patience,
	);
	t.true((await scrape(bridge.urls.metrics)).has(due));
	sandbox.setMode('normal');
	await eventually(
		() => sandbox.received().filter(({eventType, fate}) => eventType === 'inventory' && fate === 'accepted').length > before,
		patience,
	);
	await bridge.shutdown();
});

one('a machine behind a Redfish module is told with its parts, and one that nobody names is said with what to add', async t => {
	const password_file = join(await temporaryDirectory(t), 'password');
	await writeFile(password_file, 'hidden-word', {mode: 0o600});
	const unnamed = machinePages();
	const [known, stranger] = await Promise.all(
		[wholeMachine(), {...unnamed, '/redfish/v1/Systems/1': {...unnamed['/redfish/v1/Systems/1'], SerialNumber: undefined}}].map(
			async pages => (await listen(t, createRedfishService(pages).listener)).href,
		),
	);
	const systems = [
		{name: 'db01', url: known, username: 'operator', password_file},
		{name: 'db02', url: stranger, username: 'operator', password_file},
	];
	const {sandbox, bridge, activities} = await open(t, {receivers: {otlp: {endpoint: '127.0.0.1:0'}, redfish: {systems}}});
	const arrived = await eventually(
		() => sandbox.received().find(({eventType, assetId}) => eventType === 'inventory' && assetId === '78ABCDE'),
		patience,
	);
	const text = JSON.stringify(arrived.event.body);
	t.regex(text, /"source":"redfish"/);
	t.regex(text, /"type":"memory"/);
	t.false(text.includes('addresses'));
	const [failed] = await eventually(async () => {
		const found = await activities('inventory_failed');
		return found.length > 0 && found;
	}, patience);
	t.regex(
		failed?.text ?? '',
		/: db02 is not known: add under systems: - match: \{host\.name: "db02"\}, machine_type, model, serial_number$/,
	);
	t.false(JSON.stringify([bridge.said, text]).includes('hidden-word'));
	await bridge.shutdown();
});

one('without consent nothing is collected, and no metric speaks of inventories', async t => {
	const {sandbox, bridge} = await open(t, {consent: {cases: true}});
	await eventually(() => sandbox.received().some(({eventType}) => eventType === 'last_contact'), patience);
	const metrics = [...(await scrape(bridge.urls.metrics)).keys()];
	t.deepEqual(
		metrics.filter(name => /^callhome_(system_)?inventory/.test(name)),
		[],
	);
	await t.throwsAsync(giveOrder(bridge.directory, {operation: 'collect_inventory', named: ''}), {
		code: 'ERR_USAGE',
		message: /consent\.inventory/,
	});
	await bridge.shutdown();
});

one('when consent is withdrawn, what waits is taken back and never leaves', async t => {
	const directory = await temporaryDirectory(t);
	const said: string[] = [];
	const start = (inventory: boolean, mode: string) =>
		startAgent(
			configOf(directory, {
				system,
				exporter: {sandbox: {mode}, retry_on_failure: {initial_interval: '100ms', max_interval: '1s'}},
				consent: {cases: true, inventory},
			}),
			(_level, text) => said.push(text),
		);
	const first = await start(true, 'unavailable');
	t.teardown(() => first.shutdown());
	const waiting = async () =>
		(await first.callHome.store.read.dueSubmissions(Number.MAX_SAFE_INTEGER, [], 100)).some(({type}) => type === 'inventory');
	await eventually(waiting, patience);
	await first.shutdown();

	const second = await start(false, 'normal');
	t.teardown(() => second.shutdown());
	const queue = await second.callHome.store.read.dueSubmissions(Number.MAX_SAFE_INTEGER, [], 100);
	t.false(queue.some(({type}) => type === 'inventory'));
	t.true(said.some(text => text.startsWith('1 inventories that waited were taken back')));
	t.is((await second.callHome.store.read.listActivities({})).filter(({word}) => word === 'inventory_withdrawn').length, 1);
	await second.shutdown();
});

one('consent to inventory without consent to cases is said to send nothing', async t => {
	const bridge = await startBridge(t, {consent: {inventory: true}, system});
	t.true(bridge.said.some(text => /consent\.inventory alone sends nothing/.test(text)));
	t.false(bridge.said.some(text => text.startsWith('inventory of')));
	await bridge.shutdown();
});
