import {execFileSync} from 'node:child_process';
import {existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test from 'ava';
import {startAgent} from '../../src/agent.ts';
import {openStore} from '../../src/store/store.ts';
import {alertRequest, configOf, post} from '../helpers/bridge.ts';
import {eventually, temporaryDirectory} from '../helpers/listen.ts';

const retry_on_failure = {initial_interval: '100ms', max_interval: '500ms'};
const unavailable = {sandbox: {mode: 'unavailable'}, retry_on_failure};

const listening = () => {
	const said: string[] = [];
	return {said, log: (level: string, text: string) => void said.push(`${level} ${text}`)};
};

test.serial('a bridge whose store was damaged starts, says so, and reports what was waiting, once', async t => {
	const directory = await temporaryDirectory(t);

	const before = await startAgent(configOf(directory, {exporter: unavailable}), () => {});
	for (let number = 0; number < 40; number++) {
		t.is((await post(before.urls.otlp, alertRequest({serial: `SYS${number + 1000}`, uid: `uid-${number}`}))).status, 200);
	}
	await before.shutdown();
	const file = join(directory, 'state/callhome.db');
	const bytes = readFileSync(file);
	bytes.fill(0xa5, 0, 4096); // The first page: header and schema.
	bytes.fill(0x5a, 8 * 4096, 11 * 4096);
	writeFileSync(file, bytes);

	const {said, log} = listening();
	const after = await startAgent(configOf(directory), log);
	t.teardown(() => after.shutdown());
	t.true(
		said.some(line => /^error the store was damaged.*moved to .*rows taken over/.test(line)),
		said.join('\n'),
	);
	t.true(readdirSync(join(directory, 'state')).some(name => name.includes('set-aside')));
	const {read} = after.callHome.store;
	t.is((await post(after.urls.otlp, alertRequest({serial: 'AFTER01', uid: 'after'}))).status, 200);
	const settled = await eventually(
		async () => (await read.tallyQueue()).size === 0 && (await read.listProblems({states: ['queued', 'accepted']})).length === 0,
		{timeoutMillis: 60_000},
	);
	t.true(settled);
	const open = await read.listProblems({states: ['open']});
	t.true(open.length > 20, `${open.length} of 41 problems are left`);
	t.is(new Set(open.map(({system}) => system?.serialNumber)).size, open.length, 'no fault has two cases');
	const tally = (await read.tallyProblems()).reduce((sum, {events}) => sum + events, 0);
	t.is(await read.countEvents(), tally);
});

test.serial('events and problems that a damaged file has parted are decided and queued again under their old ids', async t => {
	const directory = await temporaryDirectory(t);
	const before = await startAgent(configOf(directory, {exporter: unavailable}), () => {});
	await post(before.urls.otlp, alertRequest({serial: 'LOSTROW', uid: 'uid-1'}));
	await post(before.urls.otlp, alertRequest({serial: 'NOQUEUE', uid: 'uid-2'}));
	await eventually(async () => (await before.callHome.store.read.listProblems({})).length === 2);
	const ids = new Map(
		(await before.callHome.store.read.listProblems({})).map(problem => [problem.system?.serialNumber, problem.transactionId]),
	);
	await before.shutdown();

	const store = await openStore({directory: join(directory, 'state'), onFailure: () => {}, onSetAside: () => {}});
	for (const submission of await store.read.dueSubmissions(Number.MAX_SAFE_INTEGER, [], 10)) {
		if (submission.transactionId === ids.get('NOQUEUE')) await store.write(records => records.removeSubmission(submission.id));
	}
	await store.close();

	const {said, log} = listening();
	const after = await startAgent(configOf(directory), log);
	t.teardown(() => after.shutdown());
	t.true(
		said.some(line => line.includes('1 problem(s) queued again')),
		said.join('\n'),
	);
	const open = await eventually(async () => {
		const problems = await after.callHome.store.read.listProblems({states: ['open']});
		return problems.length === 2 && problems;
	});
	for (const {system, transactionId} of open) t.is(ids.get(system?.serialNumber), transactionId);
});

test.serial('a disk that was full before the start: the bridge answers 503 until there is room, and then goes on', async t => {
	const disk = join(await temporaryDirectory(t), 'disk');
	mkdirSync(disk);
	try {
		execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', disk], {stdio: 'ignore'});
	} catch {
		t.log('skipped: this user may not mount a file system');
		return t.assert(!process.env.CI, 'CI runs as a user who may mount');
	}
	t.teardown(() => execFileSync('umount', ['--lazy', disk]));
	const config = configOf(disk, {receivers: {otlp: {endpoint: '127.0.0.1:14319'}}});
	const first = await startAgent(config, () => {});
	t.is((await post(first.urls.otlp, alertRequest({serial: 'A000001'}))).status, 200);
	await first.shutdown();
	t.throws(() => writeFileSync(join(disk, 'ballast'), Buffer.alloc(16 * 1024 ** 2)), {code: 'ENOSPC'});

	const {said, log} = listening();
	const starting = startAgent(config, log);
	t.teardown(async () => (await starting).shutdown());
	await eventually(() => said.some(line => line.startsWith('error')));
	const refused = await post(new URL('http://127.0.0.1:14319'), alertRequest({serial: 'A000002'}));
	t.is(refused.status, 503);
	t.truthy(refused.headers.get('retry-after'));
	rmSync(join(disk, 'ballast'));
	const second = await starting;
	t.is((await post(second.urls.otlp, alertRequest({serial: 'A000002'}))).status, 200);
	t.is((await second.callHome.store.read.listProblems({})).length, 2);
	t.true(existsSync(join(disk, 'state/callhome.db')));
});
