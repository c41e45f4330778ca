import {fromBinary} from '@bufbuild/protobuf';
import type {Attributes, AttributeValue, HardwareEvent} from '../../../src/event.ts';
import {toLogEvent} from '../../../src/receivers/otlp/events.ts';
import {resourceOf} from '../../../src/receivers/otlp/identity.ts';
import type {LogRule, MetricRule, Selection} from '../../../src/receivers/otlp/selection.ts';
import {logRulesOf, metricRulesOf} from '../../../src/receivers/otlp/selection.ts';
import type {AnyValue, KeyValue} from './common_pb.ts';
import {type LogRecord, LogsDataSchema} from './logs_pb.ts';
import {type Metric, MetricsDataSchema, type NumberDataPoint} from './metrics_pb.ts';

/** What the readers are compared with: everything is decoded by protobuf-es, then filtered in the most direct way. */
export type Expected<Event> = {readonly records: number; readonly malformed: number; readonly events: readonly Event[]};

export function plainValue(any: AnyValue | undefined): AttributeValue {
	const value = any?.value;
	if (!value) return null;
	switch (value.case) {
		case undefined:
			return null;
		case 'intValue':
			return Number.isSafeInteger(Number(value.value)) ? Number(value.value) : value.value;
		case 'bytesValue':
			return Buffer.from(value.value).toString('base64');
		case 'arrayValue':
			return value.value.values.map(plainValue);
		case 'kvlistValue':
			return plainAttributes(value.value.values);
		default:
			return value.value;
	}
}

export const plainAttributes = (list: readonly KeyValue[]): Attributes =>
	Object.fromEntries(list.map(({key, value}) => [key, plainValue(value)]));

const own = (attributes: Attributes, name: string) => (Object.hasOwn(attributes, name) ? attributes[name] : undefined);

function fits(texts: readonly string[], value: AttributeValue | undefined): boolean {
	if (value === undefined) return false;
	if (texts.includes('*')) return true;
	if (value === null || typeof value === 'object') return false;
	const literal = (part: string) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
	return texts.some(text => new RegExp(`^${text.split('*').map(literal).join('[^]*')}$`).test(String(value)));
}

const allFit = (conditions: Readonly<Record<string, readonly string[]>> | undefined, attributes: Attributes) =>
	Object.entries(conditions ?? {}).every(([name, texts]) => fits(texts, own(attributes, name)));

const firstText = (attributes: Attributes, ...names: readonly string[]) =>
	names
		.map(name => own(attributes, name))
		.find(value => value !== undefined && value !== null && value !== '' && typeof value !== 'object');

function wantsRecord(rule: LogRule, record: LogRecord, attributes: Attributes, resource: Attributes): boolean {
	const eventName = record.eventName || firstText(attributes, 'event.name', 'otel.event.name');
	return (
		(rule.event_name === undefined || fits(rule.event_name, eventName)) &&
		(rule.min_severity === undefined || record.severityNumber >= rule.min_severity) &&
		(rule.any_attribute === undefined || rule.any_attribute.some(name => Object.hasOwn(attributes, name))) &&
		allFit(rule.attributes, attributes) &&
		allFit(rule.resource, resource)
	);
}

const hasLength = (bytes: Uint8Array, length: number) => bytes.length === 0 || bytes.length === length;
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

const eventOf = (record: LogRecord, attributes: Attributes, resource: Attributes, receivedAt: number): HardwareEvent =>
	toLogEvent(
		{
			timeUnixNano: record.timeUnixNano,
			observedTimeUnixNano: record.observedTimeUnixNano,
			severityNumber: record.severityNumber,
			eventName: record.eventName,
			body: plainValue(record.body),
			attributes,
			traceId: hex(record.traceId),
			spanId: hex(record.spanId),
			flags: record.flags,
		},
		resourceOf(resource),
		receivedAt,
	);

export function expectedLogs(body: Uint8Array, selection: Selection, receivedAt: number): Expected<HardwareEvent> {
	const all = fromBinary(LogsDataSchema, body).resourceLogs.flatMap(({resource, scopeLogs}) =>
		scopeLogs.flatMap(({logRecords}) =>
			logRecords.map(record => ({record, resource: plainAttributes(resource?.attributes ?? [])})),
		),
	);
	const wanted = all
		.map(({record, resource}) => ({record, resource, attributes: plainAttributes(record.attributes)}))
		.filter(({record, resource, attributes}) =>
			logRulesOf(selection).some(rule => wantsRecord(rule, record, attributes, resource)),
		);
	const sound = wanted.filter(({record}) => hasLength(record.traceId, 16) && hasLength(record.spanId, 8));
	const events = sound.map(({record, resource, attributes}) => eventOf(record, attributes, resource, receivedAt));
	return {records: all.length, malformed: wanted.length - sound.length, events};
}

/** The part of a point's event that is worked out here independently. */
export type ExpectedPoint = Pick<HardwareEvent, 'name' | 'resource' | 'attributes'> & {
	readonly measurement: {readonly metric: string; readonly value: number; readonly kind: string};
};

const numberOf = ({value, flags}: NumberDataPoint): number =>
	flags % 2 === 1 || value.case === undefined ? Number.NaN : Number(value.value);

const wantsPoint = (rule: MetricRule, name: string, value: number, attributes: Attributes, resource: Attributes): boolean =>
	fits(rule.name, name) &&
	(rule.state === undefined || fits(rule.state, firstText(attributes, 'hw.state', 'state'))) &&
	(rule.equals === undefined || value === rule.equals) &&
	(rule.above === undefined || value > rule.above) &&
	allFit(rule.attributes, attributes) &&
	allFit(rule.resource, resource);

function prefixed(attributes: Attributes): Attributes {
	const copy: [string, AttributeValue][] = Object.entries(attributes);
	for (const name of ['state', 'id', 'name']) {
		const value = own(attributes, name);
		if (value !== undefined && !Object.hasOwn(attributes, `hw.${name}`)) copy.push([`hw.${name}`, value]);
	}
	return Object.fromEntries(copy);
}

function expectedPoint(
	point: NumberDataPoint,
	metric: Metric,
	resource: Attributes,
	selection: Selection,
): ExpectedPoint | undefined {
	const attributes = plainAttributes(point.attributes);
	const value = numberOf(point);
	if (!Number.isFinite(value)) return undefined;
	const rule = metricRulesOf(selection).find(candidate => wantsPoint(candidate, metric.name, value, attributes, resource));
	if (!rule) return undefined;
	const delta = metric.data.case === 'sum' && metric.data.value.aggregationTemporality === 1;
	const kind = rule.growing ? (delta ? 'increase' : 'count') : 'state';
	const measured = rule.growing || rule.state ? value : 1;
	return {
		name: metric.name,
		resource,
		attributes: prefixed(attributes),
		measurement: {metric: metric.name, value: measured, kind},
	};
}

export function expectedPoints(body: Uint8Array, selection: Selection): Expected<ExpectedPoint> {
	let records = 0;
	const events: ExpectedPoint[] = [];
	for (const {resource, scopeMetrics} of fromBinary(MetricsDataSchema, body).resourceMetrics) {
		for (const metric of scopeMetrics.flatMap(({metrics}) => metrics)) {
			records += metric.data.value?.dataPoints.length ?? 0;
			if (metric.data.case !== 'gauge' && metric.data.case !== 'sum') continue;
			const ofResource = plainAttributes(resource?.attributes ?? []);
			const selected = metric.data.value.dataPoints.map(point => expectedPoint(point, metric, ofResource, selection));
			events.push(...selected.filter(event => event !== undefined));
		}
	}
	return {records, malformed: 0, events};
}
