import {once} from 'node:events';
import {connect} from 'node:net';
import test from 'ava';
import {BridgeError} from '../../../src/errors.ts';
import {cimReceiverSchema} from '../../../src/receivers/cim/config.ts';
import {createCimReceiver} from '../../../src/receivers/cim/receiver.ts';
import {indicationXml, memoryFault, send} from '../../helpers/cim.ts';
import {started, watchSource} from '../../helpers/sources.ts';

const config = (settings: object = {}) => cimReceiverSchema.parse({endpoint: '127.0.0.1:0', ...settings});

test('an indication is answered after its event is on disk, and not before', async t => {
	const {promise: stored, resolve} = Promise.withResolvers<void>();
	const watched = watchSource({
		consume: async events => {
			await stored;
			return events.map(() => 'first');
		},
	});
	const receiver = await started(t, createCimReceiver(config(), watched.parts));
	let isAnswered = false;
	const answer = send(receiver.url(), indicationXml(memoryFault)).finally(() => {
		isAnswered = true;
	});
	await new Promise(done => setTimeout(done, 200));
	t.false(isAnswered);
	resolve();
	const response = await answer;
	t.is(response.status, 200);
	t.is(response.headers.get('cimexport'), 'MethodResponse');
	t.regex(await response.text(), /<MESSAGE ID="4711".*<EXPMETHODRESPONSE NAME="ExportIndication"><\/EXPMETHODRESPONSE>/s);
	t.is(watched.events.length, 1);
});

test('a store that is full or slow is 503, and an indication that comes again is the same event', async t => {
	const outcomes = [
		async () => {
			throw new BridgeError('ERR_STORE_FULL', 'the disk is full');
		},
		() => new Promise<never>(() => {}),
	];
	const watched = watchSource({consume: async events => (await outcomes.shift()?.()) ?? events.map(() => 'first' as const)});
	const receiver = await started(t, createCimReceiver(config({answer_timeout: '200ms'}), watched.parts));
	for (let attempt = 0; attempt < 2; attempt++) {
		const refused = await send(receiver.url(), indicationXml(memoryFault));
		t.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '5']);
	}
	for (let attempt = 0; attempt < 2; attempt++) t.is((await send(receiver.url(), indicationXml(memoryFault))).status, 200);
	t.is(watched.events.length, 2);
	t.is(watched.events[0]?.id, watched.events[1]?.id);
});

test('what is no indication is told so in the words of the standard', async t => {
	const {parts, events} = watchSource();
	const receiver = await started(t, createCimReceiver(config({max_request_size: 4096}), parts));
	const good = indicationXml(memoryFault);
	const cases: [body: string, headers: Record<string, string>, status: number, cimError: string | null][] = [
		[good, {CIMExport: 'Other'}, 400, 'unsupported-operation'],
		[good, {CIMExportMethod: 'Other'}, 400, 'header-mismatch'],
		[good, {CIMExportBatch: ''}, 501, 'multiple-requests-unsupported'],
		[good, {'Content-Encoding': 'gzip'}, 406, 'header-mismatch'],
		[good, {'Content-Type': 'application/json'}, 406, 'header-mismatch'],
		[good.slice(0, -20), {}, 400, 'request-not-well-formed'],
		['<CIM/>', {}, 400, 'request-not-valid'],
		[good.replace('CIMVERSION="2.0"', 'CIMVERSION="3.0"'), {}, 400, 'unsupported-cim-version'],
		[good.replace('DTDVERSION="2.0"', 'DTDVERSION="1.0"'), {}, 400, 'unsupported-dtd-version'],
		[good.replace('PROTOCOLVERSION="1.0"', 'PROTOCOLVERSION="2.0"'), {}, 400, 'unsupported-protocol-version'],
		['x'.repeat(5000), {}, 413, null],
	];
	for (const [body, headers, status, cimError] of cases) {
		const response = await send(receiver.url(), body, headers);
		t.deepEqual(
			[response.status, response.headers.get('cimerror')],
			[status, cimError],
			JSON.stringify(headers) + body.slice(0, 99),
		);
		t.is(response.headers.get('cimexport'), 'MethodResponse');
	}
	t.is((await fetch(receiver.url())).status, 405);
	const unknown = await send(receiver.url(), good.replace('"ExportIndication"', '"Other"'), {CIMExportMethod: 'Other'});
	t.regex(await unknown.text(), /<ERROR CODE="7"/);
	const empty = await send(receiver.url(), good.replace('"NewIndication"', '"Else"'));
	t.regex(await empty.text(), /<ERROR CODE="4"/);
	t.deepEqual(events, []);
});

test('old firmware is read: odd Accept headers, text/xml, no versions, a reference to a DTD', async t => {
	const {parts, events} = watchSource();
	const receiver = await started(t, createCimReceiver(config(), parts));
	const old = indicationXml(memoryFault)
		.replace(/ (?:CIM|DTD|PROTOCOL)VERSION="[\d.]+"/g, '')
		.replace('?><CIM', '?><!DOCTYPE CIM SYSTEM "http://www.dmtf.org/cim-v2.dtd"><CIM');
	const response = await send(receiver.url(), old, {Accept: 'text/plain', 'Content-Type': 'text/xml', CIMProtocolVersion: '1.1'});
	t.is(response.status, 200);
	t.is(events.length, 1);
});

test('M-POST is told to go on with POST', async t => {
	const receiver = await started(t, createCimReceiver(config(), watchSource().parts));
	const socket = connect(Number(receiver.url().port), '127.0.0.1');
	socket.write('M-POST / HTTP/1.1\r\nHost: x\r\nMan: http://www.dmtf.org/cim/mapping/http/v1.0 ; ns=40\r\n\r\n');
	const [chunk] = (await once(socket, 'data')) as [Buffer];
	socket.destroy();
	t.regex(chunk.toString(), /^HTTP\/1\.1 501 .*CIMExport: MethodResponse/s);
});

test('beyond the systems nobody is served, and a system is known by its address', async t => {
	const {parts, events, said} = watchSource();
	const system = (host: string) => ({
		host,
		username: 'u',
		password: 'hunter2',
		port: 1,
		machine_type: '8871',
		name: `system at ${host}`,
	});
	const settings = {clients: 'systems', destination_url: 'http://127.0.0.1:5990'};
	const foreign = await started(t, createCimReceiver(config({...settings, systems: [system('127.0.0.9')]}), parts));
	t.is((await send(foreign.url(), indicationXml(memoryFault))).status, 403);
	t.deepEqual(events, []);
	const own = await started(t, createCimReceiver(config({...settings, systems: [system('127.0.0.1')]}), parts));
	t.is((await send(own.url(), indicationXml(memoryFault))).status, 200);
	t.like(events[0]?.resource, {'host.name': 'system at 127.0.0.1', 'callhome.system.type': '8871'});
	t.notRegex(said.join('\n'), /hunter2/);
});

test('a listener beyond loopback says who may send', t => {
	const faults = (settings: object) => cimReceiverSchema.safeParse(settings).error?.issues.map(({path}) => path.join('.')) ?? [];
	const systems = [{host: '192.0.2.7', username: 'u', password: 'p'}];
	t.deepEqual(faults({endpoint: '192.0.2.1:5990'}), ['endpoint']);
	t.deepEqual(faults({endpoint: '192.0.2.1:5990', systems}), []);
	t.deepEqual(faults({endpoint: '192.0.2.1:5990', systems, clients: 'any'}), ['endpoint']);
	t.deepEqual(faults({endpoint: '192.0.2.1:5990', insecure: true}), []);
	t.deepEqual(faults({systems}), ['destination_url']);
	t.deepEqual(faults({endpoint: '0.0.0.0:5990', systems}), ['destination_url']);
	t.deepEqual(faults({systems: [{...systems[0], username: 'a:b'}], destination_url: 'http://192.0.2.1:5990'}), [
		'systems.0.username',
	]);
});
