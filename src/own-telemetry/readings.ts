import {type Attributes, type HrTime, ValueType} from '@opentelemetry/api';
import {millisToHrTime} from '@opentelemetry/core';
import {resourceFromAttributes} from '@opentelemetry/resources';
import {
	AggregationTemporality,
	type DataPoint,
	DataPointType,
	type MetricData,
	type ResourceMetrics,
	type ScopeMetrics,
} from '@opentelemetry/sdk-metrics';
import type {Attributes as EventAttributes} from '../event.ts';
import {hardwareMetrics} from '../hardware-metrics.ts';
import type {Measure, Reading} from '../source.ts';
import {type MetricDefinition, scopeName} from '../telemetry.ts';

/** What tells one machine from another, on the page of metrics as in OTLP. */
const identityKeys = [
	'host.name',
	'host.id',
	'callhome.system.type',
	'callhome.system.model',
	'callhome.system.serial_number',
] as const;

type Plain = {readonly [key: string]: string | number | boolean};
type Read = {readonly resource: Plain; readonly readings: readonly Reading[]; readonly at: number; readonly lastsMillis: number};

/** A turn that fails, or comes late, does not take what was read from view. */
const turnsUntilGone = 3;

export type ReadingsOptions = {
	/** Milliseconds after which a reading that no newer one has replaced is no longer shown; longer for what is read seldom. */
	readonly lifetimeMillis?: number;
	/** Of one source of one machine: a machine that names a million parts names none. */
	readonly mostReadings?: number;
	readonly mostMachines?: number;
	readonly now?: () => number;
};

/** The latest readings of all machines: for the page of metrics, and for OTLP. */
export type Readings = {
	readonly measure: Measure;
	/** For the page: the identity of the machine is on each point. */
	onPoints(): readonly ScopeMetrics[];
	/** For OTLP: the identity of the machine is on the resource, together with who reads it. */
	byMachine(reader: Attributes): readonly ResourceMetrics[];
};

export function createReadings({
	lifetimeMillis = 15 * 60_000,
	mostReadings = 2000,
	mostMachines = 20_000,
	now = Date.now,
}: ReadingsOptions = {}): Readings {
	const bySource = new Map<string, Read>();
	const startedAt = millisToHrTime(now());

	function current(): readonly Read[] {
		for (const [key, {at, lastsMillis}] of bySource) if (at < now() - lastsMillis) bySource.delete(key);
		return [...bySource.values()];
	}

	return {
		measure(source, resource, readings, at, everyMillis = 0) {
			const plain = plainAttributes(resource);
			const key = JSON.stringify([source, identityOf(plain)]);
			bySource.delete(key);
			if (readings.length === 0 || bySource.size >= mostMachines) return;
			const lastsMillis = Math.max(lifetimeMillis, turnsUntilGone * everyMillis);
			// A clock that is ahead must not keep a reading for ever.
			bySource.set(key, {resource: plain, readings: readings.slice(0, mostReadings), at: Math.min(at, now()), lastsMillis});
		},
		onPoints() {
			const pointsOf = ({resource, readings, at}: Read) =>
				readings.map(reading => ({...reading, attributes: {...reading.attributes, ...identityOf(resource)}, at}));
			return [scopeOf(current().flatMap(pointsOf), startedAt)];
		},
		byMachine(reader) {
			const byIdentity = Map.groupBy(current(), ({resource}) => JSON.stringify(identityOf(resource)));
			return [...byIdentity.values()].map(reads => ({
				resource: resourceFromAttributes({...reader, ...Object.assign({}, ...reads.map(({resource}) => resource))}),
				scopeMetrics: [
					scopeOf(
						reads.flatMap(({readings, at}) => readings.map(reading => ({...reading, at}))),
						startedAt,
					),
				],
			}));
		},
	};
}

const identityOf = (resource: Plain): Plain =>
	Object.fromEntries(Object.entries(resource).filter(([key]) => (identityKeys as readonly string[]).includes(key)));

/** Only what a metric's attributes can be. */
export const plainAttributes = (attributes: EventAttributes): Plain =>
	Object.fromEntries(
		Object.entries(attributes).flatMap(([key, value]): [string, Plain[string]][] => {
			if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return [[key, value]];
			return typeof value === 'bigint' ? [[key, String(value)]] : [];
		}),
	);

type Timed = Reading & {readonly at: number};

function scopeOf(readings: readonly Timed[], startedAt: HrTime): ScopeMetrics {
	const byMetric = Map.groupBy(readings, ({metric}) => metric);
	const metrics = [...byMetric].flatMap(([name, points]): MetricData[] => {
		const definition = hardwareMetrics.get(name);
		return definition ? [metricOf(definition, points, startedAt)] : [];
	});
	return {scope: {name: scopeName}, metrics};
}

function metricOf(
	{name, unit, description, instrument}: MetricDefinition,
	readings: readonly Timed[],
	startedAt: HrTime,
): MetricData {
	const common = {
		descriptor: {name, unit, description, valueType: ValueType.DOUBLE},
		aggregationTemporality: AggregationTemporality.CUMULATIVE,
		dataPoints: readings.filter(({value}) => Number.isFinite(value)).map(reading => pointOf(reading, startedAt)),
	};
	if (instrument === 'gauge') return {...common, dataPointType: DataPointType.GAUGE};
	return {...common, dataPointType: DataPointType.SUM, isMonotonic: instrument === 'counter'};
}

const pointOf = ({attributes, value, at}: Timed, startTime: HrTime): DataPoint<number> => ({
	startTime,
	endTime: millisToHrTime(at),
	attributes: plainAttributes(attributes),
	value,
});
