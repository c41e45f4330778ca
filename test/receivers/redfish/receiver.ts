import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import fc from 'fast-check';
import type {HardwareEvent} from '../../../src/event.ts';
import {entryTold, toEvent} from '../../../src/receivers/redfish/alert.ts';
import {redfishReceiverSchema} from '../../../src/receivers/redfish/config.ts';
import {createRedfishReceiver} from '../../../src/receivers/redfish/receiver.ts';
import type {Reading, TargetState} from '../../../src/source.ts';
import {issue, makeAuthority} from '../../helpers/certificates.ts';
import {eventually, temporaryDirectory} from '../../helpers/listen.ts';
import {listenTls} from '../../helpers/tls-server.ts';

const at = (path: string) => ({'@odata.id': path});
const fan = (health: string) => ({
	...at('/redfish/v1/Chassis/1/Thermal#/Fans/0'),
	Name: 'Fan 1',
	Reading: 4000,
	ReadingUnits: 'RPM',
	Status: {Health: health},
});
const entry = (id: string, more = {}) => ({
	...at(`/e/${id}`),
	Id: id,
	Created: `2026-01-0${id}T00:00:00Z`,
	Severity: 'Critical',
	Message: 'DIMM 3 failed',
	...more,
});

const machine = (entries: object[], health = 'OK'): Record<string, object> => ({
	'/redfish/v1/': {RedfishVersion: '1.5.0'},
	'/redfish/v1/Systems': {Members: [at('/redfish/v1/Systems/1')]},
	'/redfish/v1/Systems/1': {
		...at('/redfish/v1/Systems/1'),
		Manufacturer: 'IBM',
		Model: '8871-AC1',
		SerialNumber: 'J1A2B3C',
		LogServices: at('/logs'),
	},
	'/logs': {Members: [at('/logs/sel')]},
	'/logs/sel': {...at('/logs/sel'), Entries: at('/entries')},
	'/entries': {Members: entries},
	'/redfish/v1/Chassis': {Members: [at('/redfish/v1/Chassis/1')]},
	'/redfish/v1/Chassis/1': {...at('/redfish/v1/Chassis/1'), Thermal: at('/thermal')},
	'/thermal': {Fans: [fan(health)]},
});

async function setUp(t: ExecutionContext, pages: Record<string, object>, status = 200) {
	const authority = await makeAuthority('Redfish test');
	const service = {pages, status, requests: 0, logins: 0};
	const url = await listenTls(t, await issue(authority, {commonName: 'localhost', hosts: ['localhost']}), (request, response) => {
		service.requests++;
		if (request.method === 'POST' || request.headers.authorization) service.logins++;
		const page = service.pages[request.url ?? ''];
		response.writeHead(service.status === 200 && !page ? 404 : service.status).end(JSON.stringify(page ?? {}));
	});
	const ca_file = join(await temporaryDirectory(t), 'ca.pem');
	await writeFile(ca_file, authority.certificate);
	const marks = new Map<string, string>();
	const seen = {events: [] as HardwareEvent[], states: [] as TargetState[], readings: [] as readonly Reading[], looks: 0};
	const start = async (trusted = true) => {
		const receiver = createRedfishReceiver(
			redfishReceiverSchema.parse({
				systems: [{url: url.origin, username: 'u', password: 'hidden-word', ...(trusted && {ca_file})}],
				poll_interval: '100ms',
				recovery_delay: '0s',
			}),
			{
				consume: async events => {
					seen.events.push(...events);
					return events.map(() => 'first');
				},
				measure: (_source, _resource, readings) => {
					seen.readings = readings;
					seen.looks++;
				},
				marks: {read: async key => marks.get(key), write: async (key, value) => void marks.set(key, value)},
				onTarget: state => seen.states.push(state),
				log: () => {},
			},
		);
		t.teardown(() => receiver.shutdown());
		await receiver.start();
		return receiver;
	};
	const look = async () => {
		const before = seen.looks;
		await eventually(() => seen.looks >= before + 2);
	};
	return {service, seen, start, look};
}

test('history is no news, a new entry is told once, also after a restart', async t => {
	const {service, seen, start, look} = await setUp(t, machine([entry('1')]));
	const receiver = await start();
	await look();
	t.deepEqual(seen.events, []);
	service.pages = machine([entry('1'), entry('2', {ServiceProviderNotified: true})]);
	await look();
	await receiver.shutdown();
	await start();
	await look();
	t.is(seen.events.length, 1);
	t.like(seen.events[0]?.attributes, {'hw.type': 'memory', 'hw.state': 'failed', 'callhome.serviceable': false});
	t.like(seen.events[0]?.resource, {
		'callhome.system.type': '8871',
		'callhome.system.model': 'AC1',
		'callhome.system.serial_number': 'J1A2B3C',
	});
});

test('a log that was cleared tells its new entries although their ids begin anew', async t => {
	const {service, seen, start, look} = await setUp(t, machine([entry('1')]));
	await start();
	await look();
	service.pages = machine([entry('1', {Created: '2026-02-01T00:00:00Z'})]);
	await look();
	t.is(seen.events.length, 1);
	t.false('callhome.serviceable' in (seen.events[0]?.attributes ?? {}));
});

test('a part that fails and recovers is told twice, and measured', async t => {
	const {service, seen, start, look} = await setUp(t, machine([], 'Critical'));
	await start();
	await look();
	service.pages = machine([], 'OK');
	await look();
	t.deepEqual(
		seen.events.map(({attributes}) => attributes['hw.state']),
		['failed', 'ok'],
	);
	t.true(seen.readings.some(({metric, value}) => metric === 'hw.fan.speed' && value === 4000));
});

test('a refused login is tried once, and the password is not told', async t => {
	const {service, seen, start} = await setUp(t, {}, 401);
	await start();
	await eventually(() => seen.states.length > 0);
	await new Promise(resolve => setTimeout(resolve, 500));
	t.is(service.logins, 1);
	t.is(seen.states[0]?.state, 'stopped');
	t.notRegex(JSON.stringify(seen.states), /hidden-word/);
});

test('a certificate of somebody unknown is not trusted', async t => {
	const {service, seen, start} = await setUp(t, machine([]));
	await start(false);
	await eventually(() => seen.states.length > 0);
	t.is(seen.states[0]?.state, 'failing');
	t.is(service.requests, 0);
});

test('a page that leads to another host is not followed, one that leads to itself ends', async t => {
	const {service, seen, start, look} = await setUp(t, {
		...machine([]),
		'/entries': {Members: [], 'Members@odata.nextLink': '/entries'},
	});
	await start();
	await look();
	service.pages = {...machine([]), '/entries': {Members: [], 'Members@odata.nextLink': 'https://127.0.0.1:1/x'}};
	await eventually(() => seen.states.some(({reason}) => reason.includes('another host')));
	t.pass();
});

test('any JSON as an entry is an event or none', t => {
	fc.assert(
		fc.property(
			fc.dictionary(
				fc.constantFrom('Id', 'Created', 'Severity', 'Message', 'MessageId', 'Links', 'Resolved'),
				fc.oneof(fc.jsonValue(), fc.constant('Critical')),
			),
			value => {
				const told = entryTold(value, '/log');
				return told === undefined || toEvent(told, {}, 1).id.length === 32;
			},
		),
		{numRuns: 200},
	);
	t.pass();
});

test('parts of the newer schemas are read, and a roll-up that nothing explains is no alert', async t => {
	const part = (path: string, more: object) => ({...at(path), Name: path, ...more});
	const pages = {
		...machine([]),
		'/redfish/v1/Chassis/1': {
			...at('/redfish/v1/Chassis/1'),
			Status: {Health: 'OK', HealthRollup: 'Critical'},
			ThermalSubsystem: at('/ts'),
			PowerSubsystem: at('/ps'),
			Sensors: at('/sensors'),
		},
		'/ts': {Fans: at('/fans')},
		'/fans': {Members: [part('/c/Fans/1', {Status: {State: 'Absent', Health: 'Critical'}})]},
		'/ps': {PowerSupplies: at('/supplies')},
		'/supplies': {Members: [at('/c/PowerSupplies/1')]},
		'/c/PowerSupplies/1': part('/c/PowerSupplies/1', {Status: {Health: 'OK'}}),
		'/sensors': {Members: [part('/c/Sensors/1', {Reading: 31, ReadingType: 'Temperature', Status: {Health: 'OK'}})]},
	};
	const {service, seen, start, look} = await setUp(t, pages);
	await start();
	await look();
	t.deepEqual(seen.events, []);
	t.true(seen.readings.some(({metric, value}) => metric === 'hw.temperature' && value === 31));
	service.pages = {...pages, '/c/PowerSupplies/1': part('/c/PowerSupplies/1', {Status: {Health: 'Critical'}})};
	await look();
	t.is(seen.events.length, 1);
	t.like(seen.events[0]?.attributes, {'hw.type': 'power_supply', 'hw.state': 'failed'});
});

test('plain HTTP beyond loopback is refused unless it is asked for', t => {
	const parse = (more: object) => redfishReceiverSchema.safeParse({systems: [{username: 'u', password: 'p', ...more}]}).success;
	t.false(parse({url: 'http://bmc.example'}));
	t.true(parse({url: 'http://bmc.example', insecure: true}));
	t.true(parse({url: 'https://bmc.example'}));
	t.false(parse({url: 'https://u:p@bmc.example'}));
});
