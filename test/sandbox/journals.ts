import {appendFile, readdir, readFile, stat, symlink, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {openJournal} from '../../src/sandbox/journal.ts';
import {createRecord} from '../../src/sandbox/record.ts';
import {temporaryDirectory} from '../helpers/listen.ts';
import {startProgram} from '../helpers/program.ts';
import {clientOf, heartbeat, messageOf, serviceEvent, startSandbox} from '../helpers/sandbox.ts';

test('a sandbox that starts again knows its cases, and numbers no two alike', async t => {
	const directory = await temporaryDirectory(t);
	const first = await startSandbox(t, {}, {directory});
	const before = clientOf(t, first);
	await before(messageOf([serviceEvent('s1')]));
	await before(messageOf([serviceEvent('s1')]));
	const [opened] = first.cases();
	await first.shutdown();
	t.deepEqual(first.cases(), [opened], 'what it knew can still be read');

	const second = await startSandbox(t, {case_delay: '0s'}, {directory});
	t.deepEqual(second.cases(), [opened]);
	const post = clientOf(t, second);
	t.is(
		(await post(messageOf([heartbeat(['s1'])]))).json.response_state.transactions.s1?.response_object.problem_id,
		opened?.caseNumber,
	);
	await post(messageOf([serviceEvent('s1')]));
	t.is(second.cases().length, 1);
	t.is(second.cases()[0]?.receivedTimes.length, 3);
});

test('a sandbox that is killed knows every case that it has acknowledged', async t => {
	const directory = await temporaryDirectory(t);
	const module = (name: string) => JSON.stringify(new URL(`../../src/sandbox/${name}.ts`, import.meta.url).href);
	const script = `
		import {sandboxSchema} from ${module('config')};
		import {createSandbox} from ${module('server')};
		const sandbox = createSandbox({...sandboxSchema.parse({}), directory: ${JSON.stringify(directory)}});
		await sandbox.start();
		console.log('listens on ' + sandbox.url());`;
	const program = await startProgram(t, process.execPath, ['--input-type=module', '-e', script]);
	await program.waitFor(/listens on .*\n/);
	const url = new URL(/https:\S+/.exec(program.output())?.[0] ?? '');
	const post = clientOf(t, {url: () => url, caFile: join(directory, 'ca.pem')});

	const acknowledged: string[] = [];
	const attempts = Array.from({length: 60}, async (_, n) => {
		await post(messageOf([serviceEvent(`s${n}`)]));
		acknowledged.push(`s${n}`);
		if (acknowledged.length === 20) await program.stop('SIGKILL');
	});
	await Promise.allSettled(attempts);
	t.true(acknowledged.length >= 20);
	const known = (await startSandbox(t, {}, {directory})).cases().map(({eventId}) => eventId);
	t.deepEqual(
		acknowledged.filter(id => !known.includes(id)),
		[],
	);
	t.is(new Set(known).size, known.length);
});

test('a refusal outlives a restart, and so does a confirmation', async t => {
	const directory = await temporaryDirectory(t);
	const config = {case_delay: '0s', business_errors: {BAD: 'no entitlement'}};
	const first = await startSandbox(t, config, {directory});
	const before = clientOf(t, first);
	await before(messageOf([serviceEvent('s1')], {asset_id: 'BAD'}));
	await before(messageOf([serviceEvent('s2')]));
	const confirmation = {component: 'system', description: 'seen', event_transaction_id: 's2', event_type: 'service'};
	await before(messageOf([{header: {...serviceEvent('c').header, event_type: 'confirm_response'}, body: confirmation}]));
	await first.shutdown();
	const {transactions} = (await clientOf(t, await startSandbox(t, config, {directory}))(messageOf([heartbeat(['s1', 's2'])])))
		.json.response_state;
	t.is(transactions.s1?.response_object.error, 'no entitlement');
	t.true(transactions.s2?.confirmed);
});

test('a torn last line costs nothing but itself', async t => {
	const directory = await temporaryDirectory(t);
	const file = join(directory, 'cases.jsonl');
	const first = await startSandbox(t, {}, {directory});
	await clientOf(t, first)(messageOf([serviceEvent('s1')]));
	await first.shutdown();
	await appendFile(file, '{"entry":"case","at":1,"case_num');

	const second = await startSandbox(t, {}, {directory});
	t.is(second.cases().length, 1);
	await clientOf(t, second)(messageOf([serviceEvent('s2')]));
	await second.shutdown();
	const third = await startSandbox(t, {}, {directory});
	t.deepEqual(
		third.cases().map(({eventId}) => eventId),
		['s1', 's2'],
	);
});

test('a last line that lacks only its end is kept', async t => {
	const directory = await temporaryDirectory(t);
	const file = join(directory, 'lines.jsonl');
	await writeFile(file, '{"n":1}\n{"n":2}');
	const journal = openJournal(file);
	journal.append({n: 3});
	t.deepEqual(journal.entries(), [{n: 1}, {n: 2}, {n: 3}]);
	journal.close();
});

test('lines that are not ours are passed over', async t => {
	const directory = await temporaryDirectory(t);
	await writeFile(
		join(directory, 'cases.jsonl'),
		'nonsense\n[]\nnull\n{"entry":"case"}\n\0\0\0\n{"entry":"repetition","at":1,"event_id":"x"}\n',
	);
	const sandbox = await startSandbox(t, {}, {directory});
	t.is(sandbox.cases().length, 0);
	t.is((await clientOf(t, sandbox)(messageOf([serviceEvent('s1')]))).json.transaction.rc, 200);
});

test('a closed journal takes nothing', async t => {
	const journal = openJournal(join(await temporaryDirectory(t), 'lines.jsonl'));
	journal.close();
	journal.close();
	t.throws(() => journal.append({}), {code: 'ERR_SHUTTING_DOWN'});
});

test('a full disk: nothing is acknowledged that was not kept, and the sandbox lives', async t => {
	const directory = await temporaryDirectory(t);
	await symlink('/dev/full', join(directory, 'received.jsonl'));
	const sandbox = await startSandbox(t, {}, {directory});
	const {status, json} = await clientOf(t, sandbox)(messageOf([heartbeat([])]));
	t.is(status, 503);
	t.regex(json.error, /cannot write .*received\.jsonl.*ENOSPC/);
});

test('a journal that has grown to its limit starts anew and keeps the one before', async t => {
	const file = join(await temporaryDirectory(t), 'lines.jsonl');
	const journal = openJournal(file, 100);
	for (let n = 0; n < 30; n++) journal.append({n});
	t.true((await stat(file)).size < 110);
	t.true((await stat(`${file}.1`)).size < 110);
	t.deepEqual(journal.entries().at(-1), {n: 29});
	journal.close();
});

test('every message is recorded as it came, without its keys', async t => {
	const directory = await temporaryDirectory(t);
	const sandbox = await startSandbox(
		t,
		{api_key: 'api-key-for-tests-0001', private_key: 'private-key-for-tests-0002'},
		{directory},
	);
	const post = clientOf(t, sandbox);
	await post(messageOf([serviceEvent('s1', {note: 'the key is api-key-for-tests-0001 and %2Fkey'}), heartbeat(['s1'])]));
	await post(
		messageOf([serviceEvent('s2')], {api_key: 'a-wrong-key-but-a-key', extra: {'Private-Key': 'nested-key-in-a-field'}}),
	);
	await post(messageOf([serviceEvent('s-private-key-for-tests-0002')]));
	await post('{"api_key": "key-in-a-torn-message", "agent": ');
	await post(messageOf([], {api_key: 'sh0rt', nested: {PRIVATEKEY: 4711471147114711}}));
	await post(messageOf([], {api_key: ['key-in-a-list-of-keys'], asset: undefined}));

	t.deepEqual(
		sandbox
			.received()
			.map(({eventType, eventId, asset, assetId, component, fate}) => [eventType, eventId, asset, assetId, component, fate]),
		[
			['service', 's1', '8871-AC1', 'J1A2B3C', 'system', 'accepted'],
			['last_contact', 'last_contact_1', '8871-AC1', 'J1A2B3C', 'system', 'accepted'],
			['service', 's2', '8871-AC1', 'J1A2B3C', 'system', 'refused'],
			['service', 's-[redacted]', '8871-AC1', 'J1A2B3C', 'system', 'refused'],
			['', '', '', '', '', 'refused'],
			['', '', '8871-AC1', 'J1A2B3C', '', 'refused'],
			['', '', '', 'J1A2B3C', '', 'refused'],
		],
	);
	t.like(sandbox.received()[0], {
		envelope: {agent: 'callhome-test', api_key: '[redacted]'},
		event: {body: {code: 'Fan 3 failed'}},
	});

	const names = await readdir(directory);
	t.true(names.includes('received.jsonl') && names.includes('cases.jsonl'));
	const written = (await Promise.all(names.map(name => readFile(join(directory, name), 'utf8')))).join('\n');
	t.regex(written, /Fan 3 failed/);
	for (const key of ['api-key-for-tests', 'private-key-for-tests', 'a-wrong-key', 'nested-key', 'key-in-a', 'sh0rt', '47114711'])
		t.false(written.includes(key), key);
	t.false(JSON.stringify(sandbox.received()).includes('-key-for-tests'));
});

test('memory holds the last events only, the file all of them', async t => {
	const directory = await temporaryDirectory(t);
	const journal = openJournal(join(directory, 'received.jsonl'));
	const record = createRecord(journal);
	const about = {mode: 'normal', fate: 'accepted', reason: '', bytes: 10} as const;
	for (let at = 0; at < 10_050; at++) record.add({...about, at, kept: {events: [{header: {event_id: `e${at}`}}]}});
	t.is(record.list().length, 10_000);
	t.is(record.list()[0]?.eventId, 'e50');
	t.is(journal.entries().length, 10_050);
	record.add({...about, at: 1, bytes: 17 * 1024 ** 2, kept: {}});
	t.is(record.list().length, 1, 'large messages push out small ones');
	journal.close();
});
