import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {redfishReceiverSchema} from '../../../src/receivers/redfish/config.ts';
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

testWithPeer(
	'sushy-emulator',
	'a machine of an emulator that nobody here wrote is read, and nothing is wrong with it',
	async t => {
		const file = join(await temporaryDirectory(t), 'emulator.conf');
		await writeFile(file, settings);
		const port = await freePort();
		const emulator = requiredPeer('sushy-emulator');
		await startProgram(t, emulator, ['--config', file, '-i', '127.0.0.1', '-p', String(port)]);
		const url = `http://127.0.0.1:${port}`;
		await eventually(async () => (await fetch(`${url}/redfish/v1/`).catch(() => undefined))?.ok, {timeoutMillis: 60_000});
		const {parts, events, readings, targets} = watchSource();
		const systems = [{url, username: 'u', password: 'p', name: 'db01'}];
		await started(t, createRedfishReceiver(redfishReceiverSchema.parse({systems, poll_interval: '500ms'}), parts));
		await eventually(() => readings.length >= 2, {timeoutMillis: 60_000});
		t.like(targets.at(-1), {state: 'working', reason: ''});
		t.like(readings.at(-1), {source: 'redfish', resource: {'host.name': 'db01', 'server.address': `127.0.0.1:${port}`}});
		t.true(
			readings
				.at(-1)
				?.readings.some(({metric}) => metric === 'hw.temperature' || metric === 'hw.fan.speed' || metric === 'hw.status'),
		);
		t.deepEqual(events, []);
	},
);
