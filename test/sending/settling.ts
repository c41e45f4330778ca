import test from 'ava';
import {BridgeError} from '../../src/errors.ts';
import type {Outcome} from '../../src/outcome.ts';
import {readLights} from '../../src/sending/lights.ts';
import {retrySchema} from '../../src/sending/retry.ts';
import {createSettle, lastSuccess} from '../../src/sending/settling.ts';
import type {SubmissionType} from '../../src/submission.ts';
import {acknowledged, failed, noon, onlyProblem, openHouse, second, well} from '../helpers/decisions.ts';

const readSuccesses = async ({store}: Awaited<ReturnType<typeof openHouse>>) =>
	Object.fromEntries(
		await Promise.all(Object.entries(lastSuccess).map(async ([name, setting]) => [name, await store.read.readSetting(setting)])),
	);

test('each light has a time of its own: a refusal shows that IBM is reached, and no more', async t => {
	const house = await openHouse(t);
	await house.take(failed('drive-3'), failed('drive-4'));
	await house.answer('hardware_alert', {status: 'rejected', error: new BridgeError('ERR_SUBMISSION_REJECTED', 'no')});
	t.deepEqual(await readSuccesses(house), {
		reached: String(noon),
		accepted: undefined,
		caseOpened: undefined,
		heartbeat: undefined,
	});
	house.clock.now = noon + 1;
	const {transactionId} = await house.answer('hardware_alert');
	house.clock.now = noon + 2;
	await house.answer('case_query', acknowledged(transactionId, {caseNumber: 'TS1'}));
	t.like(await readSuccesses(house), {reached: String(noon + 2), accepted: String(noon + 2), caseOpened: String(noon + 2)});
});

test('the lights are those of the server that answered', async t => {
	const house = await openHouse(t);
	await house.take(failed('drive-3'), failed('drive-4'));
	await house.answer('hardware_alert', {status: 'rejected', error: new BridgeError('ERR_SUBMISSION_REJECTED', 'no')});
	t.deepEqual(await readLights(house.store.read), {}, 'no server is named');
	const by = new WeakMap<Outcome, string>();
	const settle = createSettle({
		write: house.store.write,
		policy: {retry: retrySchema.parse({}), caseQuery: {intervalMillis: 30 * second, count: 10}},
		onSettled: ({destination}) => seen.push(destination),
		answeredBy: outcome => by.get(outcome),
		now: () => house.clock.now,
	});
	const seen: (string | undefined)[] = [];
	const answerFrom = async (server: string, type: SubmissionType, outcome: Outcome) => {
		by.set(outcome, server);
		const submission = (await house.queue()).find(one => one.type === type);
		if (submission) await settle(submission, outcome);
		return submission;
	};
	const alert = await answerFrom('primary:443', 'hardware_alert', acknowledged('a'));
	house.clock.now = noon + 1;
	await answerFrom('backup:443', 'case_query', acknowledged(alert?.transactionId ?? '', {caseNumber: 'TS1'}));
	t.deepEqual(await readLights(house.store.read), {
		'backup:443': {reached: noon + 1, accepted: noon + 1, case_opened: noon + 1},
		'primary:443': {reached: noon, accepted: noon},
	});
	t.deepEqual(seen, ['primary:443', 'backup:443']);
});

for (const outcome of [
	{status: 'rejected', error: new BridgeError('ERR_MALFORMED', 'names no problem')},
	{status: 'deferred', error: new BridgeError('ERR_REPLY_TIMEOUT', 'silence'), uncertain: true},
	{status: 'unreachable', error: new BridgeError('ERR_CONNECTION_REFUSED', 'refused')},
] as const) {
	test(`no light comes on after ${outcome.error.code}`, async t => {
		const house = await openHouse(t);
		await house.take(failed('drive-3'));
		await house.answer('hardware_alert', outcome);
		t.deepEqual(Object.values(await readSuccesses(house)), [undefined, undefined, undefined, undefined]);
	});
}

test('an attempt that got no answer is stored: when, how often, and the doubt', async t => {
	const house = await openHouse(t);
	await house.take(failed('drive-3'));
	await house.answer('hardware_alert', {
		status: 'deferred',
		error: new Error('silence'),
		uncertain: true,
		retryAfterMillis: 90 * second,
	});
	const [submission] = await house.queue();
	t.like(submission, {attempts: 1, uncertain: true, notBefore: noon + 90 * second});
	t.deepEqual(await house.store.read.dueSubmissions(noon + 89 * second, [], 10), []);
	t.like(await onlyProblem(house), {state: 'queued'});
	t.is(submission?.transactionId, (await onlyProblem(house)).transactionId, 'the same id on every retry');
});

test('the refusal of a problem takes back what was to be said and asked about it', async t => {
	const house = await openHouse(t);
	await house.take(failed('drive-3'));
	const {transactionId} = await house.answer('hardware_alert');
	await house.take(well('drive-3'));
	t.deepEqual(
		(await house.queue()).map(({type}) => type),
		['status', 'case_query'],
	);
	await house.answer('case_query', acknowledged(transactionId, {error: 'no entitlement'}));
	t.deepEqual(await house.queue(), []);
	t.like(await onlyProblem(house), {state: 'rejected', reason: 'no entitlement'});
});

test('a case number that arrives twice is confirmed once', async t => {
	const house = await openHouse(t);
	await house.take(failed('drive-3'));
	const {transactionId} = await house.answer('hardware_alert');
	const query = await house.answer('case_query', acknowledged(transactionId, {caseNumber: 'TS1'}));
	await house.settle(query, acknowledged(transactionId, {caseNumber: 'TS2'}));
	t.deepEqual(
		(await house.queue()).map(({type}) => type),
		['confirmation'],
	);
	t.is((await onlyProblem(house)).caseNumber, 'TS1');
});

test('a settlement is written whole or not at all', async t => {
	const house = await openHouse(t);
	await house.take(failed('drive-3'));
	const [submission] = await house.queue();
	await house.close();
	if (submission) await t.throwsAsync(house.settle(submission, acknowledged(submission.transactionId)));
	const again = await openHouse(t, {directory: house.directory});
	t.is((await again.queue()).length, 1);
	t.like(await onlyProblem(again), {state: 'queued'});
});
