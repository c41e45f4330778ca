import {pointEvents} from './events.ts';
import {checkSize, eachRecord} from './json-request.ts';
import {
	attributesIn,
	doubleIn,
	integer32In,
	integer64In,
	type JsonObject,
	listIn,
	member,
	objectIn,
	textIn,
} from './json-values.ts';
import type {Reader} from './reader.ts';
import {lazily, limits, type Point, type Resource} from './record.ts';
import {compileMetricRules, type PointRule, type SelectedMetric} from './rules.ts';
import type {Selection} from './selection.ts';
import {createTally, type Tally} from './tally.ts';
import {malformed} from './wire.ts';

/** The kinds of aggregate; only points of the first two are a number that a rule can look at. */
const aggregateNames = ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'];
const numberNames = new Set(['gauge', 'sum']);

const deltaTemporalities: ReadonlySet<unknown> = new Set([1, 'AGGREGATION_TEMPORALITY_DELTA']);

type Aggregate = {readonly kind: string; readonly object: JsonObject};

function aggregateOf(metric: JsonObject): Aggregate {
	const [kind, ...others] = aggregateNames.filter(name => member(metric, name) !== undefined);
	if (others.length > 0) throw malformed('JSON: a metric has more than one kind of data');
	return kind === undefined ? {kind: '', object: {}} : {kind, object: objectIn(member(metric, kind), kind)};
}

function selectedOf(rules: readonly PointRule[], metric: JsonObject, {kind, object}: Aggregate): SelectedMetric | undefined {
	if (!numberNames.has(kind)) return undefined;
	const name = textIn(metric, 'name');
	const wanting = rules.filter(rule => rule.name.matchesText(name));
	return wanting.length === 0
		? undefined
		: {name, delta: deltaTemporalities.has(member(object, 'aggregationTemporality')), rules: wanting};
}

const noRecordedValue = 1;

function numberOf(point: JsonObject): number | undefined {
	if (integer32In(point, 'flags') & noRecordedValue) return undefined;
	if (member(point, 'asInt') !== undefined) return Number(integer64In(point, 'asInt'));
	return member(point, 'asDouble') === undefined ? undefined : doubleIn(point, 'asDouble');
}

function readPoint(point: JsonObject): Point {
	checkSize(point, 'record', limits.recordBytes);
	return {
		timeUnixNano: integer64In(point, 'timeUnixNano'),
		value: numberOf(point),
		attributes: attributesIn(point, 'attributes'),
	};
}

export function createJsonMetricsReader(selection: Selection): Reader {
	const rules = compileMetricRules(selection);

	function readMetric(metric: JsonObject, resource: () => Resource, receivedAt: number, tally: Tally): void {
		const aggregate = aggregateOf(metric);
		const selected = lazily(() => selectedOf(rules, metric, aggregate));
		for (const point of listIn(aggregate.object, 'dataPoints')) {
			tally.record(() => {
				const object = objectIn(point, 'a data point');
				const wanted = selected();
				return wanted && pointEvents(readPoint(object), wanted, resource, receivedAt);
			});
		}
	}

	return function readMetrics(body, receivedAt) {
		const tally = createTally();
		eachRecord(body, ['resourceMetrics', 'scopeMetrics', 'metrics'], (metric, resource) =>
			readMetric(objectIn(metric, 'a metric'), resource, receivedAt, tally),
		);
		return tally.reading();
	};
}
