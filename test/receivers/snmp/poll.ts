import {createSocket} from 'node:dgram';
import {once} from 'node:events';
import test, {type ExecutionContext} from 'ava';
import type {HardwareEvent} from '../../../src/event.ts';
import {createSnmpReceiver} from '../../../src/receivers/snmp/receiver.ts';
import type {Reading} from '../../../src/source.ts';
import {eventually, temporaryDirectory} from '../../helpers/listen.ts';
import {testWithPeer} from '../../helpers/peers.ts';
import {type Kept, keptParts, snmpConfig} from '../../helpers/snmp.ts';
import {agentUser, immObjects, logLine, snmpAgent, snmpdAgent} from '../../helpers/snmp-agent.ts';

const patient = {timeoutMillis: 60_000};

async function polling(t: ExecutionContext, host: object, kept: Kept, poll: object = {}) {
	const hosts = [{host: '127.0.0.1', name: 'db01', ...host}];
	const usual = {interval: '200ms', timeout: '5s', max_interval: '400ms', recovery_delay: '0s'};
	const config = snmpConfig({poll: {...usual, hosts, ...poll}});
	const receiver = createSnmpReceiver(config, {...kept.parts, random: () => 0});
	t.teardown(() => receiver.shutdown());
	await receiver.start();
	return receiver;
}

const overV2c = (port: number) => ({port, version: '2c', community: 'imm'});

const readingOf = (readings: readonly Reading[] | undefined, metric: string, id: string, more: Record<string, string> = {}) =>
	readings?.find(
		reading =>
			reading.metric === metric &&
			reading.attributes['hw.id'] === id &&
			Object.entries(more).every(([name, value]) => reading.attributes[name] === value),
	)?.value;

const read = (kept: Kept) => eventually(() => kept.readings.get('db01'), patient);
const found = (kept: Kept, isIt: (event: HardwareEvent) => boolean) => eventually(() => kept.events.find(isIt), patient);

/** Until it has been read twice more. */
async function readAgain(kept: Kept): Promise<void> {
	for (let time = 0; time < 2; time++) {
		const last = kept.readings.get('db01');
		await eventually(() => kept.readings.get('db01') !== last, patient);
	}
}

const versions: Record<string, object> = {
	'1': {version: '1', community: 'imm'},
	'2c': {version: '2c', community: 'imm'},
};
for (const [version, how] of Object.entries(versions))
	testWithPeer('snmpsim-command-responder', `an IMM is read over SNMP version ${version}`, async t => {
		const agent = await snmpAgent(t, immObjects());
		await isRead(t, {port: agent.port, ...how});
	});

testWithPeer('snmpd', 'an IMM is read over SNMP version 3', async t => {
	const port = await snmpdAgent(t, await temporaryDirectory(t), immObjects());
	await isRead(t, {port, version: '3', user: agentUser});
});

testWithPeer(
	'snmpsim-command-responder',
	'readings say how often they are renewed, so that a slow poll is not hidden between',
	async t => {
		const agent = await snmpAgent(t, immObjects());
		const told: unknown[] = [];
		const kept = keptParts({measure: (...parameters) => told.push(parameters[4])});
		await polling(t, overV2c(agent.port), kept, {interval: '6h'});
		await eventually(() => told.length > 0, patient);
		t.deepEqual(told, [6 * 3_600_000]);
	},
);

async function isRead(t: ExecutionContext, host: {readonly port: number; readonly [key: string]: unknown}): Promise<void> {
	const kept = keptParts();
	await polling(t, host, kept);
	const readings = await read(kept);
	t.is(readingOf(readings, 'hw.temperature', 'temperature/ambient-temp'), 24);
	t.is(readingOf(readings, 'hw.host.ambient_temperature', 'temperature/ambient-temp'), 24);
	t.is(readingOf(readings, 'hw.temperature.limit', 'temperature/ambient-temp', {'hw.limit_type': 'high.critical'}), 43);
	t.is(readingOf(readings, 'hw.temperature.limit', 'temperature/ambient-temp', {'hw.limit_type': 'low.critical'}), undefined);
	t.is(readingOf(readings, 'hw.temperature', 'temperature/cpu-2-temp'), undefined, 'an absent sensor reads nothing');
	t.is(readingOf(readings, 'hw.voltage', 'voltage/cmos-battery'), 3.136);
	t.is(readingOf(readings, 'hw.fan.speed_ratio', 'fan/1a'), 0.35);
	t.is(readingOf(readings, 'hw.fan.speed_ratio', 'fan/2a'), undefined, 'a fan that is off has no speed');
	t.is(readingOf(readings, 'hw.status', 'fan/2a'), undefined, 'nor a state');
	for (const [state, value] of Object.entries({ok: 1, degraded: 0, failed: 0, predicted_failure: 0, needs_cleaning: 0}))
		for (const id of ['physical_disk/3', 'power_supply/1', 'memory/1', 'cpu/1', 'enclosure/system'])
			t.is(readingOf(readings, 'hw.status', id, {'hw.state': state}), value, `${id} ${state}`);
	await readAgain(kept);
	t.is(kept.lines.filter(line => line.includes('no traps of warning alerts')).length, 1);
	t.deepEqual(kept.events, []);
	t.like(kept.targets.at(-1), {source: 'snmp/poll', target: `127.0.0.1:${host.port}`, state: 'working'});
}

testWithPeer('snmpsim-command-responder', 'a part that fails is told once, and again when it is well', async t => {
	const agent = await snmpAgent(t, immObjects());
	const kept = keptParts();
	await polling(t, overV2c(agent.port), kept);
	await read(kept);
	await agent.change(immObjects({health: 2, disk: 'Critical'}));
	const failed = await found(kept, () => true);
	t.like(failed.attributes, {'hw.id': 'physical_disk/3', 'hw.type': 'physical_disk', 'hw.name': 'Drive 3', 'hw.state': 'failed'});
	t.like(failed.measurement, {metric: 'hw.status', kind: 'state', value: 1});
	t.like(failed.resource, {
		'host.name': 'db01',
		'host.ip': '127.0.0.1',
		'callhome.system.type': '8871',
		'callhome.system.model': 'AC1',
		'callhome.system.serial_number': '06ABCDE',
	});
	await readAgain(kept);
	t.is(kept.events.length, 1, 'neither again, nor for the machine as a whole');
	await agent.change(immObjects());
	const well = await found(kept, ({measurement}) => measurement?.value === 0);
	t.is(well.measurement?.series, failed.measurement?.series);
	t.deepEqual(
		kept.events.map(({message}) => message),
		['Drive 3: failed', 'Drive 3: no longer failed'],
	);
});

testWithPeer('snmpsim-command-responder', 'the health of the machine counts where no part explains it', async t => {
	const agent = await snmpAgent(t, immObjects({health: 4}));
	const kept = keptParts();
	await polling(t, overV2c(agent.port), kept);
	const event = await found(kept, () => true);
	t.like(event.attributes, {'hw.id': 'enclosure/system', 'hw.state': 'degraded'});
	t.regex(event.message, /Fan 1A has failed/);
});

testWithPeer('snmpsim-command-responder', 'a temperature beyond its limit is told where the module judges nothing', async t => {
	const agent = await snmpAgent(t, immObjects({ambient: 40}));
	const kept = keptParts();
	await polling(t, overV2c(agent.port), kept);
	t.like((await found(kept, () => true)).attributes, {'hw.id': 'temperature/ambient-temp', 'hw.state': 'degraded'});
	await agent.change(immObjects({ambient: 38}));
	await readAgain(kept);
	t.deepEqual(
		kept.events.map(({message}) => message),
		['Ambient Temp: degraded'],
		'it is not yet far enough below the limit',
	);
	await agent.change(immObjects({ambient: 35}));
	await found(kept, ({measurement}) => measurement?.value === 0);
	await agent.change(immObjects({ambient: 44}));
	await found(kept, ({attributes}) => attributes['hw.state'] === 'failed');
	t.is(kept.events.length, 3);
});

const old = [
	logLine('The Drive "Drive 1" has been disabled due to a detected fault.', 0, '07:00:00'),
	logLine('started', 2, '08:00:00'),
];
const fault = logLine('The Drive "Drive 3" has been disabled due to a detected fault.', 0, '09:00:00');

testWithPeer(
	'snmpsim-command-responder',
	'the event log is told from where it stood, also after a restart and a clear',
	async t => {
		const agent = await snmpAgent(t, immObjects({log: old}));
		const kept = keptParts();
		const first = await polling(t, overV2c(agent.port), kept);
		await read(kept);
		t.deepEqual(kept.events, [], 'what was there before is old');
		await first.shutdown();
		await agent.change(immObjects({log: [...old, fault, logLine('Remote login of somebody', 2, '09:01:00')]}));
		const second = await polling(t, overV2c(agent.port), kept);
		const event = await found(kept, () => true);
		t.like(event, {message: fault[2], source: 'snmp/log'});
		t.like(event.attributes, {'hw.id': 'physical_disk/3', 'hw.state': 'failed', 'snmp.eventLogDate': '11/26/2026'});
		await readAgain(kept);
		t.is(kept.events.length, 1);
		const next = logLine('The Drive "Drive 4" has been disabled due to a detected fault.', 0, '09:30:00');
		await agent.change(immObjects({log: [logLine('The event log was cleared by somebody', 2, '09:29:00'), next]}));
		await found(kept, ({message}) => message === next[2]);
		t.is(kept.events.length, 2);
		t.true(kept.lines.some(line => line.includes('its event log was cleared')));
		const recovered = logLine('The Drive "Drive 4" has recovered from the fault.', 2, '09:40:00');
		await agent.change(immObjects({log: [recovered, next]}));
		t.like((await found(kept, ({message}) => message === recovered[2])).attributes, {
			'hw.id': 'physical_disk/4',
			'hw.state': 'ok',
		});
		const told = kept.events.length;
		await agent.change(immObjects({log: []}));
		await eventually(() => kept.lines.filter(line => line.includes('its event log was cleared')).length === 2, patient);
		await agent.change(immObjects({log: [recovered, next]}));
		await readAgain(kept);
		t.is(kept.events.length, told, 'a log that was empty for a while, as after a start of the module, holds nothing new');
		await second.shutdown();
	},
);

testWithPeer('snmpsim-command-responder', 'a part that was replaced is told', async t => {
	const before = [{2: '00Y2473', 3: 'Drive 0', 4: 'OLD1', 5: 'IBM', 6: 'added', 7: '01/02/2025'}];
	const agent = await snmpAgent(t, immObjects({changes: before}));
	const kept = keptParts();
	await polling(t, overV2c(agent.port), kept);
	await read(kept);
	const after = [...before, {2: '00Y2473', 3: 'Drive 3', 4: 'NEW1', 5: 'IBM', 6: 'added', 7: '11/26/2026'}];
	await agent.change(immObjects({changes: after}));
	const event = await found(kept, () => true);
	t.like(event.attributes, {'hw.serial_number': 'NEW1', 'hw.name': 'Drive 3', 'callhome.serviceable': false});
	t.is(event.source, 'snmp/changes');
});

testWithPeer('snmpsim-command-responder', 'an XCC has the same under a root of its own', async t => {
	const agent = await snmpAgent(t, immObjects({base: '1.3.6.1.4.1.19046.11.1', supply: 'Critical'}));
	const kept = keptParts();
	await polling(t, {...overV2c(agent.port), profile: 'xcc', machine_type: '7x06', model: 'CTO1', serial_number: 'J3001'}, kept);
	const event = await found(kept, () => true);
	t.like(event.attributes, {'hw.id': 'power_supply/1', 'hw.state': 'failed'});
	t.like(event.resource, {
		'callhome.system.type': '7X06',
		'callhome.system.model': 'CTO1',
		'callhome.system.serial_number': 'J3001',
	});
});

testWithPeer(
	'snmpsim-command-responder',
	'a disk that flickers is one fault, and its recovery is told when it lasts',
	async t => {
		let ahead = 0;
		const agent = await snmpAgent(t, immObjects());
		const kept = keptParts({now: () => Date.now() + ahead});
		await polling(t, overV2c(agent.port), kept, {recovery_delay: '5m'});
		await read(kept);
		for (const state of ['Critical', 'Normal', 'Critical', 'Normal']) {
			await agent.change(immObjects({health: state === 'Critical' ? 2 : 255, disk: state}));
			await readAgain(kept);
		}
		const levels = () => kept.events.map(({attributes, measurement}) => `${attributes['hw.id']} ${measurement?.value}`);
		t.deepEqual(levels(), ['physical_disk/3 1']);
		t.is(
			readingOf(kept.readings.get('db01'), 'hw.status', 'physical_disk/3', {'hw.state': 'ok'}),
			1,
			'the metric shows it as it is',
		);
		ahead = 6 * 60_000;
		await found(kept, ({measurement}) => measurement?.value === 0);
		t.deepEqual(levels(), ['physical_disk/3 1', 'physical_disk/3 0']);
	},
);

const wrongUsers: Record<string, [changes: object, reason: RegExp]> = {
	'a wrong password': [{auth_password: 'guess-of-somebody'}, /password or the protocol for authentication/],
	'an unknown user': [{name: 'nobody'}, /does not know the user/],
};
for (const [title, [changes, reason]] of Object.entries(wrongUsers))
	testWithPeer('snmpd', `${title} stops the asking`, async t => {
		const port = await snmpdAgent(t, await temporaryDirectory(t), immObjects());
		const kept = keptParts();
		const first = await polling(t, {port, version: '3', user: {...agentUser, ...changes}}, kept);
		const target = await eventually(() => kept.targets[0], patient);
		t.is(target.state, 'stopped');
		t.regex(target.reason, reason);
		await new Promise(resolve => setTimeout(resolve, 1500));
		t.is(kept.targets.length, 1, 'it is not asked again');
		await first.shutdown();
		const again = await polling(t, {port, version: '3', user: {...agentUser, ...changes}}, kept);
		await eventually(() => kept.targets.length === 2, patient);
		t.regex(kept.targets[1]?.reason ?? '', /refused this user a short time ago/);
		await again.shutdown();
		await polling(t, {port, version: '3', user: agentUser}, kept);
		await read(kept);
		t.notRegex(JSON.stringify(kept.targets) + kept.lines.join(), /guess-of|proof-of|privacy-of/);
	});

test('a host that does not answer is asked ever less often, and does not hold up the others', async t => {
	const silent = createSocket('udp4').bind(0, '127.0.0.1');
	await once(silent, 'listening');
	t.teardown(() => silent.close());
	const asked: number[] = [];
	silent.on('message', () => asked.push(performance.now()));
	const kept = keptParts();
	const poll = {interval: '100ms', timeout: '50ms', retries: 0, max_interval: '10s'};
	await polling(t, {...overV2c(silent.address().port)}, kept, poll);
	await eventually(() => asked.length >= 5, patient);
	const [first = 0, second = 0, , , fifth = 0] = asked;
	t.true(second - first < (fifth - second) / 2);
	t.like(kept.targets[0], {state: 'failing'});
	t.regex(kept.targets[0]?.reason ?? '', /community/);
});

test('answers that are no SNMP, or come from elsewhere, are no answers', async t => {
	const [agent, other] = [createSocket('udp4').bind(0, '127.0.0.1'), createSocket('udp4')];
	await once(agent, 'listening');
	t.teardown(() => [agent, other].map(socket => socket.close()));
	let asked = 0;
	agent.on('message', (request, {port, address}) => {
		asked++;
		const answer = Buffer.from(request);
		const tag = answer.indexOf(0xa0);
		answer[tag] = 0xa2;
		other.send(answer, port, address);
		agent.send(Buffer.from('30820000ffff', 'hex'), port, address);
		agent.send(answer.subarray(0, 20), port, address);
	});
	const kept = keptParts();
	await polling(t, overV2c(agent.address().port), kept, {timeout: '300ms', retries: 1});
	await eventually(() => kept.targets.length > 0, patient);
	t.is(kept.targets[0]?.state, 'failing');
	t.true(asked >= 2);
	t.is(kept.readings.size, 0);
});
