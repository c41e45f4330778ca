import {type Attributes, type HardwareEvent, type Measurement, Severity, textOf} from '../../event.ts';
import {canonical, digestOf} from './identity.ts';
import {isSyslog, ofRedfishReceiver, ofSyslog, withPrefixedNames} from './profiles.ts';
import type {LogRecord, Metric, Point, Resource} from './record.ts';
import {isCleared, type PointRule, ruleFor, type SelectedMetric} from './rules.ts';

const messageLimit = 10_000;
const uidLimit = 128;
const dayMillis = 86_400_000;
const year2000 = Date.UTC(2000, 0, 1);

/** The time as sent, when it was not one that a working clock shows. */
const originalTime = 'callhome.original_time_unix_nano';

const nanosOf = (millis: number): bigint => BigInt(Math.trunc(millis)) * 1_000_000n;

type When = {readonly occurredAt: number; readonly note: Attributes};

/** A time before 2000 or more than a day ahead tells of the producer's clock, not of the event: then our own time counts. */
function whenOf(timeUnixNano: bigint, receivedAt: number): When {
	if (timeUnixNano === 0n) return {occurredAt: receivedAt, note: {}};
	const millis = Number(timeUnixNano / 1_000_000n);
	const credible = millis >= year2000 && millis <= receivedAt + dayMillis;
	return credible ? {occurredAt: millis, note: {}} : {occurredAt: receivedAt, note: {[originalTime]: String(timeUnixNano)}};
}

/** Cuts between characters, never within a surrogate pair. */
const shortened = (text: string): string =>
	text.length <= messageLimit ? text : text.slice(0, messageLimit).replace(/[\uD800-\uDBFF]$/, '');

function messageOf({body}: LogRecord): string {
	if (body === null) return '';
	return shortened(typeof body === 'string' ? body : canonical(body));
}

/** OTLP's own field, else the attribute that stands for it where a sender has no such field. */
export const eventNameOf = (record: LogRecord): string =>
	record.eventName || (textOf(record.attributes, 'event.name', 'otel.event.name') ?? '');

function traceparentOf({traceId, spanId, flags}: LogRecord): {readonly traceparent?: string} {
	if (/^0*$/.test(traceId) || /^0*$/.test(spanId)) return {};
	return {traceparent: `00-${traceId}-${spanId}-${(flags & 0xff).toString(16).padStart(2, '0')}`};
}

/** Numbers beyond OTLP's range are read as its nearest end. */
const severityOf = (severityNumber: number): number => Math.min(Math.max(severityNumber, 0), Severity.fatal + 3);

/**
The same again for a record that is delivered again, another one for records that differ in any of these. A record
without any time of its own gets the time of its arrival: a fault that is reported twice joins its open problem, but one
that is taken for a repetition of last year's would be lost.
*/
function logIdOf(record: LogRecord, resource: Resource, receivedAt: number): string {
	const {attributes} = record;
	const uid = textOf(attributes, 'log.record.uid');
	if (uid !== undefined) return uid.length <= uidLimit ? uid : digestOf(uid);
	const time = record.timeUnixNano || record.observedTimeUnixNano || nanosOf(receivedAt);
	const component = ['hw.id', 'hw.type', 'hw.name', 'hw.state'].map(name => attributes[name] ?? null);
	return digestOf(resource.digest, eventNameOf(record), String(time), ...component, record.severityNumber, record.body);
}

export function toLogEvent(record: LogRecord, resource: Resource, receivedAt: number): HardwareEvent {
	const {occurredAt, note} = whenOf(record.timeUnixNano || record.observedTimeUnixNano, receivedAt);
	const message = messageOf(record);
	const severity = severityOf(record.severityNumber);
	const said = isSyslog(record.attributes)
		? ofSyslog(message, severity, record.attributes, resource.attributes)
		: {attributes: record.attributes, resource: resource.attributes};
	return {
		id: logIdOf(record, resource, receivedAt),
		name: eventNameOf(record),
		occurredAt,
		receivedAt,
		severity,
		message,
		resource: said.resource,
		attributes: {...said.attributes, ...note},
		source: 'otlp/logs',
		...traceparentOf(record),
	};
}

/**
What tells a series apart. Of the Collector's redfish receiver only these do: the names of the machine and its firmware, which
it gives with each point, come and go while a fault lasts.
*/
const seriesAttributes = (attributes: Attributes, {health}: PointRule): Attributes =>
	health ? Object.fromEntries(['base_url', 'hw.id', 'hw.state'].map(name => [name, attributes[name] ?? null])) : attributes;

/**
A `state` point is one whether the component is in the state or not, and a count is one whether it grew or not: what is a
change is decided later, against the series' last value. A point of an `equals` or `above` rule is there only while the
condition holds, so it is the state itself.
*/
function measurementOf(metric: Metric, value: number, attributes: Attributes, resource: Resource, rule: PointRule): Measurement {
	const series = digestOf(resource.digest, metric.name, seriesAttributes(attributes, rule));
	if (rule.growing) return {metric: metric.name, series, value, kind: metric.delta ? 'increase' : 'count'};
	const level = rule.state ? value : isCleared(rule, value) ? 0 : 1;
	return {metric: metric.name, series, value: level, kind: 'state', ...(rule.confirm && {confirm: rule.confirm})};
}

function pointSeverity(attributes: Attributes, rule: PointRule): number {
	if (rule.growing) return textOf(attributes, 'error.type') === 'uncorrected' ? Severity.error : Severity.warn;
	return textOf(attributes, 'hw.state') === 'failed' ? Severity.error : Severity.warn;
}

function sentenceOf(metric: Metric, value: number, attributes: Attributes, rule: PointRule): string {
	const what = textOf(attributes, ...(rule.growing ? ['error.type'] : ['hw.state']));
	return shortened(`${metric.name}${what ? ` ${what}` : ''} = ${value}`);
}

/** The events of a point that a rule selects. A value that is not a finite number tells nothing. */
export function pointEvents(
	point: Point,
	metric: SelectedMetric,
	resource: () => Resource,
	receivedAt: number,
): HardwareEvent | readonly HardwareEvent[] | undefined {
	const {value} = point;
	if (value === undefined || !Number.isFinite(value)) return undefined;
	const rule = ruleFor(metric, value, point.attributes, resource);
	if (!rule) return undefined;
	if (rule.health) return healthEvents(point, value, metric, resource(), rule, receivedAt);
	const attributes = withPrefixedNames(point.attributes);
	return pointEvent({...point, attributes}, value, metric, resource(), rule, receivedAt);
}

const healthStates = {0: 'failed', 2: 'degraded'} as const;

/** A health says of each state whether the part is in it; an unknown one says nothing. */
function healthEvents(
	point: Point,
	value: number,
	metric: SelectedMetric,
	resource: Resource,
	rule: PointRule,
	receivedAt: number,
): readonly HardwareEvent[] {
	if (value !== 0 && value !== 1 && value !== 2) return [];
	const profiled = ofRedfishReceiver(metric.name, point.attributes, resource.attributes);
	const named = {...resource, attributes: profiled.resource}; // With the digest of what was sent, for the names change.
	return Object.entries(healthStates).map(([health, state]) => {
		const attributes = {...profiled.attributes, 'hw.state': state};
		const stateRule = {...rule, state: rule.name};
		const level = value === Number(health) ? 1 : 0;
		return pointEvent({...point, attributes}, level, metric, named, stateRule, receivedAt);
	});
}

function pointEvent(
	{attributes, timeUnixNano}: Point,
	value: number,
	metric: SelectedMetric,
	resource: Resource,
	rule: PointRule,
	receivedAt: number,
): HardwareEvent {
	const measurement = measurementOf(metric, value, attributes, resource, rule);
	const {occurredAt, note} = whenOf(timeUnixNano, receivedAt);
	return {
		id: digestOf(measurement.series, String(timeUnixNano || nanosOf(receivedAt)), value),
		name: metric.name,
		occurredAt,
		receivedAt,
		severity: pointSeverity(attributes, rule),
		message: sentenceOf(metric, value, attributes, rule),
		resource: resource.attributes,
		attributes: {...attributes, ...note},
		source: 'otlp/metrics',
		measurement,
	};
}
