import {pointEvents} from './events.ts';
import {eachRecord} from './protobuf.ts';
import {joined, readAttributes, readInt32} from './protobuf-values.ts';
import type {Reader} from './reader.ts';
import {lazily, limits, type Point, type Resource} from './record.ts';
import {compileMetricRules, type PointRule, type SelectedMetric} from './rules.ts';
import type {Selection} from './selection.ts';
import {createTally, type Tally} from './tally.ts';
import {
	type Cursor,
	cursorOf,
	eachField,
	malformed,
	readBytes,
	readDouble,
	readFixed64,
	readSignedFixed64,
	readTag,
	skip,
	textOfBytes,
} from './wire.ts';

const gaugeTag = 0x2a;
const sumTag = 0x3a;
/** Gauge, sum, histogram, exponential histogram, summary: each has its data points in field 1. */
const aggregateTags: ReadonlySet<number> = new Set([gaugeTag, sumTag, 0x4a, 0x52, 0x5a]);
const pointsTag = 0x0a;

type MetricParts = {readonly name: Uint8Array; readonly tag: number; readonly bytes: Uint8Array};

const nameless = new Uint8Array();

/** The data are a oneof: the last one set counts, and continues the one before if it is of the same kind. */
function metricParts(bytes: Uint8Array): MetricParts {
	let name: Uint8Array = nameless;
	let aggregate: {readonly tag: number; readonly parts: Uint8Array[]} = {tag: 0, parts: []};
	for (const cursor = cursorOf(bytes); cursor.position < cursor.end; ) {
		const tag = readTag(cursor);
		if (tag === 0x0a) name = readBytes(cursor);
		else if (!aggregateTags.has(tag)) skip(cursor, tag);
		else {
			if (aggregate.tag !== tag) aggregate = {tag, parts: []};
			aggregate.parts.push(readBytes(cursor));
		}
	}
	return {name, tag: aggregate.tag, bytes: joined(aggregate.parts)};
}

const aggregationTemporalityTag = 0x10;
const deltaTemporality = 1;

function isDelta(sum: Uint8Array): boolean {
	let temporality = 0;
	for (const cursor = cursorOf(sum); cursor.position < cursor.end; ) {
		const tag = readTag(cursor);
		if (tag === aggregationTemporalityTag) temporality = readInt32(cursor);
		else skip(cursor, tag);
	}
	return temporality === deltaTemporality;
}

const noRecordedValue = 1;
const pointAttributeTag = 0x3a;

type PointFields = {timeUnixNano: bigint; value: number | undefined; flags: number};

function readPointField(cursor: Cursor, tag: number, fields: PointFields): void {
	if (tag === 0x19) fields.timeUnixNano = readFixed64(cursor);
	else if (tag === 0x21) fields.value = readDouble(cursor);
	else if (tag === 0x31) fields.value = Number(readSignedFixed64(cursor));
	else if (tag === 0x40) fields.flags = readInt32(cursor);
	else skip(cursor, tag);
}

function readPoint(bytes: Uint8Array): Point {
	if (bytes.length > limits.recordBytes) throw malformed(`record larger than ${limits.recordBytes / 1024} KiB`);
	const fields: PointFields = {timeUnixNano: 0n, value: undefined, flags: 0};
	for (const cursor = cursorOf(bytes); cursor.position < cursor.end; ) readPointField(cursor, readTag(cursor), fields);
	const {timeUnixNano, value, flags} = fields;
	return {timeUnixNano, value: flags & noRecordedValue ? undefined : value, attributes: readAttributes(bytes, pointAttributeTag)};
}

/** Undefined for a metric that no rule names, which is nearly every one. */
function selectedOf(rules: readonly PointRule[], {name, tag, bytes}: MetricParts): SelectedMetric | undefined {
	if (tag !== gaugeTag && tag !== sumTag) return undefined;
	const wanting = rules.filter(rule => rule.name.matchesBytes(name, 0, name.length));
	if (wanting.length === 0) return undefined;
	return {name: textOfBytes(name), delta: tag === sumTag && isDelta(bytes), rules: wanting};
}

export function createProtobufMetricsReader(selection: Selection): Reader {
	const rules = compileMetricRules(selection);

	function readMetric(parts: MetricParts, resource: () => Resource, receivedAt: number, tally: Tally): void {
		const {bytes} = parts;
		const selected = lazily(() => selectedOf(rules, parts));
		eachField(bytes, 0, bytes.length, pointsTag, (start, end) =>
			tally.record(() => {
				const metric = selected();
				return metric && pointEvents(readPoint(bytes.subarray(start, end)), metric, resource, receivedAt);
			}),
		);
	}

	return function readMetrics(body, receivedAt) {
		const tally = createTally();
		eachRecord(body, (start, end, resource) => readMetric(metricParts(body.subarray(start, end)), resource, receivedAt, tally));
		return tally.reading();
	};
}
