import {join} from 'node:path';
import type {Attributes} from '../../event.ts';
import type {HardwareType} from '../../hardware.ts';
import type {Reading} from '../../source.ts';
import {clean, type Finding, type NamedPart, reading, slugOf, statusReadings} from './alert.ts';
import {list, readText, toNumber} from './tree.ts';

/** One sensor of a chip: its attributes by name, such as `input`, `crit_alarm`. */
export type Sensor = {
	readonly part: NamedPart;
	/** `temp`, `fan`, `in`, `power`. */
	readonly kind: Kind;
	/** `chip/label`, for `ignore`. */
	readonly path: string;
	readonly values: Readonly<Record<string, number>>;
};

/** The kernel's sysfs interface for sensors: millidegrees, revolutions per minute, millivolts, microwatts. */
const kinds = {
	temp: {type: 'temperature', metric: 'hw.temperature', scale: 1000, unit: '°C'},
	fan: {type: 'fan', metric: 'hw.fan.speed', scale: 1, unit: 'rpm'},
	in: {type: 'voltage', metric: 'hw.voltage', scale: 1000, unit: 'V'},
	power: {type: 'power_supply', metric: 'hw.power', scale: 1_000_000, unit: 'W'},
} as const satisfies Record<string, {type: HardwareType; metric: string; scale: number; unit: string}>;
type Kind = keyof typeof kinds;

const attribute =
	/^(temp|fan|in|power)(\d{1,4})_(input|average|min|max|crit|lcrit|emergency|alarm|min_alarm|max_alarm|crit_alarm|lcrit_alarm|emergency_alarm|fault)$/;
const mostSensors = 512;

/** `number` counts the chips of one name: two processors have two chips that are named alike. */
export async function readChip(directory: string, name: string, number: number): Promise<readonly Sensor[]> {
	const files = (await list(directory)) ?? [];
	const bySensor = Map.groupBy(
		files.flatMap(file => {
			const match = attribute.exec(file);
			return match ? [{file, kind: match[1] as Kind, sensor: `${match[1]}${match[2]}`, field: match[3] ?? ''}] : [];
		}),
		({sensor}) => sensor,
	);
	const sensors = [...bySensor].slice(0, mostSensors).map(async ([sensor, fields]): Promise<Sensor> => {
		const label = clean((await readText(directory, `${sensor}_label`)) ?? '', 80) || sensor;
		const kind = fields[0]?.kind ?? 'temp';
		const read = await Promise.all(
			fields.map(async ({file, field}) => [field, toNumber(await readText(join(directory, file)))] as const),
		);
		const chip = number === 0 ? name : `${name}-${number}`;
		const {type} = kinds[kind];
		return {
			part: {type, id: `${type}/${slugOf(`${chip} ${label}`)}`, name: `${chip} ${label}`},
			kind,
			path: `${chip}/${label}`,
			values: Object.fromEntries(read.filter((pair): pair is [string, number] => pair[1] !== undefined)),
		};
	});
	return Promise.all(sensors);
}

/** What an alarm or a fault of a sensor means. Alarms of a chip hold until they are read, so one alone proves little. */
export function stateOfSensor({kind, part, values}: Sensor): Pick<Finding, 'state' | 'errorType'> & {readonly why: string} {
	const isSet = (...fields: readonly string[]) => fields.some(field => (values[field] ?? 0) > 0);
	if (isSet('fault'))
		return kind === 'fan'
			? {state: 'failed', why: `${part.name} is faulty`}
			: {state: 'degraded', errorType: 'unreadable', why: `${part.name}: its sensor is faulty`};
	const {input, crit, lcrit} = values;
	// A limit of 0 is one that nobody has set.
	const isBeyond =
		input !== undefined &&
		((crit !== undefined && crit > 0 && input >= crit) || (lcrit !== undefined && lcrit > 0 && input <= lcrit));
	if (isSet('crit_alarm', 'lcrit_alarm', 'emergency_alarm') || (kind === 'temp' && isBeyond))
		return {state: 'failed', errorType: 'threshold', why: `${part.name} is beyond a critical limit${told(kind, values)}`};
	if (isSet('alarm', 'min_alarm', 'max_alarm'))
		return {state: 'degraded', errorType: 'threshold', why: `${part.name} is beyond a limit${told(kind, values)}`};
	return {state: 'ok', why: `${part.name} is within its limits again${told(kind, values)}`};
}

const told = (kind: Kind, {input, average}: Sensor['values']): string => {
	const value = input ?? average;
	return value === undefined ? '' : `: ${value / kinds[kind].scale} ${kinds[kind].unit}`;
};

const limits = {min: 'low.degraded', max: 'high.degraded', crit: 'high.critical', lcrit: 'low.critical'} as const;

export function readingsOfSensor(sensor: Sensor): readonly Reading[] {
	const {kind, part, values} = sensor;
	const {metric, scale, type} = kinds[kind];
	const value = values.input ?? values.average;
	const scaled = (raw: number | undefined) => (raw === undefined ? undefined : raw / scale);
	const ofLimits = Object.entries(limits).flatMap(([field, limit]) =>
		kind === 'power' || values[field] === 0
			? []
			: reading(`${metric}.limit`, scaled(values[field]), part, {'hw.limit_type': limit, 'hw.sensor_location': part.name}),
	);
	const more: Attributes = kind === 'power' ? {} : {'hw.sensor_location': part.name};
	return [
		...(values.fault ? [] : reading(metric, scaled(value), part, more)),
		...ofLimits,
		...(type === 'fan' ? statusReadings(part, stateOfSensor(sensor).state ?? 'ok') : []),
	];
}
