import test, {type ExecutionContext} from 'ava';
import {settleInventoryConsent} from '../../src/agent/inventory-consent.ts';
import {startAgent} from '../../src/agent.ts';
import {BridgeError} from '../../src/errors.ts';
import type {InventorySection} from '../../src/inventory.ts';
import {systemLabel} from '../../src/problem.ts';
import {inventorySubmission} from '../../src/service-information/inventory.ts';
import {openStore} from '../../src/store/store.ts';
import {alertRequest, configOf, post} from '../helpers/bridge.ts';
import {patience} from '../helpers/bridge-with-sandbox.ts';
import {eventually, temporaryDirectory} from '../helpers/listen.ts';
import {startSandbox} from '../helpers/sandbox.ts';
import {inventory, system} from '../helpers/submissions.ts';

/** In one file one after the other: the OpenTelemetry API is global. */
const one = test.serial;
const own = {name: 'this', machine_type: '8871', model: 'AC1', serial_number: 'J1A2B3C'};

type Settings = {
	readonly consent: Record<string, boolean>;
	readonly include?: readonly InventorySection[];
	readonly store?: Record<string, unknown>;
	readonly before?: string;
};

/** A bridge whose store holds inventories that an earlier one has queued. */
async function withWaiting(t: ExecutionContext, count: number, {consent, include = ['hardware'], store, before}: Settings) {
	const directory = await temporaryDirectory(t);
	const sandbox = await startSandbox(t);
	const config = configOf(directory, {
		system: own,
		consent,
		service_information: {inventory: {include, interval: '30d'}},
		destinations: {allow_loopback: true},
		exporter: {
			call_home_connect: {
				customer_number: '0000000',
				api_key: 'test-api-key',
				private_key: 'test-private-key',
				endpoint: sandbox.url().href,
				ca_file: sandbox.caFile,
			},
			retry_on_failure: {initial_interval: '100ms', max_interval: '1s'},
		},
		store,
	});
	const kept = await openStore({directory: config.store.directory, onFailure: t.log, onSetAside: t.log});
	const network = [{name: 'eth0', macAddress: '02:00:00:00:00:01', addresses: ['192.0.2.77']}];
	await kept.write(async records => {
		for (let index = 0; index < count; index++) {
			const machine = {...system, serialNumber: `J${index}`};
			await records.offer(inventorySubmission(machine, {...inventory, network}, Date.now() - 1000));
			await records.writeSetting(`inventory/${systemLabel(machine)}/redfish`, '{}');
		}
		await records.writeSetting('inventory.collected/host/', `${Date.now()} hardware`);
		if (before !== undefined) await records.writeSetting('inventory.include', before);
	});
	await kept.close();
	const said: string[] = [];
	const bridge = await startAgent(config, (_level, text) => said.push(text));
	t.teardown(() => bridge.shutdown());
	const arrived = (type: string) => sandbox.received().filter(({eventType}) => eventType === type);
	return {bridge, sandbox, said, arrived};
}

one('after consent is withdrawn, not even the heartbeats of the start wake what waited', async t => {
	const {bridge, arrived, said} = await withWaiting(t, 30, {consent: {cases: true}});
	await eventually(() => arrived('last_contact').length > 0, patience);
	t.is(await bridge.callHome.store.read.countSubmissionsOfType('inventory'), 0);
	t.true(said.some(text => text.startsWith('30 inventories that waited were taken back: consent.inventory is not given')));
	await bridge.shutdown();
	t.deepEqual(arrived('inventory'), []);
});

one('what is not included any more does not leave with what was queued before', async t => {
	const consent = {cases: true, inventory: true};
	const {bridge, arrived, sandbox, said} = await withWaiting(t, 3, {consent, before: 'hardware,network'});
	await eventually(() => arrived('inventory').length > 0, patience);
	t.true(said.some(text => text.startsWith('3 inventories that waited were taken back: they tell more than is included now')));
	await bridge.shutdown();
	t.is(arrived('inventory').length, 1, 'collected anew, of this machine');
	t.false(JSON.stringify(sandbox.received()).includes('192.0.2.77'));
});

one('who includes more, or the same, loses nothing that waits', async t => {
	const consent = {cases: true, inventory: true};
	const {bridge, arrived} = await withWaiting(t, 3, {consent, include: ['hardware', 'network'], before: 'hardware'});
	await eventually(() => arrived('inventory').length >= 3, patience);
	t.true(arrived('inventory').filter(message => JSON.stringify(message).includes('192.0.2.77')).length >= 3);
	await bridge.shutdown();
});

one('inventories that wait do not take the place of a fault in store.queue_capacity', async t => {
	const settings = {consent: {inventory: true}, before: 'hardware', store: {queue_capacity: 5}};
	const {bridge} = await withWaiting(t, 20, settings);
	const {status} = await post(bridge.urls.otlp, alertRequest({serial: 'J1A2B3C'}));
	t.is(status, 200);
	await bridge.shutdown();
});

test('when what waits cannot be taken back, no inventory leaves, and the bridge starts all the same', async t => {
	const said: string[] = [];
	const store = {write: () => Promise.reject(new BridgeError('ERR_STORE_FULL', 'the disk is full'))};
	const log = (_level: string, text: string) => said.push(text);
	for (const inventory of [true, false]) {
		const config = configOf('/var/empty', {consent: {cases: true, inventory}});
		t.false(await settleInventoryConsent(config, true, {store, log}));
	}
	const [text] = said;
	t.is(text, 'no inventory leaves: what waits could not be looked through: the disk is full');
});
