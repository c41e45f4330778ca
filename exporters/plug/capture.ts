import {ProtobufLogsSerializer} from '@opentelemetry/otlp-transformer';
import type {ReadableLogRecord} from '@opentelemetry/sdk-logs';
import {BridgeError, toError} from '../../src/errors.ts';
import type {Consume, HardwareEvent} from '../../src/event.ts';
import {scopeName} from '../../src/telemetry.ts';

/** What the plug needs of a bridge: `startCallHome()` gives it. */
export type CallHomeIntake = {
	/** Resolves when the events are on disk. */
	readonly consume: Consume;
	/** Selects hardware events among the log records of an OTLP request in protobuf. */
	readonly read: (
		request: Uint8Array,
		receivedAt: number,
	) => {readonly malformed: number; readonly malformedMessage: string; readonly events: readonly HardwareEvent[]};
	/** False for records that `read` certainly does not select: they are not even serialized. */
	readonly mightSelect?: (record: ReadableLogRecord) => boolean;
};

/** Our own records tell what the bridge does: never a fault. */
export const isCandidate = (record: ReadableLogRecord, {mightSelect}: CallHomeIntake): boolean =>
	record.instrumentationScope.name !== scopeName && (mightSelect?.(record) ?? true);

/** Fields that a record of another SDK generation may lack get the value that means "not given". */
const complete = (record: ReadableLogRecord): ReadableLogRecord => ({
	hrTime: record.hrTime,
	hrTimeObserved: record.hrTimeObserved ?? record.hrTime,
	resource: record.resource,
	instrumentationScope: record.instrumentationScope,
	attributes: record.attributes ?? {},
	droppedAttributesCount: record.droppedAttributesCount ?? 0,
	spanContext: record.spanContext,
	severityText: record.severityText,
	severityNumber: record.severityNumber,
	body: record.body,
	eventName: record.eventName,
});

/** The record as it is now, for whatever later processors and the application do with theirs. */
export const snapshotOf = (record: ReadableLogRecord): ReadableLogRecord => ({
	...complete(record),
	attributes: copyOf(record.attributes),
	body: copyOf(record.body),
});

/** What cannot be copied is taken as it is. */
function copyOf<Value>(value: Value): Value {
	try {
		return structuredClone(value);
	} catch {
		return value;
	}
}

/**
The hardware event that a record is, or nothing. A body that cannot be read does not cost the alert: the event says so
instead. Throws ERR_MALFORMED for a record that cannot be read without its body either.
*/
export function eventsOf(record: ReadableLogRecord, {read}: CallHomeIntake, receivedAt: number): readonly HardwareEvent[] {
	const whole = complete(record);
	try {
		return readOne(whole, read, receivedAt);
	} catch (error) {
		return readOne({...whole, body: `the body of the record cannot be read: ${messageOf(error)}`}, read, receivedAt);
	}
}

/** By way of the official encoding, so that the rules and the event are those of the OTLP intake. */
function readOne(record: ReadableLogRecord, read: CallHomeIntake['read'], receivedAt: number): readonly HardwareEvent[] {
	const request = ProtobufLogsSerializer.serializeRequest([record]) ?? new Uint8Array();
	const {events, malformed, malformedMessage} = read(request, receivedAt);
	if (malformed > 0) throw new BridgeError('ERR_MALFORMED', malformedMessage);
	return events.map(event => ({...event, source: 'plug'}));
}

/** Of anything thrown, also of an object that throws again when it is printed. */
function messageOf(thrown: unknown): string {
	try {
		return toError(thrown).message;
	} catch {
		return 'unknown error';
	}
}

export const unreadable = (cause: unknown): BridgeError =>
	new BridgeError('ERR_MALFORMED', `a log record cannot be read: ${messageOf(cause)}`, {cause});
