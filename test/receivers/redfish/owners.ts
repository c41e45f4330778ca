import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import type {Attributes} from '../../../src/event.ts';
import {redfishReceiverSchema} from '../../../src/receivers/redfish/config.ts';
import {createRedfishReceiver} from '../../../src/receivers/redfish/receiver.ts';
import {issue, makeAuthority} from '../../helpers/certificates.ts';
import {eventually, temporaryDirectory} from '../../helpers/listen.ts';
import {at, createRedfishService, machinePages} from '../../helpers/redfish-service.ts';
import {started, watchSource} from '../../helpers/sources.ts';
import {listenTls} from '../../helpers/tls-server.ts';

type Pages = ReturnType<typeof machinePages>;

const patience = {timeoutMillis: 30_000};
const authority = await makeAuthority('Redfish owners');
const localhost = await issue(authority, {commonName: 'localhost', hosts: ['localhost']});

async function setUp(t: ExecutionContext, pages: Pages, system: object = {}) {
	const service = createRedfishService(pages, {stream: false, push: false});
	const url = await listenTls(t, localhost, service.listener);
	const ca_file = join(await temporaryDirectory(t), 'ca.pem');
	await writeFile(ca_file, authority.certificate);
	const watched = watchSource();
	const systems = [{url: url.origin, username: 'u', password: 'p', ca_file, events: 'poll', ...system}];
	await started(t, createRedfishReceiver(redfishReceiverSchema.parse({systems, poll_interval: '100ms'}), watched.parts));
	await eventually(() => watched.readings.length > 0, patience);
	return {service, watched};
}

const part = (path: string, health: string, more: object = {}) => ({...at(path), Name: path, Status: {Health: health}, ...more});
const blade = (id: string, serial: string) => ({
	...at(`/redfish/v1/Systems/${id}`),
	Id: id,
	Manufacturer: 'IBM',
	Model: '7895-23X',
	SerialNumber: serial,
	Memory: at(`/redfish/v1/Systems/${id}/Memory`),
	LogServices: at(`/redfish/v1/Systems/${id}/LogServices`),
});

/** Two blades and the chassis around them, which the first of the two does not stand for. */
const blades = (health: string, entries: readonly object[] = []): Pages => ({
	'/redfish/v1/Systems': {Members: [blade('1', 'BLADE01'), blade('2', 'BLADE02')]},
	...Object.fromEntries(
		['1', '2'].flatMap(id => {
			const path = `/redfish/v1/Systems/${id}`;
			return [
				[`${path}/Memory`, {Members: [part(`${path}/Memory/3`, id === '2' ? health : 'OK', {SerialNumber: `DIMM-${id}`})]}],
				[`${path}/LogServices`, {Members: [{...at(`${path}/LogServices/SEL`), Entries: at(`${path}/LogServices/SEL/Entries`)}]}],
				[`${path}/LogServices/SEL/Entries`, {Members: id === '2' ? entries : []}],
			];
		}),
	),
	'/redfish/v1/Chassis': {
		Members: [
			{...at('/redfish/v1/Chassis/Bay2'), Links: {ComputerSystems: [at('/redfish/v1/Systems/2')]}, Thermal: at('/bay2')},
			{...at('/redfish/v1/Chassis/Frame'), Thermal: at('/frame')},
		],
	},
	'/bay2': {Fans: [part('/redfish/v1/Chassis/Bay2/Thermal#/Fans/0', health)]},
	'/frame': {Fans: [part('/redfish/v1/Chassis/Frame/Thermal#/Fans/0', health)]},
});

const whose = (resource: Attributes) =>
	['host.name', 'callhome.system.type', 'callhome.system.serial_number'].map(name => resource[name] ?? '-').join(' ');

test('of several machines behind one module each has its own faults, and what belongs to none is the enclosure’s', async t => {
	const {service, watched} = await setUp(t, blades('OK'), {name: 'frame', machine_type: '8721', serial_number: 'FRAME01'});
	Object.assign(service.pages, blades('Critical'));
	await eventually(() => watched.events.length >= 3, patience);
	const owners = new Map(watched.events.map(({attributes, resource}) => [attributes['hw.id'], whose(resource)]));
	t.deepEqual(Object.fromEntries(owners), {
		'/redfish/v1/Systems/2/Memory/3': 'frame/2 7895 BLADE02',
		'/redfish/v1/Chassis/Bay2/Thermal#/Fans/0': 'frame/2 7895 BLADE02',
		'/redfish/v1/Chassis/Frame/Thermal#/Fans/0': 'frame 8721 FRAME01',
	});
	t.is(watched.events.find(({attributes}) => attributes['hw.type'] === 'memory')?.attributes['hw.serial_number'], 'DIMM-2');
	t.deepEqual([...new Set(watched.readings.map(({resource}) => whose(resource)))].toSorted(), [
		'frame 8721 FRAME01',
		'frame/1 7895 BLADE01',
		'frame/2 7895 BLADE02',
	]);
});

test('an entry of the log of one of several machines is of that machine, also when it names no part', async t => {
	const {service, watched} = await setUp(t, blades('OK'));
	const entry = {...at('/e/1'), Id: '1', Created: '2026-01-01T00:00:00Z', Severity: 'Critical', Message: 'DIMM 3 failed'};
	Object.assign(service.pages, blades('OK', [entry]));
	await eventually(() => watched.events.length === 1, patience);
	t.is(whose(watched.events[0]?.resource ?? {}), 'localhost/2 7895 BLADE02');
});

test('the label is read from Model or SKU, the configuration goes before it, and another make has none', async t => {
	const shown = async (changes: object, system: object = {}) => {
		const pages = machinePages();
		const machine = {...pages['/redfish/v1/Systems/1'], ...changes};
		const {watched} = await setUp(t, {...pages, '/redfish/v1/Systems/1': machine}, system);
		const resource = watched.readings[0]?.resource ?? {};
		return ['type', 'model', 'serial_number'].map(name => resource[`callhome.system.${name}`] ?? '-').join(' ');
	};
	t.is(await shown({}), '8871 AC1 J1A2B3C');
	t.is(await shown({Manufacturer: 'Lenovo', Model: 'System x3650 M4: -[7915AC1]-'}), '7915 AC1 J1A2B3C');
	t.is(await shown({Manufacturer: 'Lenovo', Model: 'System x3650 M4', SKU: '7915AC1'}), '7915 AC1 J1A2B3C');
	t.is(await shown({Model: 'POWERVM', SKU: undefined}), '- - J1A2B3C');
	t.is(await shown({Manufacturer: 'Other', Model: '8871-AC1'}), '- - J1A2B3C');
	t.is(await shown({Manufacturer: 'Other'}, {machine_type: '9105', model: '22a', serial_number: '78abcde'}), '9105 22A 78ABCDE');
});

test('an entry that does not say which part it is about is of the one part that its words fit, and ends with its health', async t => {
	const fan = (number: number, health: string) =>
		part(`/redfish/v1/Chassis/1/Thermal#/Fans/${number}`, health, {Name: `Fan ${number}`});
	const pages = (entries: readonly object[], health: string) => ({
		...machinePages(entries as never),
		'/thermal': {Fans: [fan(1, 'OK'), fan(2, health), {...fan(3, 'OK'), Name: 'Fan 1'}]},
	});
	const entry = (id: string, Message: string) => ({
		...at(`/e/${id}`),
		Id: id,
		Created: `2026-01-0${id}T00:00:00Z`,
		Severity: 'Critical',
		Message,
	});
	const {service, watched} = await setUp(t, pages([], 'OK'));
	const entries = [entry('1', 'Fan 2 has failed'), entry('2', 'Fan 1 has failed'), entry('3', 'Fan 7 has failed')];
	Object.assign(service.pages, pages(entries, 'Critical'));
	await eventually(() => watched.events.length >= 4, patience);
	t.deepEqual(
		watched.events.map(({message, attributes}) => [message, attributes['hw.id']]),
		[
			['Fan 2 has failed', '/redfish/v1/Chassis/1/Thermal#/Fans/2'],
			['Fan 1 has failed', 'fan/1'],
			['Fan 7 has failed', 'fan/7'],
			['Fan 2: failed', '/redfish/v1/Chassis/1/Thermal#/Fans/2'],
		],
	);
});
