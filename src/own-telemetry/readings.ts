import type {Attributes, HrTime} from '@opentelemetry/api';
import {millisToHrTime} from '@opentelemetry/core';
import {resourceFromAttributes} from '@opentelemetry/resources';
import type {DataPoint, MetricData, ResourceMetrics, ScopeMetrics} from '@opentelemetry/sdk-metrics';
import type {Attributes as EventAttributes} from '../event.ts';
import {hardwareMetrics} from '../hardware-metrics.ts';
import type {Measure, Reading} from '../source.ts';
import {scopeName} from '../telemetry.ts';
import {metricOf, pointOf} from './points.ts';

/** What tells one machine from another, on the page of metrics as in OTLP. */
const identityKeys = [
	'host.name',
	'host.id',
	'callhome.system.type',
	'callhome.system.model',
	'callhome.system.serial_number',
] as const;

type Plain = {readonly [key: string]: string | number | boolean};
/** The identity is on each value, too: in Prometheus the attributes of a resource are no labels, and machines would be one. */
type Value = {readonly metric: string; readonly value: number; readonly attributes: Plain};
type Read = {
	readonly resource: Plain;
	readonly identity: Plain;
	readonly values: readonly Value[];
	readonly at: number;
	readonly lastsMillis: number;
};

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
	/** For the page. */
	onPoints(): readonly ScopeMetrics[];
	/** How many machines are read. */
	machines(): number;
	/** For OTLP: the identity of each machine is on a resource, too, together with who reads it. */
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

	const isOld = ({at, lastsMillis}: Read) => at < now() - lastsMillis;

	/** What was read before the clock was set back begins its time anew: it must not stay until the clock is there again. */
	function current(): readonly Read[] {
		for (const [key, read] of bySource) {
			if (isOld(read)) bySource.delete(key);
			else if (read.at > now()) bySource.set(key, {...read, at: now()});
		}
		return [...bySource.values()];
	}

	/** Room is made also when nobody looks at the page. */
	const hasRoom = () => bySource.size < mostMachines || current().length < mostMachines;

	return {
		measure(source, resource, readings, at, everyMillis = 0) {
			const plain = plainAttributes(resource);
			const identity = identityOf(plain);
			const key = JSON.stringify([source, identity]);
			bySource.delete(key);
			if (readings.length === 0 || !hasRoom()) return;
			const values = readings.slice(0, mostReadings).map(reading => kept(reading, identity));
			const lastsMillis = Math.max(lifetimeMillis, turnsUntilGone * everyMillis);
			// A clock that is ahead must not keep a reading for ever.
			bySource.set(key, {resource: plain, identity, values, at: Math.min(at, now()), lastsMillis});
		},
		onPoints() {
			return [scopeOf(current(), startedAt)];
		},
		machines: () => new Set(current().map(({identity}) => JSON.stringify(identity))).size,
		byMachine(reader) {
			const byIdentity = Map.groupBy(current(), ({identity}) => JSON.stringify(identity));
			return [...byIdentity.values()].map(reads => ({
				resource: resourceFromAttributes({...reader, ...Object.assign({}, ...reads.map(({resource}) => resource))}),
				scopeMetrics: [scopeOf(reads, startedAt)],
			}));
		},
	};
}

const kept = ({metric, value, attributes}: Reading, identity: Plain): Value => ({
	metric,
	value,
	attributes: {...plainAttributes(attributes), ...identity},
});

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

function scopeOf(reads: readonly Read[], startedAt: HrTime): ScopeMetrics {
	const byMetric = new Map<string, DataPoint<number>[]>();
	for (const {values, at} of reads) {
		const endTime = millisToHrTime(at);
		for (const {metric, value, attributes} of values) {
			if (!Number.isFinite(value)) continue;
			const point = pointOf(value, attributes, startedAt, endTime);
			const points = byMetric.get(metric);
			if (points) points.push(point);
			else byMetric.set(metric, [point]);
		}
	}
	const metrics = [...byMetric].flatMap(([name, points]): MetricData[] => {
		const definition = hardwareMetrics.get(name);
		return definition ? [metricOf(definition, points)] : [];
	});
	return {scope: {name: scopeName}, metrics};
}
