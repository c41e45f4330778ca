import test from 'ava';
import fc from 'fast-check';
import {type Counted, count} from '../../../src/receivers/host/edac.ts';
import {eventsCome, hostStage, plant, readingOf, stateIs, told} from '../../helpers/host.ts';
import {eventually} from '../../helpers/listen.ts';

const mc0 = 'sys/devices/system/edac/mc/mc0';
const tree = {
	[`${mc0}/mc_name`]: 'Skylake Socket#0 IMC#0',
	[`${mc0}/ce_count`]: 12,
	[`${mc0}/ue_count`]: 0,
	[`${mc0}/ce_noinfo_count`]: 0,
	[`${mc0}/ue_noinfo_count`]: 0,
	[`${mc0}/dimm0/dimm_label`]: 'CPU 0 DIMM 8',
	[`${mc0}/dimm0/dimm_location`]: 'channel 0 slot 0',
	[`${mc0}/dimm0/dimm_ce_count`]: 12,
	[`${mc0}/dimm0/dimm_ue_count`]: 0,
	[`${mc0}/dimm1/dimm_label`]: 'CPU_SrcID#0_MC#0_Chan#1_DIMM#0',
	[`${mc0}/dimm1/dimm_ce_count`]: 0,
	[`${mc0}/dimm1/dimm_ue_count`]: 0,
};

test('an uncorrected error of a module is a failure, whatever came before the first look is not told of corrected ones', async t => {
	const stage = await hostStage(t);
	await plant(stage.directory, tree);
	await stage.start({edac: {}});
	await stateIs(stage, 'working');
	t.deepEqual(told(stage), []);
	await plant(stage.directory, {[`${mc0}/dimm0/dimm_ue_count`]: 2});
	await eventsCome(stage, 1);
	t.deepEqual(told(stage), ['memory/0/8 failed uncorrected']);
	t.is(stage.events[0]?.message, 'CPU 0 DIMM 8: 2 uncorrected memory errors');
	t.like(stage.events[0], {severity: 17, source: 'host/edac', attributes: {'hw.type': 'memory'}});
	t.is(stage.events[0]?.resource['host.id'], '0123456789abcdef0123456789abcdef');
	await eventually(() => readingOf(stage, 'edac', 'hw.errors', {'hw.id': 'memory/0/8', 'error.type': 'uncorrected'}) === 2);
	t.is(readingOf(stage, 'edac', 'hw.errors', {'hw.id': 'memory/0/0/1/0', 'error.type': 'corrected'}), 0);
	t.is(readingOf(stage, 'edac', 'hw.status', {'hw.id': 'memory/0/8', 'hw.state': 'failed'}), 1);
});

test('corrected errors predict a failure when they reach the threshold, also across a restart of the bridge', async t => {
	const stage = await hostStage(t);
	await plant(stage.directory, tree);
	const first = await stage.start({edac: {corrected_threshold: 10}});
	await stateIs(stage, 'working');
	await plant(stage.directory, {[`${mc0}/dimm0/dimm_ce_count`]: 18});
	await eventually(() => stage.marks.get('host/edac')?.includes('"grown":6'));
	await first.stop();
	t.deepEqual(told(stage), []);
	await plant(stage.directory, {[`${mc0}/dimm0/dimm_ce_count`]: 22});
	await stage.start({edac: {corrected_threshold: 10}});
	await eventsCome(stage, 1);
	t.deepEqual(told(stage), ['memory/0/8 predicted_failure corrected_limit']);
});

test('counters that begin again after a boot are not taken for fewer errors', async t => {
	const stage = await hostStage(t);
	await plant(stage.directory, {...tree, [`${mc0}/dimm0/dimm_ue_count`]: 5});
	const first = await stage.start({edac: {}});
	await eventsCome(stage, 1);
	await eventually(() => stage.marks.has('host/edac'));
	await first.stop();
	await plant(stage.directory, {[`${mc0}/dimm0/dimm_ce_count`]: 0, 'proc/sys/kernel/random/boot_id': 'boot-2'});
	await stage.start({edac: {}});
	await eventsCome(stage, 2);
	t.deepEqual(told(stage), ['memory/0/8 failed uncorrected', 'memory/0/8 failed uncorrected']);
	t.not(stage.events[0]?.id, stage.events[1]?.id);
});

test('what could not be kept is told again with the same id', async t => {
	const stage = await hostStage(t);
	await plant(stage.directory, {...tree, [`${mc0}/dimm0/dimm_ue_count`]: 1});
	stage.refuses = true;
	await stage.start({edac: {}});
	await stateIs(stage, 'failing');
	t.is(stage.states.at(-1)?.reason, 'the disk is full');
	t.false(stage.marks.has('host/edac'));
	stage.refuses = false;
	await stateIs(stage, 'working');
	t.is(stage.events.length, 1);
});

test('without a driver, without access and without modules it says so, or reads the controller', async t => {
	const stage = await hostStage(t);
	await stage.start({edac: {}});
	await stateIs(stage, 'absent');
	t.regex(stage.states[0]?.reason ?? '', /shows no memory controller/);
	await plant(stage.directory, {[`${mc0}/ce_count`]: 'not a number'});
	await stateIs(stage, 'failing');
	t.regex(stage.states.at(-1)?.reason ?? '', /cannot be read/);
	await plant(stage.directory, {[`${mc0}/ce_count`]: 0, [`${mc0}/ue_count`]: 1});
	await eventsCome(stage, 1);
	t.deepEqual(told(stage), ['memory/mc0 failed uncorrected']);
});

test('however the counters go, every uncorrected error is told once and nothing is told of none', t => {
	const rule = {corrected_threshold: 10, window: 86_400_000, isNewBoot: false, boot: 'b'};
	const part = {type: 'memory', id: 'memory/1', name: 'DIMM 1'} as const;
	const values = fc.array(fc.record({growth: fc.nat(5), resets: fc.boolean()}), {maxLength: 30});
	fc.assert(
		fc.property(values, steps => {
			let known: Counted | undefined;
			let value = 0;
			let real = 0;
			let said = 0;
			for (const [index, {growth, resets}] of steps.entries()) {
				// A counter that began again and has already passed its old value cannot be told from one that went on.
				value = resets && growth < value ? growth : value + growth;
				real += growth;
				const looked = count({part, place: undefined, corrected: 0, uncorrected: value}, known, {...rule, now: index});
				known = looked.counted;
				said += looked.findings.reduce((sum, {attributes}) => sum + Number(attributes?.['callhome.host.edac.uncorrected']), 0);
			}
			return said === real;
		}),
		{numRuns: 200},
	);
	t.pass();
});
