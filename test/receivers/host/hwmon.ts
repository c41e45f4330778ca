import {rm} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import {readingsOfSensor, stateOfSensor} from '../../../src/receivers/host/hwmon-chip.ts';
import {eventsCome, hostStage, plant, readingOf, stateIs, told} from '../../helpers/host.ts';
import {eventually} from '../../helpers/listen.ts';

const chip = 'sys/class/hwmon/hwmon0';
const tree = {
	[`${chip}/name`]: 'nct6775',
	[`${chip}/temp1_input`]: 41_500,
	[`${chip}/temp1_label`]: 'SYSTIN',
	[`${chip}/temp1_max`]: 80_000,
	[`${chip}/temp1_max_alarm`]: 0,
	[`${chip}/temp1_crit`]: 100_000,
	[`${chip}/fan2_input`]: 1200,
	[`${chip}/fan2_min`]: 300,
	[`${chip}/fan2_alarm`]: 0,
	[`${chip}/in0_input`]: 12_096,
	[`${chip}/in0_alarm`]: 0,
	[`${chip}/power1_average`]: 95_000_000,
	'sys/class/hwmon/hwmon1/name': 'coretemp',
	'sys/class/hwmon/hwmon1/temp1_input': 50_000,
	'sys/class/hwmon/hwmon1/temp1_label': 'Package id 0',
	'sys/class/hwmon/hwmon2/name': 'coretemp',
	'sys/class/hwmon/hwmon2/temp1_input': 52_000,
	'sys/class/hwmon/hwmon2/temp1_label': 'Package id 0',
};

test('sensors are readings with their limits, and two chips of one name are two', async t => {
	const stage = await hostStage(t);
	await plant(stage.directory, tree);
	await stage.start({hwmon: {}});
	await stateIs(stage, 'working');
	const read = (metric: string, attributes: object) => readingOf(stage, 'hwmon', metric, attributes);
	t.is(read('hw.temperature', {'hw.id': 'temperature/nct6775-systin'}), 41.5);
	t.is(read('hw.temperature.limit', {'hw.id': 'temperature/nct6775-systin', 'hw.limit_type': 'high.critical'}), 100);
	t.is(read('hw.fan.speed', {'hw.id': 'fan/nct6775-fan2'}), 1200);
	t.is(read('hw.voltage', {'hw.id': 'voltage/nct6775-in0'}), 12.096);
	t.is(read('hw.power', {'hw.id': 'power_supply/nct6775-power1'}), 95);
	t.is(read('hw.temperature', {'hw.id': 'temperature/coretemp-package-id-0'}), 50);
	t.is(read('hw.temperature', {'hw.id': 'temperature/coretemp-1-package-id-0'}), 52);
	t.is(stage.events.length, 0);
});

test('an alarm that lasts is told, and its end, also across a restart; one that is gone at the next look is not', async t => {
	const stage = await hostStage(t);
	await plant(stage.directory, tree);
	const first = await stage.start({hwmon: {}});
	await stateIs(stage, 'working');
	await plant(stage.directory, {[`${chip}/fan2_alarm`]: 1, [`${chip}/fan2_input`]: 0});
	await eventsCome(stage, 1);
	await plant(stage.directory, {[`${chip}/temp1_input`]: 101_000});
	await eventsCome(stage, 2);
	await eventually(() => stage.marks.get('host/hwmon')?.includes('temperature'));
	await first.stop();
	await plant(stage.directory, tree);
	await stage.start({hwmon: {}});
	await eventsCome(stage, 4);
	t.true(stage.events.every(({isStanding}) => isStanding));
	t.deepEqual(told(stage).slice(0, 2), ['fan/nct6775-fan2 degraded threshold', 'temperature/nct6775-systin failed threshold']);
	t.deepEqual(told(stage).slice(2).toSorted(), ['fan/nct6775-fan2 ok', 'temperature/nct6775-systin ok']);
	t.is(stage.events[1]?.message, 'nct6775 SYSTIN is beyond a critical limit: 101 °C');
});

test('a sensor that is connected to nothing can be ignored, and a faulty fan has failed', async t => {
	const stage = await hostStage(t);
	await plant(stage.directory, {...tree, [`${chip}/in0_alarm`]: 1, [`${chip}/fan3_fault`]: 1, [`${chip}/temp1_fault`]: 1});
	await stage.start({hwmon: {ignore: ['nct6775/in*']}});
	await eventsCome(stage, 2);
	t.deepEqual(told(stage).toSorted(), ['fan/nct6775-fan3 failed', 'temperature/nct6775-systin degraded unreadable']);
	t.is(readingOf(stage, 'hwmon', 'hw.voltage', {}), undefined);
});

test('no chips are said, and chips that come and go are taken as they come', async t => {
	const stage = await hostStage(t);
	await stage.start({hwmon: {}});
	await stateIs(stage, 'absent');
	await plant(stage.directory, {...tree, [`${chip}/temp1_input`]: 'garbage', [`${chip}/fan2_input`]: ''});
	await stateIs(stage, 'working');
	t.is(readingOf(stage, 'hwmon', 'hw.fan.speed', {}), undefined);
	await rm(join(stage.directory, 'sys/class/hwmon'), {recursive: true});
	await stateIs(stage, 'absent');
	t.is(stage.events.length, 0);
});

test('whatever the attributes of a sensor hold, it has one state and finite readings', t => {
	const fields = ['input', 'average', 'min', 'max', 'crit', 'lcrit', 'alarm', 'max_alarm', 'crit_alarm', 'fault'];
	const values = fc.record(Object.fromEntries(fields.map(field => [field, fc.integer()])), {requiredKeys: []});
	const kind = fc.constantFrom('temp' as const, 'fan' as const, 'in' as const, 'power' as const);
	fc.assert(
		fc.property(kind, values, (which, read) => {
			const part = {type: 'fan', id: 'fan/1', name: 'fan 1'} as const;
			const sensor = {part, kind: which, path: 'chip/fan', values: read as Record<string, number>};
			return stateOfSensor(sensor).state !== undefined && readingsOfSensor(sensor).every(({value}) => Number.isFinite(value));
		}),
		{numRuns: 200},
	);
	t.pass();
});
