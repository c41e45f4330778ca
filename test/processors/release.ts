import test, {type ExecutionContext} from 'ava';
import {Severity} from '../../src/event.ts';
import {knownSystemSchema} from '../../src/processors/config.ts';
import {acknowledged, day, failed, noon, onlyProblem, openHouse, type Setting} from '../helpers/decisions.ts';

const db01 = knownSystemSchema.parse({
	match: {'host.name': 'db01'},
	machine_type: '8871',
	model: 'AC1',
	serial_number: 'J1A2B3C',
});
const unknown = {serial: undefined};
const unreachable = {status: 'unreachable', error: new Error('no way')} as const;

/** The same state under another configuration. */
async function restarted(t: ExecutionContext, house: Awaited<ReturnType<typeof openHouse>>, setting: Setting = {}) {
	await house.close();
	const after = await openHouse(t, {directory: house.directory, ...setting});
	after.clock.now = house.clock.now;
	return after;
}

test('a system that was added releases what was held for it, under the key of the known machine', async t => {
	const before = await openHouse(t);
	await before.take(failed('drive-3', unknown), failed('drive-3', unknown));
	const held = await onlyProblem(before);
	const after = await restarted(t, before, {systems: [db01]});
	t.is(await after.reconsider(), 1);
	const problem = await onlyProblem(after);
	t.like(problem, {id: held.id, state: 'queued', count: 2, system: {serialNumber: 'J1A2B3C'}});
	t.regex(problem.transactionId, /^service_J1A2B3C_/);
	t.deepEqual(await after.take(failed('drive-3', unknown), failed('drive-3')), ['duplicate', 'duplicate']);
	t.is((await after.queue()).length, 1);
});

test('what was held for an unknown system ends in the problem of the known one', async t => {
	const before = await openHouse(t);
	await before.take(
		failed('drive-3', {at: noon - 5, ...unknown}),
		failed('drive-3', {severity: Severity.fatal, ...unknown}),
		failed('drive-3'),
	);
	const after = await restarted(t, before, {systems: [db01]});
	t.is(await after.reconsider(), 0);
	const [merged, standing] = (await after.problems()).toSorted((one, other) => one.count - other.count);
	t.like(standing, {state: 'queued', count: 3, severity: Severity.fatal, firstSeen: noon - 5});
	t.like(merged, {state: 'closed', count: 0, reason: `merged into ${standing?.id}`, closedAt: noon});
	t.is((await after.store.read.eventsOf(standing?.id ?? '')).length, 3);
	t.deepEqual(
		(await after.activities(merged?.id)).map(({word}) => word),
		['held', 'worse', 'merged'],
	);
	t.deepEqual(await after.take(failed('drive-3', unknown)), ['duplicate']);
	t.is((await after.queue()).length, 1);
});

test('held problems of one fault that are merged lose no event', async t => {
	const before = await openHouse(t, {policy: {consentsToCases: false}});
	await before.take(failed('drive-3', {host: 'a', ...unknown}), failed('drive-3', {host: 'b', ...unknown}), failed('drive-3'));
	const systems = ['a', 'b'].map(name => ({...db01, match: {'host.name': name}}));
	const after = await restarted(t, before, {systems});
	t.is(await after.reconsider(), 1, 'one of the three is left to be released');
	const problems = await after.problems();
	t.deepEqual(problems.map(({count}) => count).sort(), [0, 0, 3]);
	t.is((await after.queue()).length, 1);
});

test('a merge with what is held re-decides it by all its events', async t => {
	const before = await openHouse(t);
	await before.take(
		failed('drive-3', {severity: Severity.info, attributes: {'hw.state': 'present'}}),
		failed('drive-3', unknown),
	);
	const after = await restarted(t, before, {systems: [db01]});
	t.is(await after.reconsider(), 1);
	t.deepEqual((await after.problems()).map(({state}) => state).sort(), ['closed', 'queued']);
});

test('a storm of an unknown system stays the problem of each of its faults', async t => {
	const before = await openHouse(t);
	const events = Array.from({length: 14}, (_, index) => failed(`drive-${index}`, unknown));
	await before.take(...events);
	const after = await restarted(t, before, {systems: [db01]});
	t.is(await after.reconsider(), 11);
	t.deepEqual(await after.take(...events.map(event => ({...event, id: `${event.id} again`}))), Array(14).fill('duplicate'));
	t.is((await after.queue()).length, 11);
	t.is(
		(await after.problems()).reduce((sum, {count}) => sum + count, 0),
		28,
	);
});

for (const [missing, setting] of [
	['no_consent', {consentsToCases: false}],
	['no_credentials', {hasCredentials: false}],
] as const) {
	test(`${missing} ends with the configuration, also when the first event was of little weight`, async t => {
		const before = await openHouse(t, {policy: setting});
		await before.take(failed('d', {severity: Severity.info, attributes: {'hw.state': 'present'}}), failed('d'));
		t.like(await onlyProblem(before), {reason: missing});
		const same = await restarted(t, before, {policy: setting});
		t.is(await same.reconsider(), 0);
		t.like(await onlyProblem(same), {reason: missing});
		const after = await restarted(t, same);
		t.is(await after.reconsider(), 1);
		t.like(await onlyProblem(after), {state: 'queued', reason: ''});
	});
}

test("the operator's new rule is applied to what is held", async t => {
	const battery = {attributes: {'hw.type': 'battery'}};
	const before = await openHouse(t);
	await before.take(failed('cmos', battery));
	const rule = {match: {'hw.type': 'battery'}, verdict: 'call_home' as const, repeat: 1};
	const after = await restarted(t, before, {serviceability: [rule]});
	t.is(await after.reconsider(), 1);
});

test('a system whose label was corrected gets an id of its own', async t => {
	const wrong = {...db01, serial_number: 'WRONG01'};
	const before = await openHouse(t, {systems: [wrong], policy: {consentsToCases: false}});
	await before.take(failed('drive-3', unknown));
	const after = await restarted(t, before, {systems: [db01]});
	t.is(await after.reconsider(), 1);
	t.regex((await onlyProblem(after)).transactionId, /^service_J1A2B3C_/);
});

async function parked(t: ExecutionContext) {
	const house = await openHouse(t);
	await house.take(failed('drive-3'));
	const {transactionId} = await onlyProblem(house);
	house.clock.now = noon + 31 * day;
	await house.answer('hardware_alert', unreachable);
	t.like(await onlyProblem(house), {state: 'held', reason: 'unanswered'});
	t.deepEqual(await house.queue(), []);
	t.is((await house.activities()).at(-1)?.level, 'error');
	return {house, transactionId};
}

const returns: [what: string, bring: (house: Awaited<ReturnType<typeof openHouse>>) => Promise<unknown>][] = [
	['a further event', house => house.take(failed('drive-3'))],
	['a restart', house => house.reconsider()],
];

for (const [what, bring] of returns) {
	test(`unanswered: ${what} sends it again, under the same id, and asks first`, async t => {
		const {house, transactionId} = await parked(t);
		await bring(house);
		const [submission] = await house.queue();
		t.like(submission, {transactionId, id: transactionId, uncertain: true, queuedAt: house.clock.now});
		t.like(await onlyProblem(house), {state: 'queued', transactionId});
	});
}

const heartbeat = (house: Awaited<ReturnType<typeof openHouse>>) => ({
	id: 'h',
	type: 'heartbeat' as const,
	problemId: undefined,
	transactionId: 'h',
	aboutTransactionId: undefined,
	content: {system: {name: '', machineType: '', model: '', serialNumber: ''}, createdAt: house.clock.now},
	attempts: 0,
	rounds: 0,
	uncertain: false,
	notBefore: 0,
	queuedAt: 0,
	traceparent: undefined,
});

test('unanswered: the end of an outage sends it again', async t => {
	const {house, transactionId} = await parked(t);
	t.is(await house.releaseDue(), 0);
	await house.settle(heartbeat(house), acknowledged('h'));
	t.is(await house.releaseDue(), 1);
	t.like((await house.queue())[0], {transactionId, uncertain: true});
});

test('unanswered: what IBM leaves without an answer while it takes others stays parked', async t => {
	const {house} = await parked(t);
	await house.store.write(records => records.writeSetting('last_success.accepted', String(house.clock.now - 1000)));
	await house.settle(heartbeat(house), acknowledged('h'));
	t.is(await house.releaseDue(), 0);
	t.like(await onlyProblem(house), {state: 'held', reason: 'unanswered'});
});

test('unanswered: without consent it stays, and keeps the mark that it may have arrived', async t => {
	const {house, transactionId} = await parked(t);
	const without = await restarted(t, house, {policy: {consentsToCases: false}});
	t.is(await without.reconsider(), 0);
	t.deepEqual(await without.take(failed('drive-3')), ['duplicate']);
	t.like(await onlyProblem(without), {reason: 'unanswered', transactionId});
	const after = await restarted(t, without);
	t.is(await after.reconsider(), 1);
	t.like((await after.queue())[0], {transactionId, uncertain: true});
});

test('a further event of another kind does not release what is parked', async t => {
	const {house} = await parked(t);
	t.deepEqual(await house.take(failed('drive-3', {severity: Severity.info, attributes: {'hw.state': 'present'}})), ['duplicate']);
	t.like(await onlyProblem(house), {state: 'held', reason: 'unanswered'});
});
