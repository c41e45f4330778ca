import test from 'ava';
import {isBridgeError} from '../../src/errors.ts';
import {seenAt} from '../helpers/records.ts';
import {keepProblem, openedStore} from '../helpers/stores.ts';
import {submissionOf} from '../helpers/submissions.ts';

const attemptOf = (type: 'inventory' | 'hardware_alert', request: string) => ({
	submissionId: 's1',
	problemId: undefined,
	type,
	startedAt: seenAt,
	connection: 'direct',
	destination: 'ibm.example:443',
	request,
});

test('an inventory that IBM does not take fills the store with its attempts no further than events and their attempts need', async t => {
	const {store} = await openedStore(t, {maxSize: 4 * 1024 ** 2});
	await store.write(records => records.offer(submissionOf('inventory')));
	const tryOnce = () => store.write(records => records.beginAttempt(attemptOf('inventory', 'x'.repeat(100_000))));
	let attempts = 0;
	const error = await t.throwsAsync(async () => {
		for (; attempts < 100; attempts++) await tryOnce();
	});
	t.true(isBridgeError(error, 'ERR_STORE_FULL'));
	t.regex(error?.message ?? '', /the rest is kept for faults$/);
	t.true(attempts > 10);
	await t.throwsAsync(
		store.write(records => records.leaveRoomForFaults()),
		{code: 'ERR_STORE_FULL'},
		'and none is collected',
	);
	for (let index = 0; index < 50; index++) await store.write(records => keepProblem(records, `p${index}`, 3, 'y'.repeat(1000)));
	await store.write(records => records.beginAttempt(attemptOf('hardware_alert', 'y'.repeat(5000))));
	t.is((await store.read.listProblems({limit: 100})).length, 50);
});

test('a store without a size of its own has room', async t => {
	const {store} = await openedStore(t);
	await t.notThrowsAsync(store.write(records => records.leaveRoomForFaults()));
});
