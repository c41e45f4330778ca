import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {redfishReceiverSchema} from '../../../src/receivers/redfish/config.ts';
import {createRedfishReceiver} from '../../../src/receivers/redfish/receiver.ts';
import {issue, makeAuthority} from '../../helpers/certificates.ts';
import {eventually, temporaryDirectory} from '../../helpers/listen.ts';
import {at, createRedfishService, machinePages} from '../../helpers/redfish-service.ts';
import {started, watchSource} from '../../helpers/sources.ts';
import {listenTls} from '../../helpers/tls-server.ts';

const patience = {timeoutMillis: 30_000};
const authority = await makeAuthority('Redfish logs');
const localhost = await issue(authority, {commonName: 'localhost', hosts: ['localhost']});
const start = Date.UTC(2026, 0, 1);

type Entry = ReturnType<typeof entryOf>;
const entryOf = (number: number, more: object = {}) => ({
	...at(`/entries/${number}`),
	Id: String(number),
	Created: new Date(start + number * 60_000).toISOString(),
	Severity: 'Critical',
	Message: `DIMM ${number} failed`,
	...more,
});
const entries = (from: number, to: number): Entry[] => Array.from({length: to - from + 1}, (_, index) => entryOf(from + index));

type Shown = {entries: readonly Entry[]; isNewestFirst?: boolean; takesSkip?: boolean; page?: number};

/** A log that is shown page by page, as DSP0266 has it in "Query parameters" and "Collection resource response". */
async function setUp(t: ExecutionContext, log: Shown, now = Date.now) {
	const service = createRedfishService(machinePages(), {stream: false, push: false});
	const asked: string[] = [];
	const url = await listenTls(t, localhost, (request, response) => {
		const {pathname, searchParams} = new URL(request.url ?? '', 'http://x');
		if (pathname !== '/entries') return service.listener(request, response);
		asked.push(request.url ?? '');
		const {page = 50, takesSkip = true, isNewestFirst = false} = log;
		if (searchParams.has('$skip') && !takesSkip) return response.writeHead(501).end();
		const all = isNewestFirst ? log.entries.toReversed() : log.entries;
		const skip = Number(searchParams.get('$skip') ?? searchParams.get('at') ?? 0);
		const isMore = skip + page < all.length;
		const next = isMore ? {'Members@odata.nextLink': `/entries?at=${skip + page}`} : {};
		response.end(JSON.stringify({Members: all.slice(skip, skip + page), 'Members@odata.count': all.length, ...next}));
	});
	const ca_file = join(await temporaryDirectory(t), 'ca.pem');
	await writeFile(ca_file, authority.certificate);
	const systems = [{url: url.origin, username: 'u', password: 'p', ca_file, events: 'poll'}];
	const config = redfishReceiverSchema.parse({systems, poll_interval: '100ms'});
	const watched = watchSource({now});
	await started(t, createRedfishReceiver(config, watched.parts));
	const look = async () => {
		const before = watched.readings.length;
		await eventually(() => watched.readings.length >= before + 2, patience);
	};
	return {service, watched, asked, look, told: () => watched.events.map(({message}) => message)};
}

for (const isNewestFirst of [false, true]) {
	const order = isNewestFirst ? 'the newest first' : 'the oldest first';
	test(`the entry beyond the two thousandth of a log is told, ${order}`, async t => {
		const log: Shown = {entries: entries(1, 3500), isNewestFirst};
		const {watched, look, told} = await setUp(t, log);
		await look();
		t.deepEqual(told(), []);
		log.entries = entries(1, 3501);
		await look();
		t.deepEqual(told(), ['DIMM 3501 failed']);
		t.is(watched.said.filter(text => /\/entries holds 35\d\d entries, too many/.test(text)).length, 1);
	});

	test(`a log that a module shows on one page, however long, is watched at both ends, ${order}`, async t => {
		const log: Shown = {entries: entries(1, 3500), isNewestFirst, page: 10_000, takesSkip: false};
		const {look, told} = await setUp(t, log);
		await look();
		log.entries = entries(1, 3501);
		await look();
		t.deepEqual(told(), ['DIMM 3501 failed']);
	});

	test(`what a full log pushes out makes no news of what lay in its middle, ${order}`, async t => {
		const log: Shown = {entries: entries(1, 3500), isNewestFirst};
		const {look, told} = await setUp(t, log);
		await look();
		log.entries = entries(201, 3700);
		await look();
		t.deepEqual(
			told().toSorted(),
			entries(3501, 3700).map(({Message}) => Message),
		);
	});
}

test('a large log of a module that cannot skip is still read where it is newest first', async t => {
	const log: Shown = {entries: entries(1, 3500), isNewestFirst: true, takesSkip: false};
	const {watched, look, told} = await setUp(t, log);
	await look();
	log.entries = entries(1, 3502);
	await look();
	t.deepEqual(told().toSorted(), ['DIMM 3501 failed', 'DIMM 3502 failed']);
	t.is(watched.targets.at(-1)?.state, 'working');
});

test('a log that has nothing new costs one page a look, and an entry resolved further back is found all the same', async t => {
	const log: Shown = {entries: entries(1, 400)};
	const {watched, asked, look, told} = await setUp(t, log);
	await look();
	const pages = asked.length;
	const looks = watched.readings.length;
	await eventually(() => watched.readings.length >= looks + 4, patience);
	t.true(asked.length - pages <= watched.readings.length - looks + 1, `${asked.length - pages} pages`);
	log.entries = entries(1, 400).map(entry => (entry.Id === '350' ? {...entry, Resolved: true} : entry));
	await eventually(() => watched.events.length > 0, patience);
	t.deepEqual(told(), ['DIMM 350 failed']);
	t.is(watched.events[0]?.attributes['hw.state'], 'ok');
});

test('a fan that flickers is one fault, and its recovery is told when it lasts', async t => {
	let ahead = 0;
	const {service, watched, look} = await setUp(t, {entries: []}, () => Date.now() + ahead);
	const states = () => watched.events.map(({attributes}) => attributes['hw.state']);
	for (const health of ['Critical', 'OK', 'Critical', 'OK', 'Warning', 'Critical', 'OK']) {
		Object.assign(service.pages, machinePages([], health));
		await look();
	}
	t.deepEqual(states(), ['failed']);
	ahead = 6 * 60_000;
	await look();
	t.deepEqual(states(), ['failed', 'ok']);
	Object.assign(service.pages, machinePages([], 'Critical'));
	await look();
	t.deepEqual(states(), ['failed', 'ok', 'failed']);
	t.true(
		watched.events.every(({isStanding}) => isStanding),
		'how a part stands is said once for as long as it lasts',
	);
});

test('a long log of which a module shows the addresses alone is watched at both ends', async t => {
	const service = createRedfishService(machinePages(), {stream: false, push: false});
	let all = entries(1, 2500);
	let fetched = 0;
	const url = await listenTls(t, localhost, (request, response) => {
		const {pathname} = new URL(request.url ?? '', 'http://x');
		const number = /^\/entries\/(\d+)$/.exec(pathname)?.[1];
		if (number !== undefined) fetched++;
		if (number !== undefined) return response.end(JSON.stringify(entryOf(Number(number))));
		if (pathname !== '/entries') return service.listener(request, response);
		response.end(JSON.stringify({Members: all.map(({Id}) => at(`/entries/${Id}`)), 'Members@odata.count': all.length}));
	});
	const ca_file = join(await temporaryDirectory(t), 'ca.pem');
	await writeFile(ca_file, authority.certificate);
	const {parts, events, readings, targets} = watchSource();
	const systems = [{url: url.origin, username: 'u', password: 'p', ca_file, events: 'poll'}];
	await started(t, createRedfishReceiver(redfishReceiverSchema.parse({systems, poll_interval: '100ms'}), parts));
	await eventually(() => readings.length >= 2, patience);
	t.true(fetched / readings.length < 500, `${fetched} requests for ${readings.length} looks`);
	all = entries(1, 2502);
	await eventually(() => events.length >= 2, patience);
	t.deepEqual(events.map(({message}) => message).toSorted(), ['DIMM 2501 failed', 'DIMM 2502 failed']);
	t.is(targets.at(-1)?.state, 'working');
});
