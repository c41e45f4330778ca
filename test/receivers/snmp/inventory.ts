import {createSocket} from 'node:dgram';
import {once} from 'node:events';
import test, {type ExecutionContext} from 'ava';
import type {Collected, InventorySection} from '../../../src/inventory.ts';
import {createSnmpInventories} from '../../../src/receivers/snmp/inventory.ts';
import {createSnmpReceiver} from '../../../src/receivers/snmp/receiver.ts';
import {eventually, temporaryDirectory} from '../../helpers/listen.ts';
import {testWithPeer} from '../../helpers/peers.ts';
import {type Kept, keptParts, snmpConfig} from '../../helpers/snmp.ts';
import {agentUser, immBase, immObjects, type Objects, snmpAgent, snmpdAgent, tableObjects} from '../../helpers/snmp-agent.ts';

const patient = {timeoutMillis: 60_000};
const all: ReadonlySet<InventorySection> = new Set(['hardware', 'firmware', 'network'] as const);
const never = new AbortController().signal;
const overV2c = (port: number) => ({port, version: '2c', community: 'imm'});

const configOf = (host: object, poll: object = {}) =>
	snmpConfig({poll: {interval: '200ms', timeout: '5s', ...poll, hosts: [{host: '127.0.0.1', name: 'db01', ...host}]}});

async function collected(host: object, kept: Kept, {sections = all, signal = never, poll = {}} = {}): Promise<Collected> {
	const [source] = createSnmpInventories(configOf(host, poll), kept.parts);
	const [found, ...others] = (await source?.collect(sections, signal)) ?? [];
	if (!found || others.length > 0) throw new Error('not one machine');
	return found;
}

/** An IMM2 with its vital product data, and what real ones leave blank. */
const vpdObjects = (base = immBase): Objects => {
	const table = (entry: string, rows: Parameters<typeof tableObjects>[1]) => tableObjects(entry, rows, base);
	return {
		...immObjects({base}),
		...table('1.5.1.1', [
			{2: 'UEFI', 3: 'VVE134MUS 1.61', 4: '10/12/2014'},
			{2: 'IMM', 3: '1AOO62G 4.50', 4: ''},
			{2: 'DSA', 3: '', 4: ''},
		]),
		...table('1.5.17.1', [
			{2: '00AM409', 3: 'Planar', 4: 'Y130UF4AB123', 5: 'IBM '},
			{2: '94Y8136', 3: 'Power Module 1', 4: 'K10511', 5: 'DELT'},
			{2: '00D5038', 3: 'DIMM 1', 4: 'OTHER', 5: 'SAMSUNG'},
		]),
		...table('1.5.19.1', [{2: 'Host Ethernet MAC Address 1', 3: '40:F2:E9:00:00:01'}]),
		...table('1.5.20.1', [{2: 'CPU 1', 3: 2600, 6: 'Xeon', 7: 8, 8: 16, 11: 'Normal', 12: 'E5-2650 v2'}]),
		...table('1.5.21.1', [{2: 'DIMM 1', 3: '00D5036', 4: 'SN123', 6: 'DDR3', 7: 16, 8: 'Normal', 9: 1866}]),
	};
};

const expected = [
	{
		type: 'cpu',
		id: 'cpu/1',
		name: 'CPU 1',
		model: 'E5-2650 v2',
		properties: {cores: 8, threads: 16, speed_mhz: 2600},
	},
	{
		type: 'firmware',
		id: 'firmware/imm',
		name: 'IMM',
		version: '1AOO62G 4.50',
	},
	{
		type: 'firmware',
		id: 'firmware/uefi',
		name: 'UEFI',
		version: 'VVE134MUS 1.61',
		properties: {release_date: '10/12/2014'},
	},
	{
		type: 'memory',
		id: 'memory/1',
		name: 'DIMM 1',
		partNumber: '00D5036',
		fruNumber: '00D5038',
		serialNumber: 'SN123',
		vendor: 'SAMSUNG',
		size: 16 * 1024 ** 3,
		properties: {technology: 'DDR3', speed_mhz: 1866},
	},
	{type: 'physical_disk', id: 'physical_disk/0', name: 'Drive 0'},
	{type: 'physical_disk', id: 'physical_disk/3', name: 'Drive 3'},
	{
		type: 'power_supply',
		id: 'power_supply/1',
		name: 'Power Module 1',
		fruNumber: '94Y8136',
		serialNumber: 'K10511',
		vendor: 'DELT',
	},
	{
		type: 'system_board',
		id: 'system_board/planar',
		name: 'Planar',
		fruNumber: '00AM409',
		serialNumber: 'Y130UF4AB123',
		vendor: 'IBM',
	},
];

testWithPeer('snmpsim-command-responder', 'an IMM tells its machine, its parts, its firmware and its addresses', async t => {
	const {port} = await snmpAgent(t, vpdObjects());
	const kept = keptParts();
	const receiver = createSnmpReceiver(configOf(overV2c(port)), {
		...kept.parts,
		measure: (_source, resource) => resources.push(resource),
	});
	const resources: unknown[] = [];
	t.teardown(() => receiver.shutdown());
	await receiver.start();
	const {resource, inventory} = await collected(overV2c(port), kept);
	t.like(resource, {'host.name': 'db01', 'callhome.system.type': '8871', 'callhome.system.model': 'AC1'});
	await eventually(() => resources.length > 0, patient);
	t.deepEqual(resource, resources[0]);
	t.deepEqual(inventory.machine, {
		product: 'System x3650 M4',
		serialNumber: '06ABCDE',
		uuid: 'D9A1F3C2D5E811E08B7A5CF3FC3E0F3C',
		kind: 'physical',
	});
	t.deepEqual(inventory.parts, expected);
	t.deepEqual(inventory.network, [{name: 'Host Ethernet MAC Address 1', macAddress: '40:F2:E9:00:00:01', addresses: []}]);
	t.deepEqual(inventory.faults, []);
	t.deepEqual((await collected(overV2c(port), kept)).inventory.parts, expected);
	const hardware = await collected(overV2c(port), kept, {sections: new Set(['hardware'])});
	t.deepEqual(
		hardware.inventory.parts,
		expected.filter(({type}) => type !== 'firmware'),
	);
	t.false('network' in hardware.inventory);
	const firmware = await collected(overV2c(port), kept, {sections: new Set(['firmware'])});
	t.deepEqual([firmware.inventory.machine, firmware.inventory.parts.length], [{}, 2]);
});

testWithPeer('snmpd', 'an XCC tells the same over SNMPv3, and a refused user is told by its code and remembered', async t => {
	const port = await snmpdAgent(t, await temporaryDirectory(t), vpdObjects('1.3.6.1.4.1.19046.11.1'));
	const kept = keptParts();
	const xcc = {port, version: '3', user: agentUser, profile: 'xcc'};
	const {inventory} = await collected(xcc, kept);
	t.deepEqual(inventory.parts, expected);
	t.deepEqual(inventory.faults, []);
	const wrong = {...xcc, user: {...agentUser, auth_password: 'another-proof'}};
	const refused = {code: 'ERR_LOGIN_REFUSED', message: new RegExp(`^SNMP 127.0.0.1:${port}: the password .*refused_pause`)};
	const error = await t.throwsAsync(collected(wrong, kept), refused);
	t.notRegex(String(error), /another-proof/);
	await t.throwsAsync(collected(wrong, kept), {...refused, message: /refused this user a short time ago/});
	const receiver = createSnmpReceiver(configOf(wrong), kept.parts);
	t.teardown(() => receiver.shutdown());
	await receiver.start();
	await eventually(() => kept.targets.at(-1)?.state === 'stopped', patient);
	t.regex(kept.targets.at(-1)?.reason ?? '', /refused this user a short time ago/);
	t.is((await collected(xcc, kept)).inventory.parts.length, expected.length);
	t.notRegex(JSON.stringify([kept.lines, kept.targets, [...kept.marks]]), /another-proof|proof-of-the-reader/);
});

const entity = '1.3.6.1.2.1.47.1.1.1.1';
const entityObjects = (rows: Readonly<Record<number, Readonly<Record<number, number | string>>>>): Objects =>
	Object.fromEntries(
		Object.entries(rows).flatMap(([index, row]) =>
			Object.entries(row).map(([column, value]) => [`${entity}.${column}.${index}`, value]),
		),
	);

testWithPeer('snmpsim-command-responder', 'an agent that is no IMM tells its parts by the ENTITY-MIB', async t => {
	const {port} = await snmpAgent(
		t,
		entityObjects({
			1: {2: 'Switch', 4: 0, 5: 3, 7: 'Chassis', 8: 'V01', 9: '', 10: '15.2', 11: 'FOC1', 12: 'Example', 13: 'EX-48'},
			2: {2: 'Bay for a power supply', 4: 1, 5: 5, 7: 'Bay A', 8: '', 9: '', 10: '', 11: '', 12: '', 13: ''},
			10: {2: 'Power supply', 4: 2, 5: 6, 7: 'PS-A', 8: '', 9: '2.1', 10: '', 11: 'DCA1', 12: 'Example', 13: 'PWR-1'},
			3: {2: 'Temperature', 4: 1, 5: 8, 7: 'Inlet', 8: '', 9: '', 10: '', 11: '', 12: '', 13: ''},
		}),
	);
	const {resource, inventory} = await collected(overV2c(port), keptParts());
	t.deepEqual(resource, {'host.name': 'db01', 'host.ip': '127.0.0.1'});
	t.deepEqual(inventory.machine, {vendor: 'Example', product: 'EX-48', serialNumber: 'FOC1'});
	t.deepEqual(inventory.parts, [
		{
			type: 'enclosure',
			id: 'entity/1',
			name: 'Chassis',
			vendor: 'Example',
			model: 'EX-48',
			serialNumber: 'FOC1',
			version: '15.2',
			properties: {hardware_revision: 'V01'},
		},
		{
			type: 'power_supply',
			id: 'entity/10',
			name: 'PS-A',
			vendor: 'Example',
			model: 'PWR-1',
			serialNumber: 'DCA1',
			version: '2.1',
			location: 'Bay A',
		},
	]);
	await t.throwsAsync(
		collected({...overV2c(port), profile: 'xcc', community: 'wrong'}, keptParts(), {poll: {timeout: '200ms'}}),
		{
			code: 'ERR_REPLY_TIMEOUT',
		},
	);
});

async function silentPort(t: ExecutionContext): Promise<number> {
	const socket = createSocket('udp4').bind(0, '127.0.0.1');
	await once(socket, 'listening');
	t.teardown(() => socket.close());
	return socket.address().port;
}

test('an agent that does not answer is told by its name, and what is asked to stop stops at once', async t => {
	const port = await silentPort(t);
	const quick = {poll: {timeout: '100ms', retries: 0}};
	const failure = {code: 'ERR_REPLY_TIMEOUT', message: new RegExp(`^SNMP 127.0.0.1:${port}: no answer`)};
	for (const host of [overV2c(port), {port, version: '1', community: 'imm'}, {port, user: agentUser}]) {
		await t.throwsAsync(collected(host, keptParts(), quick), failure);
		const stop = new AbortController();
		setTimeout(() => stop.abort(), 50);
		const began = performance.now();
		const stopped = collected(host, keptParts(), {signal: stop.signal, poll: {timeout: '30s'}});
		await t.throwsAsync(stopped, {code: 'ERR_SHUTTING_DOWN'});
		t.true(performance.now() - began < 5000);
		await t.throwsAsync(collected(host, keptParts(), {signal: AbortSignal.abort()}), {code: 'ERR_SHUTTING_DOWN'});
	}
	const nowhere = collected({...overV2c(port), host: 'no-such-host.invalid'}, keptParts(), quick);
	await t.throwsAsync(nowhere, {code: 'ERR_NAME_NOT_FOUND'});
	const [source] = createSnmpInventories(configOf(overV2c(port)), keptParts().parts);
	t.deepEqual(await source?.collect(new Set(['operating_system', 'packages']), never), []);
	t.deepEqual(createSnmpInventories(snmpConfig({}), keptParts().parts), []);
});
