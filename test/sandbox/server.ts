import {readFileSync} from 'node:fs';
import {connect} from 'node:tls';
import test from 'ava';
import {BridgeError} from '../../src/errors.ts';
import {sandboxSchema} from '../../src/sandbox/config.ts';
import {createSandbox} from '../../src/sandbox/server.ts';
import {temporaryDirectory} from '../helpers/listen.ts';
import {clientOf, eventOf, heartbeat, messageOf, serviceEvent, startSandbox} from '../helpers/sandbox.ts';

test('a service event is accepted, pending, and then has a case number', async t => {
	let time = 1_800_000_000_000;
	const sandbox = await startSandbox(t, {case_delay: '60s'}, {now: () => time});
	const post = clientOf(t, sandbox);

	const accepted = (await post(messageOf([serviceEvent('s1')]))).json;
	t.is(accepted.service, 'ibm_callhome_connect');
	t.like(accepted.transaction, {rc: 200, events: 1, target_space: 'dev', asset_id: 'J1A2B3C', api_key: 'api-key-for-tests-0001'});
	t.is(accepted.transaction.message_key, 'IBM_Power_8871-AC1_J1A2B3C_0000000000000000');
	t.is(accepted.transaction.private_key, undefined);
	t.like(accepted.transaction.env, {action_name: 'call_home_connect_post', http_method: 'post', message: 'Successful Request'});
	t.like(accepted.events[0]?.header, {_id: 's1', rc: 200, component: 'system', payload: true});
	t.deepEqual(accepted.response_state.transactions, {});
	t.true(accepted.query_results_error, 'noise that a client must not read');

	time += 59_999;
	const pending = (await post(messageOf([heartbeat(['s1', 'never-sent'])]))).json;
	t.true(pending.response_available);
	t.deepEqual(Object.keys(pending.response_state.transactions), ['s1'], 'an unknown id is simply absent');
	t.like(pending.response_state, {found: 1, missing: 1});
	t.false(pending.response_state.transactions.s1?.complete);
	t.is(pending.response_state.transactions.s1?.response_object.problem_id, undefined);

	time += 1;
	const ready = (await post(messageOf([heartbeat(['s1'])]))).json.response_state.transactions.s1;
	t.regex(ready?.response_object.problem_id ?? '', /^TS\d{9}$/);
	t.like(ready, {
		complete: true,
		confirmed: false,
		event_type: 'service',
		event_transaction_id: 's1',
		time_ms: 1_800_000_000_000,
	});
	t.is(ready?.expiry, 1_800_000_000_000 + 72 * 3_600_000);
	t.is(ready?.response_object.problem_id, sandbox.cases()[0]?.caseNumber);
});

test('an answer is gone after 72 hours', async t => {
	let time = 1_800_000_000_000;
	const post = clientOf(t, await startSandbox(t, {case_delay: '1s'}, {now: () => time}));
	await post(messageOf([serviceEvent('s1')]));
	time += 72 * 3_600_000 - 1;
	t.truthy((await post(messageOf([heartbeat(['s1'])]))).json.response_state.transactions.s1);
	time += 1;
	const {response_state, response_available} = (await post(messageOf([heartbeat(['s1'])]))).json;
	t.deepEqual(response_state.transactions, {});
	t.deepEqual(response_state.persistence_result.missing_detail, ['s1']);
	t.false(response_available);
});

test('answers come only when a heartbeat wants details', async t => {
	const post = clientOf(t, await startSandbox(t, {case_delay: '0s'}));
	await post(messageOf([serviceEvent('s1')]));
	const silent = eventOf('last_contact', 'h', {enable_response_detail: false, enable_response_detail_filter: ['s1']});
	t.deepEqual((await post(messageOf([silent]))).json.response_state.transactions, {});
	t.deepEqual((await post(messageOf([eventOf('last_contact', 'h', {})]))).json.response_state.transactions, {});
});

test('the same event id again joins its case', async t => {
	const sandbox = await startSandbox(t, {case_delay: '0s'});
	const post = clientOf(t, sandbox);
	for (let sent = 0; sent < 3; sent++) await post(messageOf([serviceEvent('s1')]));
	t.is(sandbox.cases().length, 1);
	t.is(sandbox.cases()[0]?.receivedTimes.length, 3);
	const found = (await post(messageOf([heartbeat(['s1'])]))).json.response_state.transactions.s1;
	t.is(found?.response_object.problem_id, sandbox.cases()[0]?.caseNumber);
});

test('without duplicate detection the same event id opens a second case', async t => {
	const sandbox = await startSandbox(t, {case_delay: '0s', duplicate_detection: false});
	const post = clientOf(t, sandbox);
	for (let sent = 0; sent < 2; sent++) await post(messageOf([serviceEvent('s1')]));
	const [first, second] = sandbox.cases();
	t.is(sandbox.cases().length, 2);
	t.is(first?.eventId, second?.eventId);
	t.not(first?.caseNumber, second?.caseNumber);
});

test('the same fault under another id is a second case, and can be told from the list', async t => {
	const sandbox = await startSandbox(t);
	const post = clientOf(t, sandbox);
	await post(messageOf([serviceEvent('s1')]));
	await post(messageOf([serviceEvent('s2', {test: true})]));
	t.deepEqual(
		sandbox.cases().map(({eventId, asset, assetId, code, test}) => ({eventId, asset, assetId, code, test})),
		[
			{eventId: 's1', asset: '8871-AC1', assetId: 'J1A2B3C', code: 'Fan 3 failed', test: false},
			{eventId: 's2', asset: '8871-AC1', assetId: 'J1A2B3C', code: 'Fan 3 failed', test: true},
		],
	);
});

test('case numbers differ even when chance does not help', async t => {
	const sandbox = await startSandbox(t, {}, {random: () => 0.5});
	const post = clientOf(t, sandbox);
	await post(messageOf([serviceEvent('s1'), serviceEvent('s2')]));
	t.deepEqual(
		sandbox.cases().map(({caseNumber}) => caseNumber),
		['TS500000000', 'TS500000001'],
	);
});

test('inventory, status, performance and confirmation are accepted and open no case', async t => {
	const sandbox = await startSandbox(t, {case_delay: '0s'});
	const post = clientOf(t, sandbox);
	const slots = {nd_stats: '', ng_stats: '', nm_stats: '', nn_stats: '', nv_stats: ''};
	const perfstats = {file_stamp: '2026-11-23 12:00:00', file_stamp_ms: 1, node_number: 1, nodes_in_cluster: 1, ...slots};
	await post(messageOf([serviceEvent('s1')]));
	const {json} = await post(
		messageOf([
			eventOf('inventory', 'i1', {payload: {content: {inventory: {machines: []}}}}),
			eventOf('status', 't1', {event_transaction_id: 't1', state: 'Ok', complete: true}),
			eventOf('performance', 'p1', {payload: {perfstats: {perfstats}}}),
			eventOf('confirm_response', 'c1', {event_transaction_id: 's1', event_type: 'service'}),
		]),
	);
	t.is(json.transaction.events, 4);
	t.deepEqual(
		json.events.map(({header}: {header: {rc: number}}) => header.rc),
		[200, 200, 200, 200],
	);
	t.is(sandbox.cases().length, 1);
	t.true((await post(messageOf([heartbeat(['s1'])]))).json.response_state.transactions.s1?.confirmed);
});

test('an event type that is not served has a return code of its own', async t => {
	const sandbox = await startSandbox(t);
	const {json} = await clientOf(t, sandbox)(messageOf([eventOf('software_update', 'u1', {}), serviceEvent('s1')]));
	t.is(json.transaction.rc, 200);
	t.is(json.transaction.events, 1);
	t.like(json.events[0]?.header, {rc: 400});
	t.like(json.events[1]?.header, {rc: 200});
	t.is(sandbox.cases().length, 1);
});

test('a system without entitlement gets a refusal in words and no case', async t => {
	const sandbox = await startSandbox(t, {case_delay: '0s', business_errors: {J1A2B3C: 'no entitlement'}});
	const post = clientOf(t, sandbox);
	t.is((await post(messageOf([serviceEvent('s1')]))).json.transaction.rc, 200);
	await post(messageOf([serviceEvent('s2', {payload: {hardware: {serial_number: 'J1A2B3C'}}})], {asset_id: 'BRIDGE1'}));
	await post(messageOf([serviceEvent('s3')], {asset_id: 'J9'}));
	const {transactions} = (await post(messageOf([heartbeat(['s1', 's2', 's3'])]))).json.response_state;
	t.is(transactions.s1?.response_object.error, 'no entitlement');
	t.is(transactions.s2?.response_object.error, 'no entitlement');
	t.is(transactions.s1?.response_object.problem_id, undefined);
	t.regex(transactions.s3?.response_object.problem_id ?? '', /^TS/);
	t.is(sandbox.cases().length, 1);
});

test('any keys are taken unless the configuration names them', async t => {
	const open = clientOf(t, await startSandbox(t));
	t.is((await open(messageOf([], {api_key: 'x', private_key: 'y'}))).json.transaction.rc, 200);
	t.is((await open(messageOf([], {api_key: ''}))).json.transaction.rc, 401);
	t.is((await open(messageOf([], {private_key: undefined}))).json.transaction.rc, 401);

	const sandbox = await startSandbox(t, {api_key: 'api-key-for-tests-0001', private_key: 'private-key-for-tests-0002'});
	const locked = clientOf(t, sandbox);
	t.is((await locked(messageOf([serviceEvent('s1')]))).json.transaction.rc, 200);
	const refused = await locked(messageOf([serviceEvent('s2')], {private_key: 'another'}));
	t.is(refused.status, 200);
	t.like(refused.json.transaction, {rc: 401, events: 0});
	t.deepEqual(
		sandbox.received().map(({eventId, fate, reason}) => [eventId, fate, reason]),
		[
			['s1', 'accepted', ''],
			['s2', 'refused', 'unknown keys'],
		],
	);
	t.is(sandbox.cases().length, 1);
});

test('only POST, only this path, only JSON without encoding', async t => {
	const post = clientOf(t, await startSandbox(t));
	const message = messageOf([]);
	const get = await post('', {method: 'GET'});
	t.is(get.status, 405);
	t.is(get.headers.allow, 'POST');
	t.is((await post(message, {method: 'PUT'})).status, 405);
	t.is((await post(message, {path: '/connect/api/v2'})).status, 404);
	t.is((await post(message, {headers: {'content-type': 'text/plain'}})).status, 415);
	t.is((await post(message, {headers: {'content-encoding': 'gzip'}})).status, 415);
	t.is((await post(message, {headers: {'content-type': 'Application/JSON; charset=utf-8'}})).status, 200);
});

test('a body beyond 4 MiB is refused and nothing comes of it', async t => {
	const sandbox = await startSandbox(t);
	const post = clientOf(t, sandbox);
	const {status, json} = await post(messageOf([serviceEvent('s1', {note: 'x'.repeat(5 * 1024 ** 2)})]));
	t.is(status, 413);
	t.regex(json.error, /4194304 bytes/);
	t.is(sandbox.cases().length, 0);
	t.is((await post(messageOf([serviceEvent('s2', {note: 'x'.repeat(3 * 1024 ** 2)})]))).json.transaction.rc, 200);
});

const badMessages: [string, unknown, RegExp][] = [
	['not JSON', '{"agent":', /not JSON/],
	['not UTF-8', Uint8Array.of(0x22, 0xff, 0x22), /not JSON in UTF-8/],
	['deep nesting', `${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`, /nested deeper than 64/],
	['a list', '[]', /message: /],
	['null', 'null', /message: /],
	['no asset', messageOf([], {asset: undefined}), /^asset: /],
	['another type', messageOf([], {type: 'eccnext_apisv2'}), /^type: /],
	['another version', messageOf([], {version: '1.0.0.2'}), /^version: /],
	['events not a list', messageOf([], {events: {}}), /^events: /],
	['time as text', messageOf([], {event_time_ms: '1795435200000'}), /^event_time_ms: /],
	['time with a zone', messageOf([], {event_time: '2026-11-23T12:00:00Z'}), /^event_time: .*YYYY-MM-DD/],
	['country in small letters', messageOf([], {country_code: 'ch'}), /^country_code: /],
	['no header', messageOf([{body: {}}]), /^events\.0\.header: /],
	['no body', messageOf([{header: serviceEvent('s').header}]), /^events\.0\.body: /],
	[
		'status without state',
		messageOf([eventOf('status', 't', {event_transaction_id: 't', complete: true})]),
		/^events\.0\.body\.state: /,
	],
	['title of 141 characters', messageOf([serviceEvent('s', {code: 'x'.repeat(141)})]), /^events\.0\.body\.code: .*140/],
	[
		'description of 10,001 characters',
		messageOf([serviceEvent('s', {description: 'x'.repeat(10_001)})]),
		/^events\.0\.body\.description: /,
	],
	[
		'payload description of 10,001 characters',
		messageOf([serviceEvent('s', {payload: {description: ['x'.repeat(10_001)]}})]),
		/^events\.0\.body\.payload\.description: /,
	],
	['no customer number', messageOf([serviceEvent('s', {customer: ''})]), /^events\.0\.body\.customer: /],
	['key in an event id', messageOf([serviceEvent('s-api-key-for-tests-0001')]), /a key stands in a field/],
];

for (const [name, content, fault] of badMessages) {
	test(`malformed message: ${name}`, async t => {
		const sandbox = await startSandbox(t);
		const {status, json} = await clientOf(t, sandbox)(content);
		t.is(status, 200, 'the real service answers so too');
		t.is(json.service, undefined);
		t.truthy(json.body.env.namespace);
		t.regex(json.body.error, fault);
		t.is(sandbox.cases().length, 0);
		t.is(sandbox.received()[0]?.fate, 'refused');
	});
}

test('bytes that are not HTTP are answered in JSON', async t => {
	const sandbox = await startSandbox(t);
	const socket = connect({host: '127.0.0.1', port: Number(sandbox.url().port), ca: readFileSync(sandbox.caFile)});
	t.teardown(() => socket.destroy());
	socket.write('\u0000\u0001nonsense\r\n\r\n');
	let text = '';
	for await (const chunk of socket.setEncoding('utf8')) text += chunk;
	t.regex(text, /^HTTP\/1\.1 400 .*application\/json.*\{"error":/s);
});

test('TLS 1.1 is not spoken', async t => {
	const sandbox = await startSandbox(t);
	const old = clientOf(t, sandbox, {maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0'});
	await t.throwsAsync(old(messageOf([])), {code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION'});
	t.is((await clientOf(t, sandbox, {maxVersion: 'TLSv1.2'})(messageOf([]))).status, 200);
});

test('the address is known only while it runs', async t => {
	const sandbox = createSandbox({...sandboxSchema.parse({}), directory: await temporaryDirectory(t)});
	t.throws(() => sandbox.url(), {instanceOf: BridgeError, code: 'ERR_NOT_READY'});
	await sandbox.start();
	t.regex(sandbox.url().href, /^https:\/\/127\.0\.0\.1:\d+\/connect\/api\/v1$/);
	await sandbox.shutdown();
	t.throws(() => sandbox.url(), {code: 'ERR_NOT_READY'});
});

test('shutdown is safe before, during and after start, and twice', async t => {
	const directory = await temporaryDirectory(t);
	const create = () => createSandbox({...sandboxSchema.parse({}), directory});
	await create().shutdown();
	const interrupted = create();
	const start = interrupted.start();
	await interrupted.shutdown();
	await t.throwsAsync(start, {code: 'ERR_SHUTTING_DOWN'});
	const sandbox = create();
	await sandbox.start();
	await sandbox.shutdown();
	await t.notThrowsAsync(sandbox.shutdown());
});

test('a port that is taken is named, and what was opened is let go', async t => {
	const running = await startSandbox(t);
	const second = createSandbox({
		...sandboxSchema.parse({endpoint: `127.0.0.1:${running.url().port}`}),
		directory: await temporaryDirectory(t),
	});
	await t.throwsAsync(second.start(), {code: 'ERR_CONFIG', message: new RegExp(`${running.url().port}.*EADDRINUSE`)});
	await t.notThrowsAsync(second.shutdown());
});
