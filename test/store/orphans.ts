import {join} from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import test, {type ExecutionContext} from 'ava';
import {openDatabase} from '../../src/store/open.ts';
import {salvage} from '../../src/store/salvage.ts';
import {temporaryDirectory} from '../helpers/listen.ts';
import {seenAt} from '../helpers/records.ts';
import {countsOf, fill, keepProblem, openedStore} from '../helpers/stores.ts';

/** A store that was salvaged from one that had lost some rows. */
async function salvagedWithout(t: ExecutionContext, statements: string) {
	const {store, directory} = await openedStore(t);
	await fill(store, 4);
	await store.close();
	const file = join(directory, 'callhome.db');
	{
		using database = new DatabaseSync(file);
		database.exec(statements);
	}
	const fresh = await temporaryDirectory(t);
	const {sqlite} = await openDatabase(fresh);
	salvage(file, sqlite.connection);
	sqlite.close();
	return openedStore(t, {directory: fresh});
}

test('a sound store has no orphans', async t => {
	const {store} = await openedStore(t);
	await fill(store, 4);
	t.deepEqual([await store.read.orphanedProblems(), await store.read.orphanedEvents()], [[], []]);
});

test('a queued problem whose submission is lost is told, so that it can be offered again', async t => {
	const {store} = await salvagedWithout(t, "DELETE FROM submission WHERE id = 'transaction of p2'");
	t.deepEqual(
		(await store.read.orphanedProblems()).map(({id}) => id),
		['p2'],
	);
	t.is((await store.read.tallyQueue()).size, 3);
	await store.write(records => records.saveProblem({...problemsState('open'), id: 'p2', transactionId: 'transaction of p2'}));
	t.deepEqual(await store.read.orphanedProblems(), [], 'one that IBM has needs none');
});

const problemsState = (state: 'open') => ({
	key: 'key of p2',
	state,
	reason: '',
	title: 'title',
	severity: 17,
	test: false,
	count: 3,
	firstSeen: seenAt,
	lastSeen: seenAt,
	systemKey: 'key',
	system: undefined,
	component: {id: '', type: '', name: ''},
	caseNumber: undefined,
	acceptedAt: seenAt,
	recoveredAt: undefined,
	closedAt: undefined,
	releaseAt: undefined,
	traceparent: undefined,
});

test('events whose problem is lost are decided again, under the id that IBM may know', async t => {
	const {store} = await salvagedWithout(
		t,
		`DELETE FROM problem WHERE id IN ('p1', 'p2', 'p3');
		DELETE FROM submission WHERE problem_id IN ('p2', 'p3');
		DELETE FROM attempt WHERE problem_id = 'p3'`,
	);
	const orphans = await store.read.orphanedEvents();
	t.deepEqual(
		orphans.map(({event, problemId, transactionId}) => [event.id, problemId, transactionId]),
		[
			...['p1-0', 'p1-1', 'p1-2'].map(id => [id, 'p1', 'transaction of p1']),
			...['p2-0', 'p2-1', 'p2-2'].map(id => [id, 'p2', 'transaction of p2']),
			...['p3-0', 'p3-1', 'p3-2'].map(id => [id, 'p3', undefined]),
		],
	);
	t.is((await store.read.orphanedEvents(2)).length, 2);
	t.deepEqual(await countsOf(store.read), {problems: 1, kept: 3, tallied: 3, counted: 3});
	t.is((await store.read.keptIds(['p0-0', 'p1-0', 'p2-1'])).size, 1, 'they are not known');

	await store.write(records => keepProblem(records, 'p1', 3));
	await store.write(records => keepProblem(records, 'p2', 3));
	t.deepEqual(
		(await store.read.orphanedEvents()).map(({problemId}) => problemId),
		['p3', 'p3', 'p3'],
	);
	t.deepEqual(
		(await store.read.eventsOf('p1')).map(({event}) => event.id),
		['p1-0', 'p1-1', 'p1-2'],
	);
	t.deepEqual(await countsOf(store.read), {problems: 3, kept: 9, tallied: 9, counted: 9});
});

test('keys of problems are made anew, and lead to no problem that is lost', async t => {
	const {store} = await salvagedWithout(
		t,
		"DELETE FROM problem_key WHERE key <> 'key of p3'; DELETE FROM problem WHERE id = 'p3'",
	);
	const known = await store.read.problemsByKeys(['key of p0', 'key of p1', 'key of p2', 'key of p3']);
	t.deepEqual([...known].map(([key, {id}]) => [key, id]).toSorted(), [
		['key of p0', 'p0'],
		['key of p1', 'p1'],
		['key of p2', 'p2'],
	]);
});

test('a problem that stands for more events than it says is set right, one for which events are lost is left', async t => {
	const {store} = await salvagedWithout(
		t,
		"UPDATE problem SET count = 1 WHERE id = 'p0'; DELETE FROM event WHERE problem_id = 'p1'",
	);
	t.is((await store.read.problemById('p0'))?.count, 3);
	t.is((await store.read.problemById('p1'))?.count, 3);
	t.deepEqual(await countsOf(store.read), {problems: 4, kept: 12, tallied: 12, counted: 12});
});
