import test from 'ava';
import {Severity} from '../../src/event.ts';
import {
	acknowledged,
	countOf,
	day,
	eventOf,
	failed,
	type House,
	hour,
	levelOf,
	minute,
	noon,
	onlyProblem,
	openHouse,
	well,
} from '../helpers/decisions.ts';
import {temporaryDirectory} from '../helpers/listen.ts';

/** IBM accepts the problem and gives its case number. */
async function opened(house: House, caseNumber = 'TS1') {
	const {transactionId} = await house.answer('hardware_alert');
	await house.answer('case_query', acknowledged(transactionId, {caseNumber}));
}

test('first: a failed part is one problem, queued for IBM under an id of its own', async t => {
	const house = await openHouse(t);
	t.deepEqual(await house.take(failed('drive-3')), ['first']);
	const problem = await onlyProblem(house);
	t.like(problem, {state: 'queued', reason: '', count: 1, title: 'drive-3 has failed', severity: 17});
	const [submission, ...others] = await house.queue();
	t.deepEqual(others, []);
	t.like(submission, {type: 'hardware_alert', id: problem.transactionId, transactionId: problem.transactionId, uncertain: false});
});

test('duplicate: the same fault again joins, and nothing more is sent', async t => {
	const house = await openHouse(t);
	t.deepEqual(await house.take(failed('drive-3'), failed('drive-3', {at: noon + 1})), ['first', 'duplicate']);
	t.deepEqual(await house.take(failed('drive-3')), ['duplicate']);
	t.like(await onlyProblem(house), {count: 3, lastSeen: noon, state: 'queued'});
	t.is((await house.queue()).length, 1);
});

test('repeated: an event that is delivered again is not kept again, in one request or the next', async t => {
	const house = await openHouse(t);
	const event = failed('drive-3');
	t.deepEqual(await house.take(event, {...event}), ['first', 'repeated']);
	t.deepEqual(await house.take({...event}), ['repeated']);
	t.is((await onlyProblem(house)).count, 1);
});

test('worse: a higher severity is told to IBM once the problem is there', async t => {
	const house = await openHouse(t);
	await house.take(failed('drive-3', {severity: Severity.error}));
	await opened(house);
	t.deepEqual(await house.take(failed('drive-3', {severity: Severity.fatal, message: 'drive-3 burns'})), ['worse']);
	t.like(await onlyProblem(house), {state: 'open', severity: Severity.fatal, title: 'drive-3 burns'});
	const status = (await house.queue()).find(({type}) => type === 'status');
	t.like(status?.content.problem, {severity: Severity.fatal, recovered: false});
});

test('worse while it waits: IBM is told after it has accepted', async t => {
	const house = await openHouse(t);
	t.deepEqual(await house.take(failed('drive-3'), failed('drive-3', {severity: Severity.fatal})), ['first', 'worse']);
	t.deepEqual(
		(await house.queue()).map(({type}) => type),
		['hardware_alert'],
	);
	await house.answer('hardware_alert');
	const status = (await house.queue()).find(({type}) => type === 'status');
	t.like(status?.content.problem, {severity: Severity.fatal, count: 2});
});

test('recovered: an open problem is closed once IBM has been told', async t => {
	const house = await openHouse(t);
	await house.take(failed('drive-3'));
	await opened(house);
	t.deepEqual(await house.take(well('drive-3')), ['recovered']);
	t.like(await onlyProblem(house), {state: 'open', recoveredAt: noon});
	await house.answer('status');
	t.like(await onlyProblem(house), {state: 'closed', reason: 'recovered', caseNumber: 'TS1'});
	t.deepEqual(await house.take(well('drive-3')), ['nothing_open']);
});

test('recovered while it waits to be sent: it is sent, and then its recovery', async t => {
	const house = await openHouse(t);
	t.deepEqual(await house.take(failed('drive-3'), well('drive-3')), ['first', 'recovered']);
	t.like(await onlyProblem(house), {state: 'queued', recoveredAt: noon});
	await house.answer('hardware_alert');
	t.like((await house.queue()).find(({type}) => type === 'status')?.content.problem, {recovered: true});
	await house.answer('status');
	t.like(await onlyProblem(house), {state: 'closed', reason: 'recovered'});
});

test('recovered while held: it closes and nothing is sent', async t => {
	const house = await openHouse(t, {policy: {consentsToCases: false}});
	t.deepEqual(await house.take(failed('drive-3'), well('drive-3')), ['held', 'recovered']);
	t.like(await onlyProblem(house), {state: 'closed', reason: 'recovered', count: 2});
	t.deepEqual(await house.queue(), []);
});

test('nothing_open: a recovery without a problem is not kept', async t => {
	const house = await openHouse(t);
	t.deepEqual(await house.take(well('drive-3')), ['nothing_open']);
	t.deepEqual(await house.problems(), []);
	t.is(await house.store.read.countEvents(), 0);
});

test('a recovery that comes late, from before the last fault, closes nothing', async t => {
	const house = await openHouse(t);
	await house.take(failed('drive-3', {at: noon - minute}));
	t.deepEqual(await house.take(well('drive-3', {at: noon - hour})), ['nothing_open']);
	t.is((await onlyProblem(house)).recoveredAt, undefined);
});

test('relapse: the same fault soon after its recovery is the same case again', async t => {
	const house = await openHouse(t);
	await house.take(failed('drive-3'));
	await opened(house);
	await house.take(well('drive-3'));
	await house.answer('status');
	house.clock.now = noon + 119 * hour;
	t.deepEqual(await house.take(failed('drive-3', {at: noon + hour})), ['relapse']);
	t.like(await onlyProblem(house), {state: 'open', reason: '', caseNumber: 'TS1', closedAt: undefined, recoveredAt: undefined});
	t.deepEqual(
		(await house.queue()).map(({type}) => type).filter(type => type !== 'confirmation'),
		['status'],
	);
});

test('first again: after the time for a relapse the fault is another case', async t => {
	const house = await openHouse(t);
	await house.take(failed('drive-3'), well('drive-3'));
	await house.answer('hardware_alert');
	await house.answer('status');
	house.clock.now = noon + 121 * hour;
	t.deepEqual(await house.take(failed('drive-3')), ['first']);
	const transactionIds = (await house.problems()).map(({transactionId}) => transactionId);
	t.is(new Set(transactionIds).size, 2);
	t.deepEqual(await house.take(failed('drive-3')), ['duplicate'], 'the key belongs to the new one');
});

test('relapse before IBM heard of the recovery: only the newest status goes out', async t => {
	const house = await openHouse(t);
	await house.take(failed('drive-3'));
	await opened(house);
	await house.take(well('drive-3'));
	const before = (await house.queue()).find(({type}) => type === 'status');
	t.deepEqual(await house.take(failed('drive-3')), ['relapse']);
	const statuses = (await house.queue()).filter(({type}) => type === 'status');
	t.deepEqual(
		statuses.map(({content}) => content.problem?.recovered),
		[false],
	);
	if (before) await house.settle(before, acknowledged(before.transactionId));
	t.like(await onlyProblem(house), {state: 'open'}, 'the news of the recovery, when it was under way, closes nothing');
	t.is((await house.queue()).filter(({type}) => type === 'status').length, 1);
});

test('what is no reason to call home does not open a closed case again', async t => {
	const house = await openHouse(t);
	await house.take(failed('drive-3'), well('drive-3'));
	await house.answer('hardware_alert');
	await house.answer('status');
	const information = failed('drive-3', {severity: Severity.info, attributes: {'hw.state': 'present'}});
	t.deepEqual(await house.take(information), ['duplicate']);
	t.like(await onlyProblem(house), {state: 'closed', count: 3});
	t.deepEqual(await house.take(failed('drive-3')), ['relapse']);
});

const holds: [reason: string, setting: Parameters<typeof openHouse>[1], event: ReturnType<typeof eventOf>][] = [
	['unknown_system', {}, failed('drive-3', {serial: undefined})],
	['not_serviceable', {}, eventOf({severity: Severity.info, attributes: {'hw.type': 'enclosure', 'hw.id': 'lid'}})],
	['customer_serviceable', {}, failed('cmos', {attributes: {'hw.type': 'battery'}})],
	['below_repeat_count', {}, failed('psu-1', {attributes: {'hw.type': 'power_supply', 'hw.state': 'degraded'}})],
	['no_consent', {policy: {consentsToCases: false}}, failed('drive-3')],
	['no_credentials', {policy: {hasCredentials: false}}, failed('drive-3')],
];

for (const [reason, setting, event] of holds) {
	test(`held: ${reason} is visible, with the way out, and nothing is queued`, async t => {
		const house = await openHouse(t, setting);
		t.deepEqual(await house.take(event), ['held']);
		const problem = await onlyProblem(house);
		t.like(problem, {state: 'held', reason});
		t.deepEqual(await house.queue(), []);
		const [line] = await house.activities(problem.id);
		t.like(line, {level: 'warn', word: 'held'});
		t.regex(line?.text ?? '', new RegExp(`held \\(${reason}\\): .{20}`));
	});
}

test('released: what repeats often enough calls home', async t => {
	const house = await openHouse(t);
	const degraded = () => failed('psu-1', {attributes: {'hw.type': 'power_supply', 'hw.state': 'degraded'}});
	t.deepEqual(await house.take(degraded()), ['held']);
	t.deepEqual(await house.take(degraded()), ['released']);
	t.like(await onlyProblem(house), {state: 'queued', reason: '', count: 2});
	t.is((await house.queue()).length, 1);
});

test('released: worse makes a candidate of what was held', async t => {
	const house = await openHouse(t);
	const warm = failed('psu-1', {severity: Severity.warn, attributes: {'hw.type': 'power_supply', 'hw.state': 'degraded'}});
	await house.take(warm);
	t.deepEqual(await house.take(failed('psu-1', {attributes: {'hw.type': 'power_supply'}})), ['released']);
	t.like(await onlyProblem(house), {state: 'queued', severity: Severity.error});
});

test('an event of little weight takes no candidate back and is no repetition', async t => {
	const information = failed('dimm-1', {severity: Severity.info, attributes: {'hw.state': 'present'}});
	const degraded = failed('dimm-1', {severity: Severity.warn, attributes: {'hw.state': 'degraded'}});
	const house = await openHouse(t, {policy: {consentsToCases: false}});
	await house.take(failed('dimm-1'), {...information, id: 'later'});
	t.like(await onlyProblem(house), {reason: 'no_consent', count: 2});

	const other = await openHouse(t);
	t.deepEqual(await other.take(information, degraded), ['held', 'worse']);
	t.deepEqual(await other.take({...information, id: 'in between'}), ['duplicate']);
	t.like(await onlyProblem(other), {state: 'held', reason: 'below_repeat_count'});
	t.deepEqual(await other.take({...degraded, id: 'again'}), ['released']);
});

test('a part that a source says is degraded, and is not said to be well again, calls home after five minutes', async t => {
	const degraded = (id: string, more: object) =>
		failed(id, {severity: Severity.warn, attributes: {'hw.type': 'power_supply', 'hw.state': 'degraded'}, ...more});
	const house = await openHouse(t);
	t.deepEqual(await house.take({...degraded('psu-1', {}), isStanding: true}), ['held']);
	house.clock.now += 4 * minute;
	await house.releaseDue();
	t.like(await onlyProblem(house), {state: 'held', reason: 'below_repeat_count'});
	house.clock.now += 2 * minute;
	await house.releaseDue();
	t.like(await onlyProblem(house), {state: 'queued'});

	const brief = await openHouse(t);
	await brief.take({...degraded('psu-1', {}), isStanding: true});
	brief.clock.now += minute;
	await brief.take({
		...well('psu-1', {at: noon + minute, attributes: {'hw.type': 'power_supply', 'hw.state': 'ok'}}),
		isStanding: true,
	});
	brief.clock.now += hour;
	await brief.releaseDue();
	t.like(await onlyProblem(brief), {state: 'closed', reason: 'recovered'});

	const told = await openHouse(t);
	await told.take(degraded('psu-1', {}));
	told.clock.now += day;
	await told.releaseDue();
	t.like(await onlyProblem(told), {state: 'held', reason: 'below_repeat_count'}, 'what happened once is no repetition');
});

test('a level that stands is as good as a repetition', async t => {
	const house = await openHouse(t);
	t.deepEqual(await house.take(levelOf('psu-1', 'degraded', 1), levelOf('psu-2', 'degraded', 1)), ['held', 'held']);
	t.deepEqual(await house.take(levelOf('psu-2', 'degraded', 0)), ['recovered']);
	house.clock.now = noon + 4 * minute;
	t.is(await house.releaseDue(), 0);
	house.clock.now = noon + 5 * minute;
	t.is(await house.releaseDue(), 1);
	t.deepEqual((await house.problems()).map(({state}) => state).sort(), ['closed', 'queued']);
});

test('a drive that goes from predicted failure to failed has not recovered', async t => {
	for (const points of [
		[levelOf('d', 'failed', 1), levelOf('d', 'predicted_failure', 0)],
		[levelOf('d', 'predicted_failure', 0), levelOf('d', 'failed', 1)],
	]) {
		const house = await openHouse(t);
		await house.take(levelOf('d', 'predicted_failure', 1));
		await house.take(...points);
		t.is((await onlyProblem(house)).recoveredAt, undefined);
		t.deepEqual(await house.take(levelOf('d', 'failed', 0)), ['recovered']);
		t.is((await onlyProblem(house)).recoveredAt, noon);
	}
});

test('unchanged: a level that stays is no event, also after a restart', async t => {
	const directory = await temporaryDirectory(t);
	const before = await openHouse(t, {directory});
	t.deepEqual(await before.take(levelOf('d', 'failed', 1)), ['first']);
	t.deepEqual(await before.take(countOf('m', 'uncorrected', 7)), ['unchanged']);
	await before.close();
	const after = await openHouse(t, {directory});
	t.deepEqual(await after.take(levelOf('d', 'failed', 1), countOf('m', 'uncorrected', 7)), ['unchanged', 'unchanged']);
	t.deepEqual(await after.take(countOf('m', 'uncorrected', 8), levelOf('d', 'failed', 0)), ['first', 'recovered']);
	t.deepEqual(await after.take(levelOf('d', 'failed', 1, {at: noon + 1})), ['relapse']);
});

test('a level that could not be kept is news again when it is sent again', async t => {
	const house = await openHouse(t);
	await house.close();
	await t.throwsAsync(house.take(levelOf('d', 'failed', 1)));
	const again = await openHouse(t, {directory: house.directory});
	t.deepEqual(await again.take(levelOf('d', 'failed', 1)), ['first']);
});

test('requests that touch one level at the same time see each other', async t => {
	const house = await openHouse(t);
	const points = [1, 1, 0, 1, 0].map((value, index) => levelOf('d', 'failed', value, {at: noon + index}));
	const decided = await Promise.all(points.map(point => house.take(point)));
	t.deepEqual(decided.flat(), ['first', 'unchanged', 'recovered', 'relapse', 'recovered']);
});

test('test: a test joins no fault and a fault no test', async t => {
	const house = await openHouse(t);
	const probe = () => failed('drive-3', {severity: Severity.info, attributes: {'callhome.test': true}});
	t.deepEqual(await house.take(probe(), failed('drive-3'), probe()), ['first', 'first', 'duplicate']);
	t.deepEqual(
		(await house.queue()).map(({type}) => type),
		['hardware_alert', 'test'],
	);
	t.deepEqual((await house.problems()).map(({test}) => test).sort(), [false, true]);
});

test('rejected: the same fault joins and is not sent again by itself, and the log says so', async t => {
	const house = await openHouse(t);
	await house.take(failed('drive-3'));
	await house.answer('hardware_alert', {status: 'rejected', error: new Error('no entitlement')});
	t.deepEqual(await house.take(failed('drive-3')), ['duplicate']);
	t.deepEqual(await house.take(failed('drive-3', {severity: Severity.fatal})), ['worse']);
	const problem = await onlyProblem(house);
	t.like(problem, {state: 'rejected', reason: 'no entitlement', count: 3});
	t.deepEqual(await house.queue(), []);
	const line = (await house.activities(problem.id)).at(-1);
	t.is(line?.level, 'warn');
	t.regex(line?.text ?? '', /rejected.*no entitlement/);
});

test('without consent IBM is told nothing more of a case that it has', async t => {
	const directory = await temporaryDirectory(t);
	const before = await openHouse(t, {directory});
	await before.take(failed('drive-3'));
	await opened(before);
	await before.close();
	const after = await openHouse(t, {directory, policy: {consentsToCases: false}});
	t.deepEqual(await after.take(failed('drive-3', {severity: Severity.fatal})), ['worse']);
	t.false((await after.queue()).some(({type}) => type === 'status'));
});

test('a clock that is ahead dates nothing into the future', async t => {
	const house = await openHouse(t);
	await house.take(failed('drive-3', {at: noon + day}));
	t.like(await onlyProblem(house), {firstSeen: noon, lastSeen: noon});
	const [kept] = await house.store.read.eventsOf((await onlyProblem(house)).id);
	t.is(kept?.event.occurredAt, noon + day, 'the raw event says what the producer said');
});

test('a fault that comes back after IBM refused its case is reported anew', async t => {
	const house = await openHouse(t);
	await house.take(failed('drive-3'));
	const [submission] = await house.queue();
	await house.answer('hardware_alert', acknowledged(submission?.transactionId ?? '', {error: 'no entitlement'}));
	t.like(await onlyProblem(house), {state: 'rejected', acceptedAt: noon});
	t.deepEqual(await house.take(well('drive-3'), failed('drive-3')), ['recovered', 'first']);
	t.deepEqual(
		(await house.queue()).map(({type}) => type),
		['hardware_alert'],
	);
	t.deepEqual((await house.problems()).map(({state}) => state).sort(), ['closed', 'queued']);
});
