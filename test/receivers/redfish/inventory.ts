import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {isBridgeError} from '../../../src/errors.ts';
import type {Collected, InventoryPart, InventorySection} from '../../../src/inventory.ts';
import {redfishReceiverSchema} from '../../../src/receivers/redfish/config.ts';
import {createRedfishInventories} from '../../../src/receivers/redfish/inventory.ts';
import {createRedfishReceiver} from '../../../src/receivers/redfish/receiver.ts';
import {issue, makeAuthority} from '../../helpers/certificates.ts';
import {eventually, freePort, temporaryDirectory} from '../../helpers/listen.ts';
import {collectionOf, wholeMachine} from '../../helpers/redfish-machine.ts';
import {at, createRedfishService} from '../../helpers/redfish-service.ts';
import {createSessions, type SessionRules} from '../../helpers/redfish-sessions.ts';
import {started, type Watched, watchSource} from '../../helpers/sources.ts';
import {listenTls} from '../../helpers/tls-server.ts';

const patience = {timeoutMillis: 30_000};
const authority = await makeAuthority('Redfish inventory');
const localhost = await issue(authority, {commonName: 'localhost', hosts: ['localhost']});
const never = new AbortController().signal;
const asked = (...sections: InventorySection[]) => new Set(sections);
const all = asked('hardware', 'firmware', 'network');

async function setUp(t: ExecutionContext, pages = wholeMachine(), rules: SessionRules = {}) {
	const sessions = createSessions(rules);
	const service = createRedfishService(pages, {stream: false, push: false});
	const url = await listenTls(t, localhost, sessions.before(service.listener));
	const ca_file = join(await temporaryDirectory(t), 'ca.pem');
	await writeFile(ca_file, authority.certificate);
	const watched = watchSource();
	const configOf = (more: object) => {
		const systems = [{url: url.origin, username: 'u', password: 'hidden-word', ca_file, ...more}];
		return redfishReceiverSchema.parse({systems, poll_interval: '100ms', timeout: '2s'});
	};
	const collect = async (sections = all, {signal = never, ...more}: {signal?: AbortSignal; [key: string]: unknown} = {}) => {
		const [source] = createRedfishInventories(configOf(more), watched.parts);
		return source?.collect(sections, signal) ?? [];
	};
	const watch = (parts: Watched['parts'] = watched.parts) => started(t, createRedfishReceiver(configOf({}), parts));
	return {sessions, service, url, collect, watch, watched};
}

const only = (collected: readonly Collected[]): Collected => {
	const [first, ...others] = collected;
	if (!first || others.length > 0) throw new Error(`${collected.length} machines`);
	return first;
};
const partIn = ({inventory}: Collected, name: string): InventoryPart | undefined =>
	inventory.parts.find(part => part.name === name);

test('a machine is told with each of its parts, in one order, without what is not there', async t => {
	const {collect, sessions} = await setUp(t);
	const {resource, inventory} = only(await collect());
	t.like(resource, {'host.name': 'db01', 'callhome.system.type': '8335', 'callhome.system.model': 'GTG'});
	t.like(inventory, {source: 'redfish', faults: []});
	t.deepEqual(inventory.machine, {
		vendor: 'IBM',
		product: '8335-GTG',
		serialNumber: '78ABCDE',
		uuid: '38947555-7742-3448-3784-823347823834',
		kind: 'physical',
	});
	t.deepEqual(
		inventory.parts.map(({type, name}) => `${type}: ${name}`),
		[
			'battery: Clock battery',
			'cpu: CPU 0',
			'disk_controller: RAID',
			'enclosure: Main chassis',
			'enclosure: 1',
			'fan: Fan 0',
			'firmware: Manager',
			'firmware: BIOS',
			'firmware: Host image',
			'gpu: GPU 0',
			'memory: DIMM 2',
			'memory: DIMM 10',
			'network: NIC',
			'pci_device: Adapter',
			'physical_disk: Drive 0',
			'power_supply: PSU 0',
		],
	);
	t.is(sessions.open.size, 0);
	t.deepEqual(only(await collect()).inventory.parts, inventory.parts);
});

test('each field has its own name', async t => {
	const {collect} = await setUp(t);
	const found = only(await collect());
	t.deepEqual(partIn(found, 'CPU 0'), {
		type: 'cpu',
		id: '/redfish/v1/Systems/1/Processors/cpu0',
		name: 'CPU 0',
		vendor: 'IBM',
		model: 'POWER9',
		partNumber: '02CY211',
		fruNumber: '02CY297',
		serialNumber: 'YA1934',
		location: 'P1-C19',
		properties: {kind: 'CPU', cores: 16, threads: 64, speed_mhz: 3800},
	});
	t.like(partIn(found, 'DIMM 2'), {vendor: 'Samsung', fruNumber: '78P4198', size: 32 * 1024 ** 3, location: 'P1-C2'});
	t.like(partIn(found, 'DIMM 10'), {location: 'P1-C10', properties: {technology: 'DDR4', speed_mhz: 2666}});
	t.like(partIn(found, 'Drive 0'), {
		size: 1_000_204_886_016,
		version: 'BE34',
		location: 'Bay 0',
		properties: {media: 'HDD', interface: 'SAS'},
	});
	t.like(partIn(found, 'NIC'), {version: '1.46', location: 'P1-T1'});
	t.like(partIn(found, 'Adapter'), {version: '14.32', location: 'P1-C3', properties: {kind: 'SingleFunction'}});
	t.like(partIn(found, 'Manager'), {type: 'firmware', version: '2.13', model: 'AST2500', properties: {kind: 'BMC'}});
	t.like(partIn(found, 'BIOS'), {type: 'firmware', version: 'OP940.20'});
	t.is(partIn(found, 'Fan 0')?.id, '/redfish/v1/Chassis/1#/Fans/0');
	t.deepEqual(found.inventory.network, [
		{name: 'bmc/eth0', macAddress: '70:E2:84:14:00:02', addresses: ['192.0.2.8']},
		{
			name: 'eth0',
			macAddress: '70:E2:84:14:00:01',
			addresses: ['192.0.2.7', '2001:db8::7'],
			speed: 10_000,
			state: 'LinkUp',
		},
	]);
});

test('no more is read than what is asked for', async t => {
	const {collect, service, sessions} = await setUp(t);
	const hardware = only(await collect(asked('hardware')));
	t.false('network' in hardware.inventory);
	t.deepEqual(
		hardware.inventory.parts.filter(part => part.type === 'firmware' || part.version !== undefined),
		[],
	);
	t.notRegex(service.asked.map(({path}) => path).join(), /EthernetInterfaces|UpdateService|Managers/);
	service.asked.length = 0;
	const network = only(await collect(asked('network')));
	t.deepEqual([network.inventory.parts, network.inventory.machine], [[], {}]);
	t.is(network.inventory.network?.length, 2);
	t.notRegex(service.asked.map(({path}) => path).join(), /Memory|Drives|Chassis|FirmwareInventory/);
	const firmware = only(await collect(asked('firmware')));
	t.deepEqual([...new Set(firmware.inventory.parts.map(({type}) => type))], ['firmware']);
	const {logins} = sessions.seen;
	t.deepEqual(await collect(asked('operating_system', 'packages')), []);
	t.is(sessions.seen.logins, logins);
});

test('the machine has the attributes by which the receiver names it', async t => {
	const {collect, watch, watched} = await setUp(t);
	await watch();
	await eventually(() => watched.readings.length > 0, patience);
	t.deepEqual(only(await collect(asked('hardware'))).resource, watched.readings[0]?.resource ?? {});
});

test('the session of the watch stays open while an inventory is collected, and that of the inventory does not', async t => {
	const {collect, watch, watched, sessions} = await setUp(t);
	await watch();
	await eventually(() => watched.readings.length > 0, patience);
	const open = [...sessions.open.keys()];
	await collect();
	await collect();
	t.deepEqual([...sessions.open.keys()], open);
	const before = watched.readings.length;
	await eventually(() => watched.readings.length >= before + 2, patience);
	t.like(sessions.seen, {logins: 3, refused: 0, basic: 0});
	t.notRegex(JSON.stringify([watched.said, watched.targets, [...watched.marks]]), /hidden-word|token-/);
});

test('a refused login is told by its code, remembered, and tried by nobody again until it changes', async t => {
	const {collect, watch, watched, sessions} = await setUp(t);
	const refused = {instanceOf: Error, code: 'ERR_LOGIN_REFUSED', message: /^Redfish localhost:\d+: .*refused_pause/};
	sessions.changePassword('another-word');
	const error = await t.throwsAsync(collect(), refused);
	t.true(isBridgeError(error, 'ERR_LOGIN_REFUSED'));
	t.notRegex(String(error), /hidden-word/);
	await t.throwsAsync(collect(), {...refused, message: /refused before/});
	await watch();
	await eventually(() => watched.targets.at(-1)?.state === 'stopped', patience);
	t.like(sessions.seen, {refused: 1, logins: 1});
	t.is(only(await collect(all, {password: 'another-word'})).inventory.faults.length, 0);
	t.is(sessions.seen.refused, 1);
});

test('a login that was refused to the watch is not tried for an inventory', async t => {
	const {collect, watch, watched, sessions} = await setUp(t);
	sessions.changePassword('another-word');
	await watch();
	await eventually(() => watched.targets.at(-1)?.state === 'stopped', patience);
	await t.throwsAsync(collect(), {code: 'ERR_LOGIN_REFUSED', message: /refused before/});
	t.is(sessions.seen.refused, 1);
});

test('a module without a place for a session is read with the password', async t => {
	const {collect, sessions} = await setUp(t, wholeMachine(), {places: 0});
	t.is(only(await collect()).inventory.parts.length, 16);
	t.is(sessions.seen.logins, 1);
});

test('a module that is busy, and one that is gone, are told by their code and their name', async t => {
	const {collect, service, sessions} = await setUp(t);
	service.answerWith(503);
	await t.throwsAsync(collect(), {code: 'ERR_MALFORMED', message: /^Redfish localhost:\d+: .*503/});
	t.is(sessions.open.size, 0);
	service.answerWith(200);
	const url = `https://localhost:${await freePort()}`;
	await t.throwsAsync(collect(all, {url}), {code: 'ERR_CONNECTION_REFUSED', message: new RegExp(`^Redfish ${url.slice(8)}`)});
	await t.throwsAsync(collect(all, {ca_file: undefined}), {code: 'ERR_CERTIFICATE', message: /set ca_file or pin/});
});

test('what is asked to stop stops, and the session is given back', async t => {
	const {collect, service, sessions} = await setUp(t);
	const stop = new AbortController();
	const collecting = collect(all, {signal: stop.signal});
	await eventually(() => service.asked.length > 3, patience);
	stop.abort();
	await t.throwsAsync(collecting, {code: 'ERR_SHUTTING_DOWN'});
	t.is(sessions.open.size, 0);
	t.is(sessions.seen.logins, 1);
});

const blade = (id: string) => ({
	Manufacturer: 'IBM',
	Model: '7895-23X',
	SerialNumber: `BLADE0${id}`,
	BiosVersion: `1.${id}`,
	Memory: at(`/redfish/v1/Systems/${id}/Memory`),
});

const blades = () => ({
	'/redfish/v1/': {UpdateService: at('/redfish/v1/UpdateService')},
	...collectionOf('/redfish/v1/Systems', {1: blade('1'), 2: blade('2')}),
	...collectionOf('/redfish/v1/Systems/1/Memory', {3: {Name: 'DIMM 3', SerialNumber: 'D1'}}),
	...collectionOf('/redfish/v1/Systems/2/Memory', {3: {Name: 'DIMM 3', SerialNumber: 'D2'}}),
	...collectionOf('/redfish/v1/Chassis', {
		Bay2: {Name: 'Bay 2', Links: {ComputerSystems: [at('/redfish/v1/Systems/2')], ContainedBy: at('/redfish/v1/Chassis/F')}},
		F: {Name: 'Frame', Manufacturer: 'IBM', Model: '8721-A1G', SerialNumber: 'FRAME01', Thermal: at('/frame')},
	}),
	'/frame': {Fans: [{...at('/redfish/v1/Chassis/F/Thermal#/Fans/0'), Name: 'Frame fan'}]},
	...collectionOf('/redfish/v1/Managers', {
		imm1: {Name: 'IMM', FirmwareVersion: '1', Links: {ManagerForServers: [at('/redfish/v1/Systems/1')]}},
		cmm: {Name: 'CMM', FirmwareVersion: '2', Links: {ManagerForServers: [1, 2].map(id => at(`/redfish/v1/Systems/${id}`))}},
	}),
	'/redfish/v1/UpdateService': {FirmwareInventory: at('/fw')},
	...collectionOf('/fw', {2: {Name: 'DIMM firmware', Version: '3', RelatedItem: [at('/redfish/v1/Systems/2/Memory/3')]}}),
});

const told = (collected: readonly Collected[]) =>
	Object.fromEntries(
		collected.map(({resource, inventory}) => [
			`${resource['host.name']} ${inventory.machine.serialNumber}`,
			inventory.parts.map(({name, serialNumber}) => [name, serialNumber].filter(Boolean).join(' ')),
		]),
	);

test('of several machines behind one module each has its own parts, and what belongs to none is the enclosure’s', async t => {
	const {collect} = await setUp(t, blades());
	t.deepEqual(told(await collect(asked('hardware', 'firmware'), {name: 'frame', serial_number: 'FRAME01'})), {
		'frame FRAME01': ['Frame FRAME01', 'Frame fan', 'CMM'],
		'frame/1 BLADE01': ['1 BLADE01', 'IMM', 'BIOS', 'DIMM 3 D1'],
		'frame/2 BLADE02': ['Bay 2', '2 BLADE02', 'DIMM firmware', 'BIOS', 'DIMM 3 D2'],
	});
});

test('a machine that could not be read is left out, and its parts are not told as its neighbour’s', async t => {
	const pages = blades();
	const {collect, service} = await setUp(t, pages);
	const broken = service.listener;
	const url = await listenTls(
		t,
		localhost,
		createSessions().before((request, response) => {
			if (request.url !== '/redfish/v1/Systems/2') return broken(request, response);
			response.writeHead(500).end();
		}),
	);
	const collected = await collect(asked('hardware'), {url: url.origin, name: 'frame'});
	t.deepEqual(told(collected), {
		'frame FRAME01': ['Frame FRAME01', 'Frame fan'],
		'frame/1 BLADE01': ['1 BLADE01', 'DIMM 3 D1'],
	});
	t.deepEqual(collected[0]?.inventory.faults, ['/redfish/v1/Systems/2 (500)']);
});
