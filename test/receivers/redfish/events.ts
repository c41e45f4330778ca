import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import fc from 'fast-check';
import {BridgeError} from '../../../src/errors.ts';
import {entryTold, eventsTold, toEvent} from '../../../src/receivers/redfish/alert.ts';
import {redfishReceiverSchema} from '../../../src/receivers/redfish/config.ts';
import {createRedfishReceiver} from '../../../src/receivers/redfish/receiver.ts';
import {createSseReader} from '../../../src/receivers/redfish/sse.ts';
import type {SourceParts} from '../../../src/source.ts';
import {issue, makeAuthority} from '../../helpers/certificates.ts';
import {eventually, temporaryDirectory} from '../../helpers/listen.ts';
import {at, createRedfishService, machinePages} from '../../helpers/redfish-service.ts';
import {started, watchSource} from '../../helpers/sources.ts';
import {listenTls} from '../../helpers/tls-server.ts';

const authority = await makeAuthority('Redfish events');
const localhost = await issue(authority, {commonName: 'localhost', hosts: ['localhost']});

const event = (id: string, more: object = {}) => ({
	'@odata.type': '#Event.v1_7_0.Event',
	Id: id,
	Events: [
		{
			EventId: id,
			EventType: 'Alert',
			EventTimestamp: '2026-01-31T08:00:00Z',
			MessageSeverity: 'Critical',
			MessageId: 'Base.1.0.FanFailed',
			Message: 'Fan 1 has failed',
			OriginOfCondition: at('/redfish/v1/Chassis/1/Thermal#/Fans/0'),
			...more,
		},
	],
});
/** What the module's log says of the same occurrence. */
const entryOf = (more: object = {}) => ({
	...at('/entries/9'),
	Id: '9',
	Created: '2026-01-31T09:00:00+01:00',
	Severity: 'Critical',
	MessageId: 'Base.1.0.FanFailed',
	Message: 'Fan 1 has failed',
	Links: {OriginOfCondition: at('/redfish/v1/Chassis/1/Thermal#/Fans/0')},
	...more,
});

type Service = ReturnType<typeof createRedfishService>;

async function setUp(t: ExecutionContext, service: Service, settings: object = {}, overrides: Partial<SourceParts> = {}) {
	const url = await listenTls(t, localhost, service.listener);
	const ca_file = join(await temporaryDirectory(t), 'ca.pem');
	await writeFile(ca_file, authority.certificate);
	const {events = 'auto', ...rest} = settings as {events?: string};
	const config = redfishReceiverSchema.parse({
		systems: [{url: url.origin, username: 'u', password: 'hidden-word', ca_file, events}],
		poll_interval: '300ms',
		...rest,
	});
	const watched = watchSource(overrides);
	return {config, watched, start: () => started(t, createRedfishReceiver(config, watched.parts))};
}

const patience = {timeoutMillis: 30_000};
const listen = {endpoint: '127.0.0.1:0'};

test('an event of the stream is told at once, and the entry of the log that follows it is the same event', async t => {
	const service = createRedfishService(machinePages());
	const {watched, start} = await setUp(t, service);
	await start();
	await eventually(() => service.streams.size === 1, patience);
	service.say('7', event('7'));
	await eventually(() => watched.events.length === 1, patience);
	t.like(watched.events[0], {
		message: 'Fan 1 has failed',
		occurredAt: Date.UTC(2026, 0, 31, 8),
		attributes: {'hw.id': '/redfish/v1/Chassis/1/Thermal#/Fans/0', 'hw.type': 'fan', 'hw.state': 'failed'},
		resource: {'host.name': 'db01', 'callhome.system.serial_number': 'J1A2B3C'},
	});
	Object.assign(service.pages, machinePages([entryOf()]));
	await eventually(() => watched.events.length === 2, patience);
	t.is(watched.events[1]?.id, watched.events[0]?.id);
});

test('a stream that ends is opened again, from the event after the last one that was kept', async t => {
	const service = createRedfishService(machinePages());
	const {watched, start} = await setUp(t, service, {events: 'sse'});
	await start();
	await eventually(() => service.streams.size === 1, patience);
	service.say('41', event('41'));
	await eventually(() => watched.marks.size > 0 && [...watched.marks.values()].includes('41'), patience);
	service.endStreams();
	await eventually(() => service.asked.some(({path, lastEventId}) => path.endsWith('/SSE') && lastEventId === '41'), patience);
	t.is(service.asked.filter(({method, path}) => method === 'POST' && path.includes('EventService')).length, 0);
});

test('an event of the stream that could not be kept is asked for again', async t => {
	const service = createRedfishService(machinePages());
	let isFull = true;
	const {watched, start} = await setUp(
		t,
		service,
		{events: 'sse'},
		{
			consume: async events => {
				if (isFull) throw new BridgeError('ERR_STORE_FULL', 'the disk is full');
				return events.map(() => 'first');
			},
		},
	);
	await start();
	await eventually(() => service.streams.size === 1, patience);
	service.say('41', event('41'));
	await eventually(() => service.asked.filter(({path}) => path.endsWith('/SSE')).length >= 2, patience);
	t.false([...watched.marks.values()].includes('41'));
	isFull = false;
	await eventually(() => service.streams.size === 1, patience);
	service.say('41', event('41'));
	await eventually(() => watched.events.length === 1, patience);
});

test('without a stream it subscribes, takes what is posted, and answers when it is on disk', async t => {
	const service = createRedfishService(machinePages(), {stream: false});
	let isFull = false;
	const {watched, start} = await setUp(
		t,
		service,
		{listen},
		{
			consume: async events => {
				if (isFull) throw new BridgeError('ERR_STORE_FULL', 'the disk is full');
				return events.map(() => 'first');
			},
		},
	);
	await start();
	await eventually(() => service.subscriptions.size === 1, patience);
	const [subscription] = service.subscriptions.values();
	t.like(subscription, {Protocol: 'Redfish', EventFormatType: 'Event'});
	t.regex(String(subscription?.Context), /^callhome-bridge:[0-9a-f]{12}$/);
	t.deepEqual(await service.post(event('1')), [204]);
	t.is(watched.events.length, 1);
	isFull = true;
	t.deepEqual(await service.post(event('2', {Message: 'Fan 1 has failed again'})), [503]);
	t.deepEqual(await service.post({hello: 1}), [400]);
	const {Destination} = subscription as {Destination: string};
	const elsewhere = Destination.replace(/[0-9a-f]{32}$/, '0'.repeat(32));
	t.is((await fetch(elsewhere, {method: 'POST', body: JSON.stringify(event('3'))})).status, 404);
	t.is((await fetch(Destination)).status, 405);
	t.is(watched.events.length, 1);
});

test('a test event is marked as one, whatever its severity, so that nobody takes it for a fault', async t => {
	const service = createRedfishService(machinePages(), {stream: false});
	const {watched, start} = await setUp(t, service, {listen});
	await start();
	await eventually(() => service.subscriptions.size === 1, patience);
	const origin = {OriginOfCondition: undefined};
	await service.post(event('1', {...origin, MessageSeverity: 'OK', MessageId: 'Base.1.0.TestMessage', Message: 'Hello'}));
	await service.post(event('2', {...origin, MessageId: 'Vendor.1.0.X', Message: 'Test event of the EventService'}));
	await service.post(event('3', {...origin, MessageId: 'Vendor.1.0.X', Message: 'DIMM 3 failed its memory test'}));
	t.deepEqual(
		watched.events.map(({attributes}) => attributes['callhome.test'] ?? false),
		[true, true, false],
	);
});

test('a subscription is adopted after a restart, made again when it is gone, and left-overs of ours are removed', async t => {
	const service = createRedfishService(machinePages(), {stream: false});
	const {config, watched, start} = await setUp(t, service, {
		events: 'push',
		listen: {...listen, destination_url: 'https://bridge.example/x'},
	});
	const token = '0123456789abcdef'.repeat(2);
	for (const {url} of config.systems) watched.marks.set(`redfish/${url.host}/token`, token);
	const old = '/redfish/v1/EventService/Subscriptions/old';
	const others = '/redfish/v1/EventService/Subscriptions/others';
	const former = `https://bridge.example/elsewhere/redfish-events/${token}`;
	service.subscriptions.set(old, {...at(old), Context: 'callhome-bridge', Destination: former});
	service.subscriptions.set(others, {...at(others), Context: 'somebody', Destination: 'https://somebody.example/'});
	const receiver = await start();
	await eventually(() => service.subscriptions.size === 2 && !service.subscriptions.has(old), patience);
	t.true(service.subscriptions.has(others));
	const [, made] = [...service.subscriptions.entries()];
	t.regex(String(made?.[1].Destination), /^https:\/\/bridge\.example\/x\/redfish-events\/[0-9a-f]{32}$/);
	await receiver.shutdown();
	const posts = () => service.asked.filter(({method, path}) => method === 'POST' && path.includes('EventService')).length;
	t.is(posts(), 1);
	await started(t, createRedfishReceiver(config, watched.parts));
	const before = service.asked.length;
	await eventually(() => service.asked.slice(before).filter(({path}) => path.endsWith('/Subscriptions')).length >= 2, patience);
	t.is(posts(), 1);
	service.subscriptions.delete(made?.[0] ?? '');
	await eventually(() => service.subscriptions.size === 2, patience);
	t.is(posts(), 2);
});

test('two bridges at one module leave each other’s subscription alone', async t => {
	const service = createRedfishService(machinePages(), {stream: false});
	const one = await setUp(t, service, {events: 'push', listen});
	const other = await setUp(t, service, {events: 'push', listen});
	await one.start();
	await eventually(() => service.subscriptions.size === 1, patience);
	const [first] = service.subscriptions.keys();
	await other.start();
	await eventually(() => service.subscriptions.size === 2, patience);
	const asked = () => service.asked.filter(({path}) => path.endsWith('/Subscriptions')).length;
	const before = asked();
	await eventually(() => asked() >= before + 4, patience);
	t.is(service.subscriptions.size, 2);
	t.true(service.subscriptions.has(first ?? ''));
	t.is(service.asked.filter(({method}) => method === 'DELETE').length, 0);
});

test('a subscription that is no longer wanted is removed at the module', async t => {
	const service = createRedfishService(machinePages(), {stream: false});
	const {config, watched, start} = await setUp(t, service, {events: 'push', listen});
	const receiver = await start();
	await eventually(() => service.subscriptions.size === 1, patience);
	await receiver.shutdown();
	t.is(service.subscriptions.size, 1, 'it is found again after a restart');
	const systems = config.systems.map(system => ({...system, events: 'poll' as const}));
	await started(t, createRedfishReceiver({...config, systems}, watched.parts));
	await eventually(() => service.subscriptions.size === 0, patience);
	await eventually(() => watched.said.some(text => text.includes('subscription of before is removed')), patience);
});

test('a module without an EventService is read by its logs alone', async t => {
	const service = createRedfishService(machinePages(), {stream: false, push: false});
	const {watched, start} = await setUp(t, service, {listen});
	await start();
	await eventually(() => watched.readings.length >= 2, patience);
	Object.assign(service.pages, machinePages([entryOf()]));
	await eventually(() => watched.events.length === 1, patience);
	t.is(watched.targets.at(-1)?.state, 'working');
});

test('a login that is refused later ends the stream and the subscription as well', async t => {
	const service = createRedfishService(machinePages());
	const {watched, start} = await setUp(t, service);
	await start();
	await eventually(() => service.streams.size === 1, patience);
	service.answerWith(401);
	await eventually(() => watched.targets.some(({state}) => state === 'stopped'), patience);
	await eventually(() => service.streams.size === 0, patience);
	const asked = service.asked.length;
	await new Promise(resolve => setTimeout(resolve, 1000));
	t.is(service.asked.length, asked);
	t.notRegex(JSON.stringify([watched.said, watched.targets]), /hidden-word/);
});

test('a log that could not be read for a while makes no news of its history', async t => {
	const service = createRedfishService(machinePages([entryOf()]), {stream: false, push: false});
	let isBroken = false;
	const url = await listenTls(t, localhost, (request, response) =>
		isBroken && request.url === '/entries' ? response.writeHead(500).end() : service.listener(request, response),
	);
	const ca_file = join(await temporaryDirectory(t), 'ca.pem');
	await writeFile(ca_file, authority.certificate);
	const {parts, events, readings} = watchSource();
	const systems = [{url: url.origin, username: 'u', password: 'p', ca_file, events: 'poll'}];
	await started(t, createRedfishReceiver(redfishReceiverSchema.parse({systems, poll_interval: '100ms'}), parts));
	const looks = async (count: number) => {
		const before = readings.length;
		await eventually(() => readings.length >= before + count, patience);
	};
	await looks(1);
	isBroken = true;
	await looks(2);
	isBroken = false;
	await looks(2);
	t.deepEqual(events, []);
	Object.assign(service.pages, machinePages([entryOf(), entryOf({Id: '10', Message: 'Fan 1 has failed again'})]));
	await looks(2);
	t.is(events.length, 1);
});

test('what a user may not read is said once, and the rest is read', async t => {
	const service = createRedfishService(machinePages([], 'Critical'));
	const url = await listenTls(t, localhost, (request, response) =>
		request.url === '/logs' ? response.writeHead(403).end() : service.listener(request, response),
	);
	const ca_file = join(await temporaryDirectory(t), 'ca.pem');
	await writeFile(ca_file, authority.certificate);
	const {parts, events, said} = watchSource();
	const systems = [{url: url.origin, username: 'u', password: 'p', ca_file, events: 'poll'}];
	await started(t, createRedfishReceiver(redfishReceiverSchema.parse({systems, poll_interval: '100ms'}), parts));
	await eventually(() => events.length === 1 && said.length > 0, patience);
	await new Promise(resolve => setTimeout(resolve, 500));
	t.deepEqual(
		said.filter(text => text.includes('does not let u read')).map(text => /read (\S+) \(403\):/.exec(text)?.[1]),
		['/logs'],
	);
});

test('the stream is read by the rules of the standard, wherever it is cut', t => {
	const stream = ': comment\nid: 1\ndata: a\ndata: b\n\nid:2\r\ndata\r\n\r\nevent: x\ndata: ü\n\ndata: cut';
	const whole = [
		{id: '1', data: 'a\nb'},
		{id: '2', data: ''},
		{id: '2', data: 'ü'},
	];
	t.notThrows(() =>
		fc.assert(
			fc.property(fc.array(fc.nat(Buffer.byteLength(stream)), {maxLength: 6}), cuts => {
				const bytes = Buffer.from(stream);
				const read = createSseReader();
				const places = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
				const events = places.slice(1).flatMap((end, index) => read(bytes.subarray(places[index], end)));
				t.deepEqual(events, whole);
			}),
			{numRuns: 200},
		),
	);
	const endless = createSseReader();
	t.throws(
		() => {
			for (let index = 0; index < 10; index++) endless(Buffer.from('x'.repeat(1024 ** 2)));
		},
		{instanceOf: RangeError},
	);
});

test('whatever a module sends, it is events with an id, or nothing', t => {
	const member = fc.dictionary(
		fc.constantFrom(
			'MessageId',
			'Message',
			'Severity',
			'MessageSeverity',
			'EventTimestamp',
			'OriginOfCondition',
			'Links',
			'__proto__',
		),
		fc.oneof(fc.jsonValue(), fc.constantFrom('Critical', 'Warning', '2026-01-01T00:00:00Z')),
	);
	const payload = fc.oneof(fc.jsonValue(), fc.record({Events: fc.array(fc.oneof(fc.jsonValue(), member))}));
	t.notThrows(() =>
		fc.assert(
			fc.property(payload, member, (value, entry) => {
				const told = [...(eventsTold(value) ?? []), entryTold(entry, '/log')].filter(each => each !== undefined);
				for (const each of told) t.regex(toEvent(each, {}, 5).id, /^[0-9a-f]{32}$/);
			}),
			{numRuns: 300},
		),
	);
});

test('a configuration that cannot work is a fault', t => {
	const system = {url: 'https://bmc.example', username: 'u', password: 'p'};
	for (const [config, said] of [
		[{systems: [{...system, events: 'push'}]}, /set receivers\.redfish\.listen/],
		[{systems: [system, system]}, /listed twice/],
		[{systems: [system], listen: {endpoint: '0.0.0.0:5991'}}, /beyond loopback/],
		[{systems: [system], listen: {endpoint: '0.0.0.0:5991', insecure: true}}, /destination_url/],
		[{systems: [{...system, url: 'http://bmc.example'}]}, /plain HTTP/],
	] as const)
		t.regex(String(redfishReceiverSchema.safeParse(config).error), said);
});
