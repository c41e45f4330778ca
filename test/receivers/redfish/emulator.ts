import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {redfishReceiverSchema} from '../../../src/receivers/redfish/config.ts';
import {createRedfishInventories} from '../../../src/receivers/redfish/inventory.ts';
import {createRedfishReceiver} from '../../../src/receivers/redfish/receiver.ts';
import {eventually, freePort, temporaryDirectory} from '../../helpers/listen.ts';
import {requiredPeer, testWithPeer} from '../../helpers/peers.ts';
import {startProgram} from '../../helpers/program.ts';
import {started, watchSource} from '../../helpers/sources.ts';

/** OpenStack's emulator, with machines of its own making: it has no EventService, and no log services of a chassis. */
const settings = `
SUSHY_EMULATOR_FAKE_DRIVER = True
SUSHY_EMULATOR_FAKE_SYSTEMS = [{'uuid': '27946b59-9e44-4fa7-8e91-f3527a1ef094', 'name': 'fake1', 'power_state': 'Off',
  'external_notifier': False, 'nics': [{'mac': '00:5c:52:31:3a:9c', 'ip': '172.22.0.100'}]}]
`;

async function startEmulator(t: ExecutionContext): Promise<string> {
	const file = join(await temporaryDirectory(t), 'emulator.conf');
	await writeFile(file, settings);
	const port = await freePort();
	await startProgram(t, requiredPeer('sushy-emulator'), ['--config', file, '-i', '127.0.0.1', '-p', String(port)]);
	const url = `http://127.0.0.1:${port}`;
	await eventually(async () => (await fetch(`${url}/redfish/v1/`).catch(() => undefined))?.ok, {timeoutMillis: 60_000});
	return url;
}

testWithPeer(
	'sushy-emulator',
	'a machine of an emulator that nobody here wrote is read, and nothing is wrong with it',
	async t => {
		const url = await startEmulator(t);
		const {parts, events, readings, targets} = watchSource();
		const systems = [{url, username: 'u', password: 'p', name: 'db01'}];
		await started(t, createRedfishReceiver(redfishReceiverSchema.parse({systems, poll_interval: '500ms'}), parts));
		await eventually(() => readings.length >= 2, {timeoutMillis: 60_000});
		t.like(targets.at(-1), {state: 'working', reason: ''});
		t.like(readings.at(-1), {source: 'redfish', resource: {'host.name': 'db01', 'server.address': new URL(url).host}});
		t.true(
			readings
				.at(-1)
				?.readings.some(({metric}) => metric === 'hw.temperature' || metric === 'hw.fan.speed' || metric === 'hw.status'),
		);
		t.deepEqual(events, []);
	},
);

testWithPeer('sushy-emulator', 'an inventory of a machine of that emulator has what it shows', async t => {
	const url = await startEmulator(t);
	const {parts} = watchSource();
	const config = redfishReceiverSchema.parse({systems: [{url, username: 'u', password: 'p', name: 'db01'}]});
	const [source] = createRedfishInventories(config, parts);
	const collected = (await source?.collect(new Set(['hardware', 'firmware', 'network']), new AbortController().signal)) ?? [];
	t.is(collected.length, 1);
	const inventory = collected[0]?.inventory;
	t.like(collected[0]?.resource, {'host.name': 'db01', 'server.address': new URL(url).host});
	t.deepEqual(inventory?.machine, {vendor: 'Sushy Emulator', uuid: '27946b59-9e44-4fa7-8e91-f3527a1ef094'});
	t.deepEqual(
		inventory?.parts.map(({type, name, version}) => [type, name, version].filter(Boolean).join(' ')),
		[
			'enclosure Chassis',
			'enclosure fake1',
			'fan BaseBoard System Fan',
			'fan BaseBoard System Fan Backup',
			'firmware fake1-Manager 1.00',
		],
	);
	t.like(inventory?.parts[0], {vendor: 'Contoso', model: '3500RX', partNumber: '224071-J23', serialNumber: '437XR1138R2'});
	t.deepEqual(inventory?.network, [{name: '00:5c:52:31:3a:9c', macAddress: '00:5c:52:31:3a:9c', addresses: []}]);
	// Its own driver of made-up machines has no storage, and fails there.
	t.regex(inventory?.faults.join() ?? '', /^\S+\/Storage \(500\)$/);
});
