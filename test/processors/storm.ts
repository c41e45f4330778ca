import test from 'ava';
import {acknowledged, failed, type House, hour, minute, noon, openHouse, well} from '../helpers/decisions.ts';

const drives = (from: number, to: number) => Array.from({length: to - from + 1}, (_, index) => failed(`drive-${from + index}`));

const stormOf = async ({problems}: House) => (await problems()).find(({title}) => title.startsWith('Storm'));

test('storm: from the eleventh fault of a system on, they fold into one problem, and every event is kept', async t => {
	const house = await openHouse(t);
	t.deepEqual(await house.take(...drives(1, 5)), Array(5).fill('first'));
	const decided = await house.take(...drives(6, 20), ...drives(12, 13));
	t.deepEqual(decided, [...Array(5).fill('first'), ...Array(10).fill('storm'), 'duplicate', 'duplicate']);
	t.is((await house.problems()).length, 11);
	const storm = await stormOf(house);
	t.like(storm, {state: 'held', reason: 'storm', count: 12, releaseAt: noon + 30 * minute});
	t.is((await house.store.read.eventsOf(storm?.id ?? '')).length, 12);
	t.is((await house.queue()).length, 10);
});

test('storm: after half an hour one submission goes out that names the faults', async t => {
	const house = await openHouse(t);
	await house.take(...drives(1, 14));
	house.clock.now = noon + 29 * minute;
	t.is(await house.releaseDue(), 0);
	house.clock.now = noon + 30 * minute;
	t.is(await house.releaseDue(), 1);
	t.is(await house.releaseDue(), 0);
	t.is((await house.queue()).length, 11);
	const storm = await stormOf(house);
	const submission = (await house.queue()).find(({problemId}) => problemId === storm?.id);
	t.like(submission, {type: 'hardware_alert', transactionId: storm?.transactionId});
	for (const drive of [11, 12, 13, 14])
		t.regex(submission?.content.problem?.note ?? '', new RegExp(`1 x drive-${drive} has failed`));
});

test('storm: it goes on as long as it rages, and a folded fault opens no second case', async t => {
	const house = await openHouse(t);
	await house.take(...drives(1, 12));
	house.clock.now = noon + 30 * minute;
	await house.take(...drives(13, 13).map(event => ({...event, occurredAt: house.clock.now})));
	await house.releaseDue();
	house.clock.now = noon + 59 * minute;
	t.deepEqual(await house.take(failed('drive-30', {at: house.clock.now})), ['storm'], 'after its release');
	t.deepEqual(await house.take(failed('drive-11')), ['duplicate']);
	house.clock.now = noon + 3 * hour;
	t.deepEqual(await house.take(failed('drive-12'), failed('drive-31', {at: house.clock.now})), ['duplicate', 'first']);
});

test('storm: the next one is another problem, so that IBM hears of it', async t => {
	const house = await openHouse(t);
	await house.take(...drives(1, 12));
	house.clock.now = noon + 30 * minute;
	await house.releaseDue();
	house.clock.now = noon + 48 * hour;
	const later = Array.from({length: 12}, (_, index) => failed(`fan-${index}`, {at: house.clock.now}));
	t.deepEqual(await house.take(...later), [...Array(10).fill('first'), 'storm', 'storm']);
	t.is((await house.problems()).filter(({title}) => title.startsWith('Storm')).length, 2);
});

test('storm: what IBM refused stands for no further fault', async t => {
	const house = await openHouse(t);
	await house.take(...drives(1, 12));
	house.clock.now = noon + 30 * minute;
	await house.releaseDue();
	const storm = await stormOf(house);
	const submission = (await house.queue()).find(({problemId}) => problemId === storm?.id);
	if (submission) await house.settle(submission, {status: 'rejected', error: new Error('no')});
	await house.take(failed('drive-40', {at: house.clock.now}));
	t.deepEqual(
		(await house.problems())
			.filter(({title}) => title.startsWith('Storm'))
			.map(({state}) => state)
			.sort(),
		['held', 'rejected'],
	);
});

test('storm: it recovers when all its faults have, and the recovery of one is kept', async t => {
	const house = await openHouse(t);
	await house.take(...drives(1, 12));
	house.clock.now = noon + 30 * minute;
	await house.releaseDue();
	const storm = await stormOf(house);
	const submission = (await house.queue()).find(({problemId}) => problemId === storm?.id);
	if (submission) await house.settle(submission, acknowledged(submission.transactionId, {caseNumber: 'TS7'}));
	t.deepEqual(await house.take(well('drive-11')), ['recovered']);
	t.deepEqual(await house.take(well('drive-11')), ['nothing_open']);
	t.like(await stormOf(house), {state: 'open', recoveredAt: undefined, count: 3});
	t.deepEqual(await house.take(well('drive-12')), ['recovered']);
	t.like(await stormOf(house), {state: 'open', recoveredAt: house.clock.now, count: 4});
	await house.answer('status');
	t.like(await stormOf(house), {state: 'closed', caseNumber: 'TS7'});
	t.deepEqual(await house.take(failed('drive-11')), ['relapse']);
});

test('storm: tests make none and are in none, also within one request', async t => {
	const house = await openHouse(t);
	const tests = Array.from({length: 12}, (_, index) => failed(`t-${index}`, {attributes: {'callhome.test': true}}));
	t.deepEqual(await house.take(...tests, ...drives(1, 1)), Array(13).fill('first'));
	await house.take(...drives(2, 12));
	t.deepEqual(await house.take(failed('probe', {attributes: {'callhome.test': true}})), ['first']);
});

test('storm: what is held anyway does not fold the faults of others', async t => {
	const house = await openHouse(t);
	const batteries = Array.from({length: 15}, (_, index) => failed(`cmos-${index}`, {attributes: {'hw.type': 'battery'}}));
	const decided = await house.take(...batteries, ...drives(1, 1), failed('drive-1', {serial: 'OTHER01'}));
	t.deepEqual(decided, [...Array(10).fill('held'), ...Array(5).fill('storm'), 'first', 'first']);
	t.like(await stormOf(house), {state: 'held', reason: 'customer_serviceable', releaseAt: undefined});
});

test('storm: a clock that was set back does not hold it until it has caught up', async t => {
	const house = await openHouse(t);
	await house.take(...drives(1, 12));
	house.clock.now = noon - 24 * 365 * hour;
	t.is(await house.releaseDue(), 1);
});

test('storm: consent that was withdrawn meanwhile keeps it here', async t => {
	const before = await openHouse(t);
	await before.take(...drives(1, 12));
	await before.close();
	const after = await openHouse(t, {directory: before.directory, policy: {consentsToCases: false}});
	after.clock.now = noon + hour;
	t.is(await after.releaseDue(), 0);
	t.like(await stormOf(after), {state: 'held', reason: 'no_consent', releaseAt: undefined});
	t.deepEqual(await after.store.read.releasableProblems(noon + 48 * hour), []);
});
