import {join} from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import test from 'ava';
import {BridgeError} from '../../src/errors.ts';
import {problemOf} from '../helpers/records.ts';
import {countsOf, fill, keepProblem, openedStore} from '../helpers/stores.ts';

/** Counts the commits that others make, by the one number that SQLite changes with each. */
function watchCommits(directory: string) {
	const database = new DatabaseSync(join(directory, 'callhome.db'), {readOnly: true});
	const version = () => Number(database.prepare('PRAGMA data_version').get()?.data_version);
	const seen = new Set<number>([version()]);
	return {
		look: () => seen.add(version()),
		count: () => seen.size - 1,
		close: () => database.close(),
	};
}

test('changes that are asked for at once share their commits', async t => {
	const {store, directory} = await openedStore(t);
	const commits = watchCommits(directory);
	t.teardown(commits.close);
	const writes = Array.from({length: 500}, (_, index) =>
		store
			.write(async records => {
				await records.writeSetting(`name ${index}`, 'value');
				return index;
			})
			.then(result => {
				commits.look();
				return result;
			}),
	);
	t.deepEqual(
		await Promise.all(writes),
		Array.from({length: 500}, (_, index) => index),
	);
	t.true(commits.count() >= 1 && commits.count() <= 5, `${commits.count()} commits`);
	t.is(await store.read.readSetting('name 499'), 'value');
});

test('a change is acknowledged only when another connection sees it', async t => {
	const {store, directory} = await openedStore(t);
	using other = new DatabaseSync(join(directory, 'callhome.db'), {readOnly: true});
	const query = other.prepare('SELECT value FROM setting WHERE name = ?');
	const writes = Array.from({length: 200}, async (_, index) => {
		await store.write(records => records.writeSetting(`n${index}`, String(index)));
		return query.get(`n${index}`)?.value;
	});
	t.deepEqual(
		await Promise.all(writes),
		Array.from({length: 200}, (_, index) => String(index)),
	);
});

test('changes are made in the order in which they were asked for', async t => {
	const {store} = await openedStore(t);
	const order: number[] = [];
	await Promise.all(
		Array.from({length: 600}, (_, index) =>
			store.write(async records => {
				order.push(Number((await records.readSetting('last')) ?? -1));
				await records.writeSetting('last', String(index));
			}),
		),
	);
	t.deepEqual(
		order,
		Array.from({length: 600}, (_, index) => index - 1),
	);
});

test('a change that fails leaves nothing behind, is made once, and fails no other', async t => {
	const {store, failures} = await openedStore(t);
	const made: string[] = [];
	const outcomes = await Promise.allSettled(
		['one', 'bad', 'two', 'broken', 'three'].map(name =>
			store.write(async records => {
				made.push(name);
				await keepProblem(records, name, 2);
				if (name === 'bad') throw new BridgeError('ERR_NOT_FOUND', 'no such thing');
				if (name === 'broken') await records.saveProblem(problemOf({id: 'twin', transactionId: 'transaction of one'}));
				return name;
			}),
		),
	);
	t.deepEqual(made, ['one', 'bad', 'two', 'broken', 'three']);
	t.deepEqual(
		outcomes.map(outcome => (outcome.status === 'fulfilled' ? outcome.value : outcome.reason.message)),
		['one', 'no such thing', 'two', 'UNIQUE constraint failed: problem.transaction_id', 'three'],
	);
	t.deepEqual((await store.read.listProblems({})).map(({id}) => id).sort(), ['one', 'three', 'two']);
	t.is(await store.read.countEvents(), 6);
	t.deepEqual(failures, [], 'it says nothing of the store');
});

test('a change may ask for what is committed meanwhile, and does not wait for itself', async t => {
	const {store} = await openedStore(t);
	await fill(store, 2);
	const [committed, own] = await store.write(async records => {
		await keepProblem(records, 'new', 1);
		return [await store.read.problemById('new'), await records.problemById('new')];
	});
	t.is(committed, undefined);
	t.is(own?.count, 1);
});

test('a snapshot is of one moment, however long it takes', async t => {
	const {store} = await openedStore(t);
	await fill(store, 2);
	const [before, after] = await store.snapshot(async records => {
		const before = await records.countEvents();
		await store.write(changing => keepProblem(changing, 'new', 5));
		return [before, await records.countEvents()];
	});
	t.deepEqual([before, after], [6, 6]);
	t.is(await store.read.countEvents(), 11);
});

test('while another program holds the file, a write is refused, and the next one succeeds', async t => {
	const {store, directory, failures} = await openedStore(t);
	const other = new DatabaseSync(join(directory, 'callhome.db'));
	other.exec('BEGIN IMMEDIATE');
	const refused = t.throwsAsync(
		store.write(records => keepProblem(records, 'p', 1)),
		{code: 'ERR_STORE_BUSY'},
	);
	await refused;
	t.is(failures.length, 1);
	other.exec('ROLLBACK');
	other.close();
	await store.write(records => keepProblem(records, 'p', 1));
	t.is(await store.read.countEvents(), 1);
});

test('closing finishes what was accepted and refuses what comes later', async t => {
	const {store, directory} = await openedStore(t);
	const accepted = Array.from({length: 300}, (_, index) => store.write(records => keepProblem(records, `p${index}`, 1)));
	const closing = store.close();
	await t.throwsAsync(
		store.write(records => keepProblem(records, 'late', 1)),
		{code: 'ERR_SHUTTING_DOWN'},
	);
	await Promise.all([...accepted, closing]);
	const again = await openedStore(t, {directory});
	const counts = await countsOf(again.store.read);
	t.deepEqual(counts, {problems: 300, kept: 300, tallied: 300, counted: 300});
});
