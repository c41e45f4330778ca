import test from 'ava';
import fc from 'fast-check';
import {priorityOf, type SubmissionType, submissionTypes} from '../../src/submission.ts';
import {seenAt} from '../helpers/records.ts';
import {openedStore} from '../helpers/stores.ts';
import {submissionOf} from '../helpers/submissions.ts';

const named = (type: SubmissionType, id: string, notBefore = seenAt, queuedAt = seenAt) =>
	submissionOf(type, {id, transactionId: `transaction ${id}`, problemId: `problem of ${id}`, notBefore, queuedAt});

test('problems come first, then what has been due the longest', async t => {
	const {store} = await openedStore(t);
	await store.write(async records => {
		for (const [type, id, notBefore] of [
			['heartbeat', 'beat', 0],
			['status', 'status', 0],
			['hardware_alert', 'late', 20],
			['hardware_alert', 'early', 10],
			['hardware_alert', 'early too', 10],
			['hardware_alert', 'not yet', 1000],
			['test', 'test', 0],
		] as const) {
			await records.offer(named(type, id, notBefore));
		}
	});
	const due = async (...rest: [now: number, underWay: string[], limit: number]) =>
		(await store.read.dueSubmissions(...rest)).map(({id}) => id);
	t.deepEqual(await due(100, [], 10), ['early', 'early too', 'late', 'test', 'status', 'beat']);
	t.deepEqual(await due(100, ['early', 'test'], 3), ['early too', 'late', 'status']);
	t.deepEqual(await due(15, [], 10), ['early', 'early too', 'test', 'status', 'beat']);
	t.deepEqual(await due(100, [], 0), []);
	t.is(await store.read.nextDueAt([]), 0);
	t.is(await store.read.nextDueAt(['beat', 'status', 'test', 'early']), 10);
	t.is(await store.read.nextDueAt(['beat', 'status', 'test', 'early', 'early too', 'late', 'not yet']), undefined);
});

test('due and next due agree with a plain sort of the queue', async t => {
	const {store} = await openedStore(t);
	const drawn = fc.record({type: fc.constantFrom(...submissionTypes), notBefore: fc.nat({max: 20}), underWay: fc.boolean()});
	let round = 0;
	const property = fc.asyncProperty(
		fc.array(drawn, {maxLength: 15}),
		fc.nat({max: 20}),
		fc.nat({max: 8}),
		async (rows, now, limit) => {
			round++;
			const queue = rows.map((row, index) => ({...row, id: `r${round}-${index}`, index}));
			await store.write(async records => {
				for (const {type, id, notBefore} of queue) await records.offer(named(type, id, notBefore));
			});
			const underWay = queue.filter(row => row.underWay).map(({id}) => id);
			const waiting = queue.filter(row => !row.underWay);
			const expected = waiting
				.filter(({notBefore}) => notBefore <= now)
				.sort((a, b) => priorityOf[a.type] - priorityOf[b.type] || a.notBefore - b.notBefore || a.index - b.index)
				.slice(0, limit);
			t.deepEqual(
				(await store.read.dueSubmissions(now, underWay, limit)).map(({id}) => id),
				expected.map(({id}) => id),
			);
			t.is(
				await store.read.nextDueAt(underWay),
				waiting.length === 0 ? undefined : Math.min(...waiting.map(row => row.notBefore)),
			);
			t.is((await store.read.tallyQueue()).size, queue.length);
			await store.write(async records => {
				for (const {id} of queue) await records.removeSubmission(id);
			});
		},
	);
	await fc.assert(property, {numRuns: 100});
});

test('a submission is postponed by what is named, and by nothing else', async t => {
	const {store} = await openedStore(t);
	await store.write(records => records.offer(named('hardware_alert', 's1')));
	await store.write(async records => {
		await records.changeSubmission('s1', {attempts: 2, notBefore: seenAt + 1000.6});
		await records.changeSubmission('s1', {uncertain: true});
		await records.changeSubmission('s1', {});
		await records.changeSubmission('unknown', {attempts: 1});
	});
	t.deepEqual(await store.read.dueSubmissions(seenAt + 999, [], 1), []);
	const [submission] = await store.read.dueSubmissions(seenAt + 1000, [], 1);
	t.deepEqual(submission, {...named('hardware_alert', 's1'), attempts: 2, uncertain: true, notBefore: seenAt + 1000});
});

test('what is replaced goes: by type, by problem, but not what is under way', async t => {
	const {store} = await openedStore(t);
	await store.write(async records => {
		for (const id of ['h1', 'h2', 'h3']) await records.offer(named('heartbeat', id));
		for (const id of ['s1', 's2']) await records.offer({...named('status', id), problemId: 'p1'});
		await records.offer({...named('hardware_alert', 'a1'), problemId: 'p1'});
		await records.removeSubmissionsOfType('heartbeat', ['h2']);
		await records.removeSubmissionsOf('p1', ['status', 'case_query']);
		await records.removeSubmissionsOf('p2', ['hardware_alert']);
	});
	t.deepEqual(
		(await store.read.dueSubmissions(seenAt, [], 10)).map(({id}) => id),
		['a1', 'h2'],
	);
	await store.write(records => records.removeSubmissionsOfType('heartbeat', []));
	t.deepEqual(await store.read.tallyQueue(), {size: 1, oldestProblemQueuedAt: seenAt});
});

test('the oldest problem in the queue is told, whatever else is older', async t => {
	const {store} = await openedStore(t);
	t.deepEqual(await store.read.tallyQueue(), {size: 0, oldestProblemQueuedAt: undefined});
	await store.write(async records => {
		await records.offer(named('heartbeat', 'h', seenAt, 1));
		await records.offer(named('hardware_alert', 'new', seenAt, 30));
		await records.offer(named('hardware_alert', 'old', seenAt + 1000, 20));
	});
	t.deepEqual(await store.read.tallyQueue(), {size: 3, oldestProblemQueuedAt: 20});
});
