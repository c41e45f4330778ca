import test from 'ava';
import fc from 'fast-check';
import type {AttributeValue, HardwareEvent} from '../../src/event.ts';
import {type Problem, problemStates} from '../../src/problem.ts';
import {type Submission, submissionTypes} from '../../src/submission.ts';
import {eventOf, problemOf, seenAt} from '../helpers/records.ts';
import {openedStore} from '../helpers/stores.ts';
import {submissionOf} from '../helpers/submissions.ts';

/** Any text: lone surrogates, NUL and all. */
const anyText = fc
	.string({unit: 'binary'})
	.chain(text => fc.constantFrom(text, `${text}\ud800`, `\0${text}`, `${text}\u{1f525}'";--`));
const instant = fc.oneof(
	fc.integer({min: 0, max: 8.64e15}),
	fc.constantFrom(0, -1, 1.5, Number.MAX_SAFE_INTEGER, 1e300, Number.NaN, Number.NEGATIVE_INFINITY),
);
const safe = fc.integer({min: 0, max: 4e12});

const attributeValue: fc.Arbitrary<AttributeValue> = fc.letrec<{value: AttributeValue}>(tie => ({
	value: fc.oneof(
		{maxDepth: 3},
		anyText,
		fc.double({noNaN: true, noDefaultInfinity: true}).map(number => number + 0 || 0),
		fc.bigInt({min: -(2n ** 63n), max: 2n ** 64n}),
		fc.boolean(),
		fc.constant(null),
		fc.array(tie('value'), {maxLength: 3}),
		fc.dictionary(anyText, tie('value'), {maxKeys: 3}),
	),
})).value;
const attributes = fc.dictionary(anyText, attributeValue, {maxKeys: 6});

const anyEvent: fc.Arbitrary<HardwareEvent> = fc.record({
	id: anyText,
	name: anyText,
	occurredAt: safe,
	receivedAt: instant,
	severity: fc.nat({max: 24}),
	message: anyText,
	resource: attributes,
	attributes,
	source: anyText,
	measurement: fc.record({
		metric: anyText,
		series: anyText,
		value: fc.double({noNaN: true, noDefaultInfinity: true}).map(value => value || 0),
		kind: fc.constantFrom('state', 'count'),
	}),
});

/** What reading gives back: numbers that JSON has not are text, as OTLP/JSON writes them. */
const asKept = (value: unknown): unknown =>
	JSON.parse(
		JSON.stringify(value, (_key, part) =>
			typeof part === 'bigint' || (typeof part === 'number' && !Number.isFinite(part)) ? String(part) : part,
		),
	);

test('events come back as they were, and are known by their ids', async t => {
	const {store} = await openedStore(t);
	let round = 0;
	const property = fc.asyncProperty(fc.uniqueArray(anyEvent, {selector: ({id}) => id, maxLength: 8}), async drawn => {
		const problemId = `round ${round++}`;
		const events = drawn.map(event => ({...event, id: `${problemId} ${event.id}`}));
		const ids = events.map(({id}) => id);
		t.is((await store.read.keptIds(ids)).size, 0);
		await store.write(async records => {
			await records.saveProblem(problemOf({id: problemId, count: events.length}));
			await records.insertEvents(events.map(event => ({event, problemId, decision: 'first'})));
		});
		t.deepEqual(await store.read.keptIds([...ids, 'unknown']), new Set(ids));
		t.deepEqual(
			(await store.read.eventsOf(problemId)).map(({event}) => event as unknown),
			events.map(asKept),
		);
	});
	await fc.assert(property, {numRuns: 100});
});

test('numbers that JSON has not are kept as text', async t => {
	const {store} = await openedStore(t);
	const given = {bigint: 2n ** 63n, nan: Number.NaN, infinity: Number.POSITIVE_INFINITY};
	await store.write(records => records.insertEvents([{event: eventOf({attributes: given}), problemId: 'p', decision: 'first'}]));
	const [kept] = await store.read.eventsOf('p');
	t.deepEqual(kept?.event.attributes, {bigint: '9223372036854775808', nan: 'NaN', infinity: 'Infinity'});
});

test('an event of twenty megabytes is kept', async t => {
	const {store} = await openedStore(t);
	const message = 'm'.repeat(20 * 1024 * 1024);
	await store.write(records => records.insertEvents([{event: eventOf({message}), problemId: 'p', decision: 'first'}]));
	t.is((await store.read.eventsOf('p'))[0]?.event.message.length, message.length);
});

test('the same event again is no second row, and is not counted', async t => {
	const {store} = await openedStore(t);
	const kept = {event: eventOf(), problemId: 'p1', decision: 'first' as const};
	await store.write(records => records.insertEvents([kept]));
	await store.write(records => records.insertEvents([{...kept, problemId: 'p2'}]));
	t.is(await store.read.countEvents(), 1);
	t.is((await store.read.eventsOf('p2')).length, 0);
	t.deepEqual(await store.read.keptIds([]), new Set());
	await t.notThrowsAsync(store.write(records => records.insertEvents([])));
});

const orUndefined = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, {nil: undefined});
const anySystem = fc.record({name: anyText, machineType: anyText, model: anyText, serialNumber: anyText});
const anyProblem: fc.Arbitrary<Problem> = fc.record({
	id: fc.uuid(),
	key: anyText,
	state: fc.constantFrom(...problemStates),
	reason: anyText,
	title: anyText,
	severity: fc.nat({max: 24}),
	test: fc.boolean(),
	count: fc.nat(),
	firstSeen: instant,
	lastSeen: instant,
	systemKey: anyText,
	system: orUndefined(anySystem),
	component: fc.record({id: anyText, type: anyText, name: anyText}),
	transactionId: fc.uuid(),
	caseNumber: orUndefined(anyText),
	acceptedAt: orUndefined(safe),
	recoveredAt: orUndefined(safe),
	closedAt: orUndefined(safe),
	releaseAt: orUndefined(safe),
	traceparent: orUndefined(anyText),
});

const wellFormed = (text: string | undefined) => text?.toWellFormed();
const whole = (value: number) =>
	Number.isNaN(value) ? 0 : Math.trunc(Math.min(Math.max(value, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER)) + 0;

/** Text in a column of its own is UTF-8, and times are whole. */
const problemAsKept = (problem: Problem): Problem => ({
	...problem,
	key: problem.key.toWellFormed(),
	reason: problem.reason.toWellFormed(),
	title: problem.title.toWellFormed(),
	systemKey: problem.systemKey.toWellFormed(),
	caseNumber: wellFormed(problem.caseNumber),
	traceparent: wellFormed(problem.traceparent),
	firstSeen: whole(problem.firstSeen),
	lastSeen: whole(problem.lastSeen),
});

test('problems come back as they were, also when they are saved again', async t => {
	const {store} = await openedStore(t);
	const property = fc.asyncProperty(anyProblem, anyProblem, async (first, second) => {
		await store.write(records => records.saveProblem(first));
		t.deepEqual(await store.read.problemById(first.id), problemAsKept(first));
		const changed = {...second, id: first.id};
		await store.write(async records => {
			await records.saveProblem(changed);
			await records.assignKeys([changed.key, `other ${changed.id}`], changed.id);
		});
		const expected = problemAsKept(changed);
		t.deepEqual(await store.read.problemByTransaction(changed.transactionId), expected);
		t.deepEqual((await store.read.problemsByKeys([`other ${changed.id}`])).get(`other ${changed.id}`), expected);
	});
	await fc.assert(property, {numRuns: 100});
});

test('of a problem that is stored, whatever has changed is written, one thing or many', async t => {
	const {store} = await openedStore(t);
	const property = fc.asyncProperty(
		anyProblem,
		anyProblem,
		fc.subarray(Object.keys(problemOf({}))),
		async (first, second, changing) => {
			await store.write(records => records.saveProblem(first));
			const {changed, tallied} = await store.write(async records => {
				const stored = await records.problemById(first.id);
				if (!stored) throw new Error('it was not kept');
				const parts = Object.fromEntries(Object.entries(second).filter(([key]) => changing.includes(key)));
				const changed: Problem = {...stored, ...parts, id: first.id};
				await records.saveProblems([changed], new Map([[stored.id, stored]]));
				return {changed, tallied: await records.tallyProblems()};
			});
			t.deepEqual(await store.read.problemById(first.id), problemAsKept(changed));
			t.true(tallied.some(({state, sent}) => state === changed.state && sent === (changed.acceptedAt !== undefined)));
		},
	);
	await fc.assert(property, {numRuns: 100});
});

test('the tallies follow every change of every problem', async t => {
	const {store} = await openedStore(t);
	const model = new Map<string, Problem>();
	const property = fc.asyncProperty(fc.nat({max: 9}), anyProblem, async (slot, drawn) => {
		const problem = {...drawn, id: `slot ${slot}`, count: drawn.count % 1000};
		await store.write(records => records.saveProblem(problem));
		model.set(problem.id, problem);
		const expected = new Map<string, {problems: number; events: number}>();
		for (const {state, acceptedAt, count} of model.values()) {
			const key = `${state} ${acceptedAt !== undefined}`;
			const {problems, events} = expected.get(key) ?? {problems: 0, events: 0};
			expected.set(key, {problems: problems + 1, events: events + count});
		}
		const tally = await store.read.tallyProblems();
		const seen = tally.map(({state, sent, problems, events}) => [`${state} ${sent}`, {problems, events}] as const);
		t.deepEqual(Object.fromEntries(seen.toSorted()), Object.fromEntries([...expected].toSorted()));
	});
	await fc.assert(property, {numRuns: 150});
});

const anySubmission: fc.Arbitrary<Submission> = fc.record({
	id: fc.uuid(),
	type: fc.constantFrom(...submissionTypes),
	problemId: orUndefined(fc.uuid()),
	transactionId: fc.uuid(),
	aboutTransactionId: orUndefined(fc.uuid()),
	content: fc.record({system: anySystem, createdAt: safe, transactionIds: fc.array(anyText)}),
	attempts: fc.nat(),
	rounds: fc.nat(),
	uncertain: fc.boolean(),
	notBefore: safe,
	queuedAt: safe,
	traceparent: orUndefined(fc.uuid()),
});

test('submissions come back as they were, and offering one again changes nothing', async t => {
	const {store} = await openedStore(t);
	const property = fc.asyncProperty(anySubmission, async submission => {
		await store.write(records => records.offer(submission));
		await store.write(records => records.offer({...submission, attempts: 99, content: submissionOf('test').content}));
		t.deepEqual(await store.read.dueSubmissions(Number.MAX_SAFE_INTEGER, [], 10), [submission]);
		await store.write(records => records.removeSubmission(submission.id));
		t.is((await store.read.tallyQueue()).size, 0);
	});
	await fc.assert(property, {numRuns: 100});
});

test('settings and levels are replaced; a level that is no number is left out', async t => {
	const {store} = await openedStore(t);
	await store.write(async records => {
		await records.writeSetting('name', 'one');
		await records.writeSetting('name', 'two');
		await records.writeLevels(
			new Map([
				['a', 1],
				['b', Number.NaN],
				['c', 1e300],
				['d', -0.5],
			]),
		);
		await records.writeLevels(new Map(Array.from({length: 1500}, (_, index) => [`many ${index}`, index])));
		await records.writeLevels(new Map([['a', 2]]));
	});
	t.is(await store.read.readSetting('name'), 'two');
	const levels = await store.read.readLevels();
	t.deepEqual([levels.get('a'), levels.has('b'), levels.get('c'), levels.get('d'), levels.size], [2, false, 1e300, -0.5, 1503]);
});

test('activities and attempts are listed the oldest first, the newest so many', async t => {
	const {store} = await openedStore(t);
	const sequence = await store.write(async records => {
		const notes = Array.from({length: 700}, (_, index) => ({
			at: seenAt + index,
			level: 'info' as const,
			word: 'first',
			...(index % 2 === 0 ? {problemId: 'p1'} : {}),
			text: `note ${index}`,
		}));
		await records.addActivities(notes);
		return records.beginAttempt({
			submissionId: 's1',
			problemId: 'p1',
			type: 'hardware_alert',
			startedAt: seenAt + 0.5,
			connection: 'direct',
			destination: 'ibm.example:443',
			request: 'request',
		});
	});
	const texts = async (filter: object) => (await store.read.listActivities(filter)).map(({text}) => text);
	t.deepEqual(await texts({limit: 2}), ['note 698', 'note 699']);
	t.deepEqual(await texts({problemId: 'p1', limit: 1}), ['note 698']);
	t.deepEqual(await texts({from: seenAt + 3, to: seenAt + 4}), ['note 3', 'note 4']);
	await store.write(records => records.endAttempt(sequence, {duration: 1.7, errorType: 'ERR_REPLY_TIMEOUT', error: 'none came'}));
	const [attempt] = await store.read.attemptsOf('p1');
	t.like(attempt, {sequence, duration: 1, started_at: seenAt, error_type: 'ERR_REPLY_TIMEOUT', status_code: null});
});

test('a bridge that is killed between an attempt and its settlement asks before it sends again', async t => {
	const {store} = await openedStore(t);
	const begun = {
		problemId: 'p1',
		type: 'hardware_alert',
		startedAt: seenAt,
		connection: 'direct',
		destination: 'x',
		request: 'y',
	};
	await store.write(async records => {
		for (const id of ['unended', 'ended', 'settled', 'untried']) {
			await records.offer(submissionOf('hardware_alert', {id, transactionId: id}));
		}
		await records.beginAttempt({...begun, submissionId: 'unended'});
		await records.endAttempt(await records.beginAttempt({...begun, submissionId: 'ended'}), {duration: 1});
		await records.endAttempt(await records.beginAttempt({...begun, submissionId: 'settled'}), {duration: 1});
		await records.changeSubmission('settled', {attempts: 1, uncertain: false});
	});
	const due = await store.read.dueSubmissions(Number.MAX_SAFE_INTEGER, [], 10);
	t.deepEqual(Object.fromEntries(due.map(({id, uncertain}) => [id, uncertain])), {
		unended: true,
		ended: true,
		settled: false,
		untried: false,
	});
	t.is(await store.write(records => records.endInterrupted()), 1);
	t.is(await store.write(records => records.endInterrupted()), 0);
	t.is((await store.read.attemptsOf('p1'))[0]?.error_type, 'interrupted');
});
