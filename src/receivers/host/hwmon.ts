import {join} from 'node:path';
import type {Marks} from '../../source.ts';
import type {Finding} from './alert.ts';
import type {HostReceiverConfig, Roots} from './config.ts';
import {readChip, readingsOfSensor, type Sensor, stateOfSensor} from './hwmon-chip.ts';
import {changesOf, levelsSchema} from './levels.ts';
import {readMark, writeMark} from './marks.ts';
import type {HostSource, Look} from './runner.ts';
import {list, readText} from './tree.ts';

const key = 'host/hwmon';

/** Temperatures, fans, voltages and power that the kernel's drivers read, with the alarms of their chips. */
export function hwmonSource(config: HostReceiverConfig['hwmon'], roots: Roots, marks: Marks): HostSource {
	const top = join(roots.sys, 'class/hwmon');
	const ignored = config.ignore.map(toExpression);
	/** What each sensor said in the look before: an alarm counts when it is still there. */
	let before = new Map<string, string>();

	async function look(): Promise<Look> {
		const chips = ((await list(top)) ?? []).filter(name => /^hwmon\d+$/.test(name));
		if (chips.length === 0) return {status: 'absent', reason: `${top} shows no chip: no driver for sensors is loaded`};
		const sensors = (await readChips(top, chips)).filter(({path}) => !ignored.some(expression => expression.test(path)));
		const states = sensors.map(sensor => ({sensor, ...stateOfSensor(sensor)}));
		const now = new Map(states.map(({sensor, state, errorType}) => [sensor.part.id, `${state} ${errorType}`]));
		const confirmed = states
			.filter(({sensor, state, errorType}) => state === 'ok' || before.get(sensor.part.id) === `${state} ${errorType}`)
			.map(toFinding);
		before = now;
		const {findings, levels} = changesOf((await readMark(marks, key, levelsSchema)) ?? {}, confirmed);
		return {
			status: 'read',
			findings,
			readings: sensors.flatMap(readingsOfSensor),
			...(findings.length > 0 && {settle: () => writeMark(marks, key, levels)}),
		};
	}
	return {name: 'hwmon', intervalMillis: config.interval, look};
}

/** Numbers of chips change from boot to boot: they are told apart by their names, and in the order of their devices. */
async function readChips(top: string, chips: readonly string[]): Promise<readonly Sensor[]> {
	const named = await Promise.all(
		chips.map(async chip => ({directory: join(top, chip), name: (await readText(top, chip, 'name')) || chip})),
	);
	const counts = new Map<string, number>();
	const numbered = named.map(({directory, name}) => {
		const number = counts.get(name) ?? 0;
		counts.set(name, number + 1);
		return readChip(directory, name, number);
	});
	return (await Promise.all(numbered)).flat();
}

const toFinding = ({sensor, state, errorType, why}: {sensor: Sensor} & ReturnType<typeof stateOfSensor>): Finding => ({
	part: sensor.part,
	state,
	errorType,
	message: why,
	identity: [],
	attributes: {'hw.sensor_location': sensor.part.name, ...numbersOf(sensor)},
});

const numbersOf = ({values}: Sensor) =>
	Object.fromEntries(Object.entries(values).map(([field, value]) => [`callhome.host.hwmon.${field}`, value]));

const toExpression = (pattern: string): RegExp =>
	new RegExp(`^${pattern.replaceAll(/[^a-z0-9*]/gi, '\\$&').replaceAll(/\*+/g, '.*')}$`, 'i');
