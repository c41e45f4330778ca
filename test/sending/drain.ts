import {setTimeout as pause} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import type {Sender} from '../../src/exporter.ts';
import type {Outcome} from '../../src/outcome.ts';
import {createDrain} from '../../src/sending/drain.ts';
import {openStore} from '../../src/store/store.ts';
import type {Submission, SubmissionType} from '../../src/submission.ts';
import {eventually, temporaryDirectory} from '../helpers/listen.ts';
import {submissionOf} from '../helpers/submissions.ts';

const acknowledged: Outcome = {status: 'acknowledged', reference: '', answers: []};
const unreachable: Outcome = {status: 'unreachable', error: new Error('no way')};

const queuedOf = (id: string, type: SubmissionType, notBefore = 0): Submission =>
	submissionOf(type, {id, transactionId: id, problemId: undefined, notBefore});

type Setting = {
	readonly send?: Sender;
	readonly concurrency?: number;
	readonly now?: () => number;
	readonly fails?: (what: 'due' | 'settle') => boolean;
};

/** A drain over a real queue. What is acknowledged leaves the queue; what is not is put off by an hour. */
async function openDrain(t: ExecutionContext, {send, concurrency = 4, now = Date.now, fails = () => false}: Setting = {}) {
	const store = await openStore({directory: await temporaryDirectory(t), onFailure: () => {}, onSetAside: () => {}});
	const seen = {due: 0, sent: [] as string[], settled: [] as string[], log: [] as string[]};
	const failWhenAsked = (what: 'due' | 'settle') => {
		if (fails(what)) throw new Error(`the store fails in ${what}`);
	};
	const drain = createDrain({
		due: async (at, underWay, limit) => {
			seen.due++;
			failWhenAsked('due');
			return store.read.dueSubmissions(at, underWay, limit);
		},
		nextDueAt: underWay => store.read.nextDueAt(underWay),
		send: async (submission, signal) => {
			seen.sent.push(submission.id);
			return send ? send(submission, signal) : acknowledged;
		},
		settle: async (submission, outcome) => {
			failWhenAsked('settle');
			const uncertain = outcome.status === 'deferred' && outcome.uncertain === true;
			await store.write(records =>
				outcome.status === 'acknowledged'
					? records.removeSubmission(submission.id)
					: records.changeSubmission(submission.id, {attempts: 1, rounds: 0, uncertain, notBefore: now() + 3_600_000}),
			);
			seen.settled.push(submission.id);
		},
		log: (_level, text) => seen.log.push(text),
		concurrency,
		now,
	});
	t.teardown(async () => {
		await drain.shutdown();
		await store.close();
	});
	const offer = (...submissions: readonly Submission[]) =>
		store.write(async records => {
			for (const submission of submissions) await records.offer(submission);
		});
	return {drain, store, seen, offer};
}

/** Answers come when the test lets them. */
function gate() {
	const waiting = new Map<string, (outcome: Outcome) => void>();
	const send: Sender = ({id}, signal) =>
		new Promise(resolve => {
			waiting.set(id, resolve);
			signal.addEventListener('abort', () => resolve({status: 'deferred', error: new Error('cut short'), uncertain: true}));
		});
	return {send, waiting, answer: (id: string, outcome = acknowledged) => waiting.get(id)?.(outcome)};
}

test('faults go first, then tests, news and questions, and heartbeats last', async t => {
	const {drain, seen, offer} = await openDrain(t, {concurrency: 1});
	const types = ['heartbeat', 'confirmation', 'case_query', 'status', 'test', 'hardware_alert'] as const;
	await offer(...types.map(type => queuedOf(type, type)));
	await drain.start();
	await eventually(() => seen.settled.length === 6);
	t.deepEqual(seen.sent, types.toReversed());
});

test('no more are under way than allowed, and the last place is kept for a fault', async t => {
	const {send, waiting, answer} = gate();
	const {drain, seen, offer} = await openDrain(t, {concurrency: 3, send});
	await offer(...['h1', 'h2', 'h3', 'h4'].map(id => queuedOf(id, 'heartbeat')));
	await drain.start();
	await eventually(() => waiting.size === 2);
	await offer(queuedOf('fault', 'hardware_alert'), queuedOf('fault2', 'hardware_alert'));
	drain.wake();
	await eventually(() => waiting.has('fault'));
	await pause(50);
	t.deepEqual(seen.sent.toSorted(), ['fault', 'h1', 'h2']);
	answer('h1');
	await eventually(() => waiting.has('fault2'));
	for (const id of ['h2', 'fault', 'fault2']) answer(id);
	await eventually(() => waiting.has('h3') && waiting.has('h4'));
	for (const id of ['h3', 'h4']) answer(id);
	await eventually(() => seen.settled.length === 6);
});

test('a stubborn submission lets the next one pass, and waits for its time', async t => {
	const {drain, seen, offer} = await openDrain(t, {
		concurrency: 1,
		send: async ({id}) => (id === 'stubborn' ? unreachable : acknowledged),
	});
	await offer(queuedOf('stubborn', 'hardware_alert'), queuedOf('other', 'hardware_alert'));
	await drain.start();
	await eventually(() => seen.settled.length === 2);
	await pause(100);
	t.deepEqual(seen.sent, ['stubborn', 'other']);
});

test('it sleeps until the next one is due, and asks the queue no more often than needed', async t => {
	const dueAt = Date.now() + 400;
	const sentAt: number[] = [];
	const {drain, seen, offer} = await openDrain(t, {
		send: async () => {
			sentAt.push(Date.now());
			return acknowledged;
		},
	});
	await offer(queuedOf('later', 'heartbeat', dueAt), queuedOf('much-later', 'heartbeat', dueAt + 3_600_000));
	await drain.start();
	await eventually(() => seen.settled.length === 1);
	await pause(100);
	t.deepEqual(seen.sent, ['later']);
	t.true((sentAt[0] ?? 0) >= dueAt);
	t.true(seen.due <= 6, `${seen.due} times`);
});

test('while all places are taken nothing turns in circles', async t => {
	const {send, waiting} = gate();
	const {drain, seen, offer} = await openDrain(t, {concurrency: 2, send});
	await offer(...['h1', 'h2', 'h3'].map(id => queuedOf(id, 'heartbeat')));
	await drain.start();
	await eventually(() => waiting.size === 1);
	const before = seen.due;
	await pause(500);
	t.true(seen.due - before <= 2, `${seen.due - before} times`);
	t.is(waiting.size, 1);
});

test('many wakes at once are one look', async t => {
	const {drain, seen, offer} = await openDrain(t);
	await drain.start();
	await offer(queuedOf('a', 'status'));
	for (let index = 0; index < 1000; index++) drain.wake();
	await eventually(() => seen.settled.length === 1);
	t.deepEqual(seen.sent, ['a']);
	t.true(seen.due < 10, `${seen.due} times`);
});

test('what is queued while it looks is not overlooked', async t => {
	const {drain, seen, offer} = await openDrain(t);
	await drain.start();
	for (let index = 0; index < 30; index++) {
		await offer(queuedOf(`s${index}`, 'status'));
		drain.wake();
	}
	await eventually(() => seen.settled.length === 30);
	t.is(new Set(seen.sent).size, 30);
	t.is(seen.sent.length, 30);
});

test('a queue that cannot be read is read again', async t => {
	let failures = 2;
	const {drain, seen, offer} = await openDrain(t, {fails: what => what === 'due' && failures-- > 0});
	await offer(queuedOf('a', 'hardware_alert'));
	await drain.start();
	await eventually(() => seen.settled.length === 1);
	t.is(seen.log.length, 2);
	t.true(seen.due < 8);
});

test('an answer that cannot be written is written later, and nothing is sent twice', async t => {
	let failures = 2;
	const {drain, seen, offer, store} = await openDrain(t, {concurrency: 1, fails: what => what === 'settle' && failures-- > 0});
	await offer(queuedOf('a', 'hardware_alert'), queuedOf('b', 'hardware_alert'));
	await drain.start();
	await eventually(() => seen.settled.length === 2);
	t.deepEqual(seen.sent, ['a', 'b'], 'the other one did not have to wait for it');
	t.is((await store.read.tallyQueue()).size, 0);
});

test('a sender that throws is put off like one that got no answer', async t => {
	const {drain, seen, offer, store} = await openDrain(t, {send: () => Promise.reject(new Error('a bug'))});
	await offer(queuedOf('a', 'hardware_alert'));
	await drain.start();
	await eventually(() => seen.settled.length === 1);
	await pause(100);
	t.deepEqual(seen.sent, ['a']);
	t.like((await store.read.dueSubmissions(Number.MAX_SAFE_INTEGER, [], 1))[0], {uncertain: true, attempts: 1});
});

test('a shutdown waits for what is about to end', async t => {
	const {drain, seen, offer, store} = await openDrain(t, {
		send: async () => {
			await pause(200);
			return acknowledged;
		},
	});
	await offer(queuedOf('a', 'hardware_alert'));
	await drain.start();
	await eventually(() => seen.sent.length === 1);
	await drain.shutdown();
	t.deepEqual(seen.settled, ['a']);
	t.is((await store.read.tallyQueue()).size, 0);
	drain.wake();
	await offer(queuedOf('b', 'hardware_alert'));
	await pause(100);
	t.deepEqual(seen.sent, ['a'], 'nothing begins after it');
});

test('a shutdown cuts short what does not end, and the doubt is stored', async t => {
	const {drain, offer, store, seen} = await openDrain(t, {send: gate().send});
	await offer(queuedOf('a', 'hardware_alert'));
	await drain.start();
	await eventually(() => seen.sent.length === 1);
	const startedAt = Date.now();
	await drain.shutdown();
	t.true(Date.now() - startedAt >= 2900);
	t.like((await store.read.dueSubmissions(Number.MAX_SAFE_INTEGER, [], 1))[0], {id: 'a', uncertain: true});
});

test('what had not left when the shutdown cut it short stays as it was', async t => {
	const {drain, offer, store, seen} = await openDrain(t, {
		send: (_, signal) => new Promise(resolve => signal.addEventListener('abort', () => resolve(unreachable))),
	});
	await offer(queuedOf('a', 'hardware_alert'));
	await drain.start();
	await eventually(() => seen.sent.length === 1);
	await drain.shutdown();
	t.like((await store.read.dueSubmissions(Date.now(), [], 1))[0], {id: 'a', uncertain: false, attempts: 0});
});

test('a shutdown ends although the store fails for good', async t => {
	const {drain, offer, seen} = await openDrain(t, {fails: what => what === 'settle'});
	await offer(queuedOf('a', 'hardware_alert'));
	await drain.start();
	await eventually(() => seen.log.length > 0);
	await drain.shutdown();
	t.deepEqual(seen.settled, []);
});

test('a clock that was set back by years keeps no fault waiting', async t => {
	const {drain, offer, seen} = await openDrain(t, {now: () => Date.UTC(2000, 0, 1)});
	await offer(queuedOf('a', 'hardware_alert', Date.UTC(2026, 0, 1)));
	await drain.start();
	await eventually(() => seen.settled.length === 1);
	t.deepEqual(seen.sent, ['a']);
});
