import test from 'ava';
import fc from 'fast-check';
import {type HardwareEvent, Severity} from '../../src/event.ts';
import {processorsSchema} from '../../src/processors/config.ts';
import {createExclusion} from '../../src/processors/exclusion.ts';
import {inferredFrom, withInferred} from '../../src/processors/infer.ts';
import {createMaintenance} from '../../src/processors/maintenance.ts';
import {moduleWordOf} from '../../src/processors/module-word.ts';
import {eventOf, failed, hour, levelOf, minute, noon, onlyProblem, openHouse, well} from '../helpers/decisions.ts';

const iso = (at: number) => new Date(at).toISOString();
const windowed = (from: number, to: number, host = 'db01') =>
	createMaintenance(
		processorsSchema.parse({maintenance: [{match: {'host.name': host}, from: iso(from), to: iso(to), reason: 'new drives'}]})
			.maintenance,
	);
const during = {maintenanceOf: windowed(noon - hour, noon + hour)};

test('maintenance: what lasts to the end of the window is sent then', async t => {
	const house = await openHouse(t, {policy: during});
	t.deepEqual(await house.take(failed('drive-3')), ['held']);
	t.like(await onlyProblem(house), {state: 'held', reason: 'maintenance', releaseAt: noon + hour});
	house.clock.now = noon + 59 * minute;
	t.is(await house.releaseDue(), 0);
	house.clock.now = noon + hour;
	t.is(await house.releaseDue(), 1);
	t.like(await onlyProblem(house), {state: 'queued', reason: '', releaseAt: undefined});
});

test('maintenance: what is repaired within the window is never sent', async t => {
	const house = await openHouse(t, {policy: during});
	t.deepEqual(await house.take(failed('drive-3'), well('drive-3')), ['held', 'recovered']);
	house.clock.now = noon + 2 * hour;
	t.is(await house.releaseDue(), 0);
	t.deepEqual(await house.queue(), []);
});

test('maintenance: another system, and a test, go out meanwhile', async t => {
	const house = await openHouse(t, {policy: during});
	const probe = failed('drive-3', {attributes: {'callhome.test': 'true'}});
	t.deepEqual(await house.take(failed('drive-3', {host: 'db02', serial: 'S2'}), probe), ['first', 'first']);
});

test('maintenance: a window that is taken out of the configuration holds nothing after a restart', async t => {
	const before = await openHouse(t, {policy: during});
	await before.take(failed('drive-3'));
	await before.close();
	const after = await openHouse(t, {directory: before.directory});
	t.is(await after.reconsider(), 1);
	t.is((await onlyProblem(after)).state, 'queued');
});

test('a storm in a maintenance window ends with the window, and not before', async t => {
	const house = await openHouse(t, {policy: during});
	await house.take(...Array.from({length: 14}, (_, index) => failed(`part-${index}`)));
	house.clock.now = noon + 40 * minute;
	t.is(await house.releaseDue(), 0);
	house.clock.now = noon + hour;
	t.is(await house.releaseDue(), 11);
	t.true((await house.problems()).every(({state}) => state === 'queued'));
});

test('approval: nothing goes out by itself, also when it repeats or the bridge restarts', async t => {
	const house = await openHouse(t, {policy: {needsApproval: true}});
	t.deepEqual(await house.take(failed('drive-3'), failed('drive-3', {severity: Severity.fatal})), ['held', 'worse']);
	await house.close();
	const again = await openHouse(t, {directory: house.directory});
	t.is(await again.reconsider(), 0);
	t.like(await onlyProblem(again), {state: 'held', reason: 'awaiting_approval', count: 2});
});

const excluding = (...exclude: unknown[]) => processorsSchema.parse({exclude}).exclude;

test('excluded: by event id with a wildcard, however the id is written', async t => {
	const exclude = excluding({event_id: '0x806F010D*'});
	const house = await openHouse(t, {exclude});
	const coded = (code: string, id: string) => failed(id, {attributes: {'callhome.event.code': code}});
	const decisions = await house.take(coded('806f010d-0401ffff', 'a'), coded('0x806F020D0401FFFF', 'b'));
	t.deepEqual(decisions, ['held', 'first']);
	const [held] = await house.store.read.listProblems({states: ['held']});
	t.is(held?.reason, 'excluded');
	t.regex((await house.activities(held?.id)).at(-1)?.text ?? '', /processors\.exclude/);
	t.deepEqual(await house.take(failed('a', {severity: Severity.fatal})), ['released'], 'what is not excluded calls home');
});

test('excluded: ranges count as people do', t => {
	const isExcluded = createExclusion(excluding({resources: {from: 'drive-9', to: 'drive-12'}}));
	const inside = ['drive-9', 'drive-10', 'drive-12', 'Drive-11'];
	const outside = ['drive-8', 'drive-13', 'drive-100', 'fan-10', ''];
	t.true(inside.every(id => isExcluded(failed(id))));
	t.false(outside.some(id => isExcluded(failed(id))));
	fc.assert(fc.property(fc.nat({max: 300}), n => isExcluded(failed(`drive-${n}`)) === (n >= 9 && n <= 12)));
});

test('an exclusion of everything, a window without an end and a time that is none are faults', t => {
	const faultsOf = (config: unknown) => processorsSchema.safeParse(config).error?.issues.map(({message}) => message) ?? [];
	t.regex(faultsOf({exclude: [{}]}).join(), /excludes everything/);
	t.regex(faultsOf({exclude: [{match: {}}]}).join(), /excludes everything/);
	const window = {match: {'host.name': 'a'}, from: iso(noon), to: iso(noon)};
	t.regex(faultsOf({maintenance: [window]}).join(), /not after from/);
	t.regex(faultsOf({maintenance: [{...window, to: 'tomorrow'}]}).join(), /is not a time/);
	t.regex(faultsOf({maintenance: [{...window, match: {}}]}).join(), /names no system/);
	t.true(faultsOf({maintenance: [{match: window.match, from: window.from}]}).length > 0);
	t.regex(faultsOf({correlate_within: '2d'}).join(), /at most 1d/);
});

test('repetitions count within their time only', async t => {
	const {serviceability} = processorsSchema.parse({
		serviceability: [{match: {state: 'degraded'}, verdict: 'call_home', repeat: 3, within: '1h'}],
	});
	const house = await openHouse(t, {serviceability});
	const warn = (at: number) => failed('fan-1', {at, severity: Severity.warn, attributes: {'hw.state': 'degraded'}});
	const take = async (at: number) => {
		house.clock.now = at;
		return house.take(warn(at));
	};
	t.deepEqual(await take(noon), ['held']);
	t.deepEqual(await take(noon + 50 * minute), ['duplicate']);
	t.deepEqual(await take(noon + 90 * minute), ['duplicate'], 'the first one is too long ago');
	t.deepEqual(await take(noon + 105 * minute), ['released']);
});

const memory = (source: string, id: string, given = {}) => ({
	...failed(id, {attributes: {'hw.type': 'memory', 'hw.name': 'CPU 1 DIMM 08'}, ...given}),
	source,
});

test('one fault that SEL, trap, CIM, kernel and Redfish report is one problem', async t => {
	const house = await openHouse(t);
	const sources = ['host/sel', 'snmp/trap', 'cim', 'host/edac', 'redfish'];
	t.deepEqual(
		await house.take(...sources.map((source, index) => memory(source, `${source}:${index}`, {at: noon + index * 1000}))),
		['first', 'duplicate', 'duplicate', 'duplicate', 'duplicate'],
	);
	house.clock.now = noon + hour;
	const late = memory('redfish', 'redfish:4', {at: noon + hour, severity: Severity.fatal});
	t.deepEqual(await house.take(late), ['worse'], 'each is known by its own id from then on');
	t.like(await onlyProblem(house), {count: 6});
	t.is((await house.queue()).length, 1);
});

test('parts that fail at one moment are one problem where the operator says so, and end when all of them are well', async t => {
	const at = noon - minute;
	const dated = (id: string, given = {}) => ({...failed(id, {at, ...given}), receivedAt: noon});
	const apart = await openHouse(t);
	t.deepEqual(await apart.take(dated('drive-1'), dated('drive-2')), ['first', 'first'], 'not by default');

	const house = await openHouse(t, {policy: {sameTimeIsOne: true}});
	const fatal = {severity: Severity.fatal};
	t.deepEqual(await house.take(dated('drive-1'), dated('drive-2'), dated('drive-3', fatal)), ['first', 'duplicate', 'worse']);
	t.deepEqual(await house.take(dated('drive-2', {at: at + 5000})), ['duplicate'], 'known by its own id from then on');
	t.like(await onlyProblem(house), {count: 4, state: 'queued'});
	t.is((await house.queue()).length, 1);

	await house.take(well('drive-1'), well('drive-2'));
	t.is((await onlyProblem(house)).recoveredAt, undefined);
	await house.take(well('drive-3'));
	t.is((await onlyProblem(house)).recoveredAt, noon);
});

test('only the moment of a machine itself makes one of several faults', async t => {
	const policy = {sameTimeIsOne: true};
	const at = noon - minute;
	const dated = (id: string, given = {}) => ({...failed(id, {at, ...given}), receivedAt: noon});
	const decided = async (...events: HardwareEvent[]) => (await openHouse(t, {policy})).take(...events);
	t.deepEqual(await decided(dated('drive-1'), dated('drive-2', {at: at + 1})), ['first', 'first'], 'another moment');
	t.deepEqual(await decided(dated('drive-1'), dated('drive-2', {serial: 'J9Z8Y7X'})), ['first', 'first'], 'another machine');
	t.deepEqual(await decided(failed('drive-1'), failed('drive-2')), ['first', 'first'], 'dated by the bridge');
	const test = {attributes: {'callhome.test': true}};
	t.deepEqual(await decided(dated('drive-1'), dated('drive-2', test)), ['first', 'first'], 'a test');
	const level = (id: string) => ({...levelOf(id, 'failed', 1, {at}), receivedAt: noon});
	t.deepEqual(await decided(level('drive-1'), level('drive-2')), ['first', 'first'], 'levels of one scrape');
});

test('a part that two sources report is well when both of them say so', async t => {
	const house = await openHouse(t);
	await house.take(memory('cim', 'a'), memory('redfish', 'b'));
	const fine = (source: string, id: string) => memory(source, id, {attributes: {'hw.type': 'memory', 'hw.state': 'ok'}});
	await house.take(fine('cim', 'a'));
	t.is((await onlyProblem(house)).recoveredAt, undefined);
	await house.take(fine('redfish', 'b'));
	t.is((await onlyProblem(house)).recoveredAt, noon);
});

test('parts of one place are two when one source tells them apart, when they come apart, or without correlation', async t => {
	const house = await openHouse(t);
	t.deepEqual(await house.take(memory('cim', 'a'), memory('cim', 'b')), ['first', 'first']);
	t.deepEqual(await house.take(memory('snmp', 'c', {at: noon - hour})), ['first']);
	const apart = await openHouse(t, {policy: {correlateMillis: 0}});
	t.deepEqual(await apart.take(memory('cim', 'a'), memory('snmp', 'c')), ['first', 'first']);
});

test('an event id that no source explains is classified by its code, and says that this is a guess', async t => {
	const coded = (code: string, attributes = {}) => eventOf({attributes: {'callhome.event.code': code, ...attributes}});
	t.like(withInferred(coded('0x806F010C0301FFFF')).attributes, {
		'hw.type': 'memory',
		'hw.state': 'failed',
		'error.type': 'uncorrected',
		[inferredFrom]: 'imm_event_id',
	});
	t.is(withInferred(coded('816F010D0401FFFF')).attributes['hw.state'], 'ok');
	t.is(withInferred(coded('806F00050301FFFF')).attributes['callhome.serviceable'], 'false');
	for (const event of [coded('FQXSPCA0001M'), coded('806F010C0301FFFF', {'hw.state': 'degraded'}), eventOf()])
		t.is(withInferred(event), event);
	fc.assert(
		fc.property(fc.string({maxLength: 60}), code => withInferred(coded(code)).attributes['callhome.event.code'] === code),
	);
	const house = await openHouse(t);
	t.deepEqual(await house.take(coded('806F010C0301FFFF'), coded('806F00050301FFFF')), ['first', 'held']);
});

test("each decision says the management module's own word", async t => {
	const house = await openHouse(t, {exclude: excluding({resources: {from: 'x', to: 'x'}})});
	const information = failed('i', {severity: Severity.info, attributes: {'hw.state': 'present'}});
	await house.take(failed('a'), failed('x'), information);
	const problems = await house.problems();
	t.deepEqual(problems.map(problem => `${problem.component.id} ${moduleWordOf(problem)}`).sort(), [
		'a PENDING',
		'i NOT SENT',
		'x DISABLED',
	]);
	for (const problem of problems) t.true((await house.activities(problem.id))[0]?.text.endsWith(`[${moduleWordOf(problem)}]`));
	const [problem] = problems;
	if (!problem) return;
	t.is(moduleWordOf({...problem, state: 'rejected'}), 'FAILED');
	t.is(moduleWordOf({...problem, state: 'open'}), 'SUCCESS');
});
