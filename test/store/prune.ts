import test from 'ava';
import type {Records} from '../../src/store/store.ts';
import {seenAt} from '../helpers/records.ts';
import {fill, openedStore} from '../helpers/stores.ts';

const hour = 3_600_000;

async function close(records: Records, id: string, closedAt: number) {
	const problem = await records.problemById(id);
	if (problem) await records.saveProblem({...problem, state: 'closed', acceptedAt: seenAt, closedAt});
	await records.removeSubmission(`transaction of ${id}`);
}

test('what is long over is forgotten, a bounded part at a time, and the counters do not go back', async t => {
	const {store} = await openedStore(t);
	await fill(store, 6, 4);
	await store.write(async records => {
		await close(records, 'p0', seenAt + hour);
		await close(records, 'p1', seenAt + 3 * hour);
		await close(records, 'p2', seenAt + 6 * hour);
		await close(records, 'p3', seenAt + hour);
		await records.offer({...(await waiting(records, 'p4')), id: 'last word', transactionId: 'last word', problemId: 'p3'});
		await records.addActivities([
			{at: seenAt, level: 'info', word: 'started', text: 'old and of no problem'},
			{at: seenAt + 5 * hour, level: 'info', word: 'started', text: 'new and of no problem'},
		]);
	});
	const removed: number[] = [];
	const limits = {closedBefore: seenAt + 4 * hour, relapsedBefore: seenAt + 2 * hour, limit: 3};
	do removed.push(await store.write(records => records.prune(limits)));
	while (removed.at(-1) !== 0);
	t.true(removed.every(count => count <= 3));
	t.is(
		removed.reduce((sum, count) => sum + count, 0),
		2 * 4 + 2 + 2 + 2 * 0 + 1 + 1 + 2 * 0 + 2 * 2,
		'events, attempts, activities; one of no problem; a problem; entries of the ledger',
	);

	const {read} = store;
	t.is(await read.problemById('p0'), undefined);
	t.deepEqual(await read.problemsByKeys(['key of p0']), new Map());
	t.truthy(await read.problemById('p1'), 'its fault may relapse');
	t.truthy((await read.problemsByKeys(['key of p1'])).get('key of p1'));
	t.deepEqual([(await read.eventsOf('p1')).length, (await read.attemptsOf('p1')).length], [0, 0]);
	for (const id of ['p2', 'p3', 'p4', 'p5'])
		t.is((await read.eventsOf(id)).length, 4, `${id} is not over, or something of it is to be sent`);
	t.deepEqual(
		(await read.listActivities({})).filter(({problemId}) => !problemId).map(({text}) => text),
		['new and of no problem'],
	);

	const tally = await read.tallyProblems();
	t.is(await read.countEvents(), 24);
	t.is(
		tally.reduce((sum, {events}) => sum + events, 0),
		24,
	);
	t.is(
		tally.reduce((sum, {problems}) => sum + problems, 0),
		5,
	);
});

async function waiting(records: Records, id: string) {
	const [submission] = (await records.dueSubmissions(seenAt + hour, [], 10)).filter(({problemId}) => problemId === id);
	if (!submission) throw new Error(`nothing waits of ${id}`);
	return submission;
}

test('an empty store has nothing to forget', async t => {
	const {store} = await openedStore(t);
	t.is(await store.write(records => records.prune({closedBefore: 1e15, relapsedBefore: 1e15})), 0);
});
