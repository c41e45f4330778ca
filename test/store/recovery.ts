import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import test from 'ava';
import {countsOf, fill, keepProblem, openedStore} from '../helpers/stores.ts';

const pageSize = 4096;

/** Overwrites pages of a store that is open, and whose log is empty. */
function harm(directory: string, table: string): void {
	const file = join(directory, 'callhome.db');
	using database = new DatabaseSync(file);
	database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
	const pages = database
		.prepare('SELECT pageno FROM dbstat WHERE name = ?')
		.all(table)
		.map(({pageno}) => Number(pageno));
	const content = readFileSync(file);
	for (const page of pages) content.fill(0xab, (page - 1) * pageSize, page * pageSize);
	writeFileSync(file, content);
}

test('damage that a write meets while the bridge runs: set aside, taken over, and written all the same', async t => {
	const {store, directory, setAside, failures} = await openedStore(t);
	await fill(store, 400);
	harm(directory, 'recent_event');
	const before = await store.read.problemById('p7').catch(() => undefined);
	t.is(before?.count ?? 3, 3);
	await store.write(async records => {
		await records.keptIds(Array.from({length: 400}, (_, index) => `p${index}-1`));
		await keepProblem(records, 'another', 2);
	});
	t.is(setAside.length, 1);
	t.is(failures.length, 1);
	const counts = await countsOf(store.read);
	t.is(counts.problems, 401);
	t.deepEqual([counts.tallied, counts.counted, counts.kept], [1202, 1202, 1202]);
});

test('damage that reads meet while the bridge runs is mended once, and each read is answered', async t => {
	const {store, directory, setAside} = await openedStore(t);
	await fill(store, 400);
	harm(directory, 'problem_in_state');
	const answers = await Promise.all([
		store.read.listProblems({limit: 10_000}),
		store.read.orphanedProblems(),
		store.snapshot(records => records.listProblems({states: ['queued'], limit: 10_000})),
		store.write(records => keepProblem(records, 'another', 1)),
	]);
	t.is(setAside.length, 1);
	t.true([400, 401].includes(answers[0].length));
	t.deepEqual(answers[1], []);
	t.is((await countsOf(store.read)).problems, 401);
});

test('after the store is closed it answers that it is closed', async t => {
	const {store} = await openedStore(t);
	await store.close();
	await t.throwsAsync(store.read.countEvents(), {code: 'ERR_SHUTTING_DOWN'});
	await t.throwsAsync(
		store.write(async () => {}),
		{code: 'ERR_SHUTTING_DOWN'},
	);
	await t.notThrowsAsync(store.close());
});
