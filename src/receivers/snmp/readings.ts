import type {HardwareType} from '../../hardware.ts';
import type {Reading} from '../../source.ts';
import {fanTable, partTables, sensorColumns, sensorTables} from './imm-mib.ts';
import {partOfRow} from './part.ts';
import {textOfValue} from './trap.ts';
import type {Table, Value} from './walk.ts';

export type PartState = 'ok' | 'degraded' | 'failed' | 'predicted_failure';

/** A part as it stands. Without a state the module does not tell it. */
export type PartRead = {
	readonly id: string;
	readonly type: HardwareType;
	readonly name: string;
	readonly state: PartState | undefined;
	readonly attributes: Readonly<Record<string, string>>;
	readonly readings: readonly Reading[];
};

const states = ['ok', 'degraded', 'failed', 'predicted_failure', 'needs_cleaning'] as const;

/** By a module's words: `Normal` is well, what says nothing is not taken for anything, and everything else is a deviation. */
export function stateOfHealth(words: string): PartState | undefined {
	const text = words.trim().toLowerCase();
	if (text === '' || /^(n\/?a|not (available|present|installed|readable|applicable)|unknown|absent|offline|none|-+)$/.test(text))
		return undefined;
	if (/^(normal|ok|good)$/.test(text)) return 'ok';
	if (/predict|pfa/.test(text)) return 'predicted_failure';
	return /non-?critical|warning|degraded/.test(text)
		? 'degraded'
		: /critical|fail|fault|non-?recoverable|dead/.test(text)
			? 'failed'
			: 'degraded';
}

/** A number, also as older modules write it: `28.00 Centigrade`, ` 55% of maximum`, `3.3 Volts`. Not `Offline` or `Not Readable`. */
export function numberOf(value: Value | undefined): {readonly value: number; readonly unit: string} | undefined {
	if (typeof value === 'number') return {value, unit: ''};
	const [, digits, unit = ''] = /^(-?\d{1,9}(?:\.\d{1,9})?)\s*(centigrade|volts?|rpm|%.*)?$/i.exec(textOfValue(value)) ?? [];
	return digits === undefined ? undefined : {value: Number(digits), unit: unit.toLowerCase()};
}

type Row = ReadonlyMap<number, Value>;
type Kind = keyof typeof sensorTables;

/** Which end of which column is which limit of the semantic conventions. */
const limits = [
	['criticalHigh', 'high.critical'],
	['nonCriticalHigh', 'high.degraded'],
	['criticalLow', 'low.critical'],
	['nonCriticalLow', 'low.degraded'],
] as const;

/** Voltages are whole millivolts; a module of old writes volts. */
const scaled = (kind: Kind, {value, unit}: {value: number; unit: string}): number =>
	kind === 'voltage' && unit === '' ? value / 1000 : value;

/** Under a limit by this much a temperature that was beyond it is well again, so that it does not flicker. */
const hysteresis = {temperature: 3, voltage: 0} as const;

type Slack = {readonly critical: number; readonly nonCritical: number};

const slackOf = (kind: Kind, before: PartState | undefined): Slack => ({
	critical: before === 'failed' ? hysteresis[kind] : 0,
	nonCritical: before === 'failed' || before === 'degraded' ? hysteresis[kind] : 0,
});

function sensorRead(kind: Kind, index: string, row: Row, before: (id: string) => PartState | undefined): PartRead | undefined {
	const cell = (column: Column) => {
		const read = numberOf(row.get(sensorColumns[column]));
		return read && scaled(kind, read);
	};
	const part = partOfRow(kind, textOfValue(row.get(sensorColumns.name)), index);
	const value = cell('reading');
	const bounds = limits.flatMap(([column, type]) => {
		const limit = cell(column);
		return limit ? [{limit, type}] : []; // A limit of 0 is none.
	});
	const health = textOfValue(row.get(sensorColumns.health));
	if (value === 0 && bounds.length === 0 && !stateOfHealth(health)) return undefined; // A place without a sensor.
	const state =
		stateOfHealth(health) ?? (value === undefined ? undefined : stateByLimits(value, cell, slackOf(kind, before(part.id))));
	const attributes = {'hw.id': part.id, 'hw.name': part.name, 'hw.sensor_location': part.name};
	const nominal = cell('nominal');
	const readings: Reading[] = [
		...(value === undefined ? [] : [{metric: `hw.${kind}`, value, attributes}]),
		...bounds.map(({limit, type}) => ({
			metric: `hw.${kind}.limit`,
			value: limit,
			attributes: {...attributes, 'hw.limit_type': type},
		})),
		...(kind === 'voltage' && nominal ? [{metric: 'hw.voltage.nominal', value: nominal, attributes}] : []),
		...(kind === 'temperature' && value !== undefined && /ambient/i.test(part.name)
			? [{metric: 'hw.host.ambient_temperature', value, attributes: {'hw.id': part.id, 'hw.name': part.name}}]
			: []),
	];
	return {id: part.id, type: kind, name: part.name, state, attributes: {'hw.sensor_location': part.name}, readings};
}

type Column = keyof typeof sensorColumns;
type Cell = (column: Column) => number | undefined;

/** As the module itself would judge, for those that do not say so. */
function stateByLimits(value: number, cell: Cell, {critical, nonCritical}: Slack): PartState | undefined {
	const isAbove = (column: Column, slack: number) => value >= (cell(column) || Number.POSITIVE_INFINITY) - slack;
	const isBelow = (column: Column, slack: number) => value <= (cell(column) || Number.NEGATIVE_INFINITY) + slack;
	if (isAbove('criticalHigh', critical) || isAbove('nonRecoverableHigh', critical)) return 'failed';
	if (isBelow('criticalLow', critical) || isBelow('nonRecoverableLow', critical)) return 'failed';
	if (isAbove('nonCriticalHigh', nonCritical) || isBelow('nonCriticalLow', nonCritical)) return 'degraded';
	return limits.some(([column]) => cell(column)) ? 'ok' : undefined;
}

function fanRead(index: string, row: Row): PartRead {
	const part = partOfRow('fan', textOfValue(row.get(fanTable.name)), index);
	const speed = numberOf(row.get(fanTable.speed));
	const attributes = {'hw.id': part.id, 'hw.name': part.name, 'hw.sensor_location': part.name};
	const isRatio = speed?.unit.startsWith('%') ?? false;
	const readings = speed
		? [{metric: isRatio ? 'hw.fan.speed_ratio' : 'hw.fan.speed', value: isRatio ? speed.value / 100 : speed.value, attributes}]
		: [];
	const state = stateOfHealth(textOfValue(row.get(fanTable.health)));
	return {id: part.id, type: 'fan', name: part.name, state, attributes: {'hw.sensor_location': part.name}, readings};
}

/** All parts of a machine, out of the tables of its module. `before` is how each part stood when it was read last. */
export function partsIn(
	table: (entry: string) => Table,
	before: (id: string) => PartState | undefined = () => undefined,
): PartRead[] {
	const sensors = (['temperature', 'voltage'] as const).flatMap(kind =>
		[...table(sensorTables[kind])].flatMap(([index, row]) => sensorRead(kind, index, row, before) ?? []),
	);
	const fans = [...table(fanTable.entry)].map(([index, row]) => fanRead(index, row));
	const others = partTables.flatMap(({entry, type, name, health, attributes = {}}) =>
		[...table(entry)].map(([index, row]): PartRead => {
			const part = partOfRow(type, textOfValue(row.get(name)), index);
			const described = Object.entries(attributes).map(([attribute, column]) => [attribute, textOfValue(row.get(column))]);
			return {
				id: part.id,
				type,
				name: part.name,
				state: stateOfHealth(textOfValue(row.get(health))),
				attributes: Object.fromEntries(described.filter(([, text]) => text !== '')),
				readings: [],
			};
		}),
	);
	return distinct([...sensors, ...fans, ...others]);
}

/** Two parts with one name are two parts. */
function distinct(parts: readonly PartRead[]): PartRead[] {
	const seen = new Map<string, number>();
	return parts.map(part => {
		const times = (seen.get(part.id) ?? 0) + 1;
		seen.set(part.id, times);
		if (times === 1) return part;
		const id = `${part.id}#${times}`;
		return {
			...part,
			id,
			readings: part.readings.map(reading => ({...reading, attributes: {...reading.attributes, 'hw.id': id}})),
		};
	});
}

/** One series for each state that there is: 1 for the one that it is in, 0 for the others. */
export const statusReadings = ({id, type, name, state, attributes}: Omit<PartRead, 'readings'>): Reading[] =>
	state === undefined
		? []
		: states.map(word => ({
				metric: 'hw.status',
				value: word === state ? 1 : 0,
				attributes: {...attributes, 'hw.id': id, 'hw.type': type, 'hw.name': name, 'hw.state': word},
			}));
