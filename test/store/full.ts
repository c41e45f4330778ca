import {spawnSync} from 'node:child_process';
import {mkdtempSync, rmdirSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {seenAt} from '../helpers/records.ts';
import {countsOf, keepProblem, openedStore} from '../helpers/stores.ts';

const run = (file: string, args: readonly string[]) => spawnSync(file, args, {encoding: 'utf8'});

/** A file system of two megabytes, or undefined where none can be mounted. */
function smallDisk(t: ExecutionContext): string | undefined {
	const directory = mkdtempSync(join(tmpdir(), 'callhome-disk-'));
	const {status, stderr} = run('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', directory]);
	if (status === 0) {
		t.teardown(() => {
			run('umount', [directory]);
			rmdirSync(directory);
		});
		return directory;
	}
	rmdirSync(directory);
	t.log(`skipped: no file system can be mounted here: ${stderr?.trim() ?? 'there is no mount'}`);
	t.pass();
	return undefined;
}

/** Takes all the space that is left, and returns how to give it back. */
function fillUp(directory: string): () => void {
	const ballast = join(directory, 'ballast');
	for (const length of [1 << 20, 1 << 16, 1 << 12]) {
		try {
			for (;;) writeFileSync(ballast, Buffer.alloc(length), {flag: 'a'});
		} catch {
			// No more of this size.
		}
	}
	return () => rmSync(ballast);
}

async function writeUntilRefused(write: (name: string) => Promise<void>, prefix: string, most = 5000) {
	const acknowledged: string[] = [];
	for (let index = 0; index < most; index++) {
		try {
			await write(`${prefix}${index}`);
			acknowledged.push(`${prefix}${index}`);
		} catch (error) {
			return {acknowledged, error: error as Error & {code: string}};
		}
	}
	throw new Error(`${most} changes and still not full`);
}

test('a full disk refuses, loses nothing, and takes again when there is space, without a restart', async t => {
	const disk = smallDisk(t);
	if (!disk) return;
	const {store, failures} = await openedStore(t, {directory: join(disk, 'store')});
	const write = (name: string) => store.write(records => keepProblem(records, name, 2, 'x'.repeat(500)));
	const acknowledged: string[] = [];
	for (const turn of [1, 2, 3]) {
		await write(`begin${turn}`);
		const free = fillUp(disk);
		const {acknowledged: names, error} = await writeUntilRefused(write, `t${turn}-`);
		t.is(error.code, 'ERR_STORE_FULL', error.message);
		t.is(failures.length, turn, 'it is said once, as long as it lasts');
		await Promise.all([1, 2, 3].map(index => t.throwsAsync(write(`refused${turn}-${index}`), {code: 'ERR_STORE_FULL'})));
		t.is(failures.length, turn);
		acknowledged.push(`begin${turn}`, ...names);
		const known = new Set((await store.read.listProblems({limit: 100_000})).map(({id}) => id));
		t.deepEqual(
			acknowledged.filter(name => !known.has(name)),
			[],
		);
		t.is(known.size, acknowledged.length, 'of what was refused nothing is kept');
		free();
	}
	await write('after');
	const counts = await countsOf(store.read);
	t.deepEqual([counts.tallied, counts.counted], [counts.kept, counts.kept]);
	await store.close();
	const again = await openedStore(t, {directory: join(disk, 'store')});
	t.deepEqual(again.setAside, []);
	t.is((await again.store.read.listProblems({limit: 100_000})).length, acknowledged.length + 1);
});

test('on a disk that is full from the start nothing is set aside, and a start with space finds all', async t => {
	const disk = smallDisk(t);
	if (!disk) return;
	const directory = join(disk, 'store');
	const first = await openedStore(t, {directory});
	await first.store.write(records => keepProblem(records, 'before', 2));
	await first.store.close();
	const free = fillUp(disk);
	const outcome = await openedStore(t, {directory}).then(
		async ({store}) => {
			t.is(await store.read.countEvents(), 2);
			await t.throwsAsync(
				store.write(records => keepProblem(records, 'full', 2)),
				{code: 'ERR_STORE_FULL'},
			);
			await store.close();
			return 'opened';
		},
		(error: Error & {code: string}) => error.code,
	);
	t.log(outcome);
	t.true(['opened', 'ERR_STORE_FULL'].includes(outcome), outcome);
	free();
	const {store, setAside} = await openedStore(t, {directory});
	t.deepEqual(setAside, []);
	t.is(await store.read.countEvents(), 2);
	await store.write(records => keepProblem(records, 'after', 2));
});

test('a store at its limit refuses events, and still records what it sends', async t => {
	const maxSize = 1024 * 1024;
	const {store, directory, failures} = await openedStore(t, {maxSize});
	const write = (name: string) => store.write(records => keepProblem(records, name, 2, 'x'.repeat(1000)));
	const {acknowledged, error} = await writeUntilRefused(write, 'p');
	t.is(error.code, 'ERR_STORE_FULL');
	t.regex(error.message, /raise store\.max_size/);
	t.is(failures.length, 1);
	t.true(acknowledged.length > 50);
	for (const name of acknowledged.slice(0, 50)) {
		await store.write(async records => {
			const sequence = await records.beginAttempt({
				submissionId: `transaction of ${name}`,
				problemId: name,
				type: 'hardware_alert',
				startedAt: seenAt,
				connection: 'direct',
				destination: 'ibm.example:443',
				request: 'r'.repeat(1000),
			});
			await records.endAttempt(sequence, {duration: 3, statusCode: 200, reply: 'ok'});
			await records.removeSubmission(`transaction of ${name}`);
		});
	}
	t.is((await store.read.tallyQueue()).size, acknowledged.length - 50);
	await store.close();
	t.true(statSync(join(directory, 'callhome.db')).size <= maxSize);

	const larger = await openedStore(t, {directory, maxSize: 2 * maxSize});
	await larger.store.write(records => keepProblem(records, 'more', 2));
	t.is((await larger.store.read.listProblems({limit: 10_000})).length, acknowledged.length + 1);
});

test('one change that does not fit fails no other', async t => {
	const {store} = await openedStore(t, {maxSize: 1024 * 1024});
	const outcomes = await Promise.allSettled([
		store.write(records => keepProblem(records, 'small', 2)),
		store.write(async records => {
			await records.writeSetting('one', 'one');
			await records.writeSetting('huge', 'x'.repeat(2 * 1024 * 1024));
		}),
		store.write(records => keepProblem(records, 'last', 2)),
	]);
	t.is(outcomes[1].status === 'rejected' && outcomes[1].reason.code, 'ERR_STORE_FULL');
	t.is(await store.read.readSetting('one'), undefined);
	const small = await store.read.problemById('small');
	t.is(outcomes[0].status === 'fulfilled', small !== undefined, 'acknowledged is kept, and kept is acknowledged');
	await store.write(records => keepProblem(records, 'later', 2));
	t.is((await store.read.problemById('later'))?.count, 2);
});

test('space that is freed inside the file is used again', async t => {
	const {store} = await openedStore(t, {maxSize: 1024 * 1024});
	const write = (name: string) => store.write(records => keepProblem(records, name, 2, 'x'.repeat(1000)));
	const {acknowledged} = await writeUntilRefused(write, 'p');
	await store.write(async records => {
		for (const name of acknowledged) {
			const problem = await records.problemById(name);
			if (problem) await records.saveProblem({...problem, state: 'closed', closedAt: seenAt});
			await records.removeSubmission(`transaction of ${name}`);
		}
	});
	const limits = {closedBefore: seenAt + 1, relapsedBefore: seenAt + 1};
	while ((await store.write(records => records.prune(limits))) > 0);
	await t.notThrowsAsync(write('again'));
});
