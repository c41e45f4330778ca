import {type AnyValue, type Attributes, type Logger, logs, SeverityNumber} from '@opentelemetry/api';
import type {AttributeValue, HardwareEvent} from '../event.ts';
import type {Problem, System} from '../problem.ts';
import type {Submission} from '../submission.ts';
import {attributeNames, scopeName} from '../telemetry.ts';
import {attributesOf} from './systems.ts';

const emit = (eventName: string, severityNumber: SeverityNumber, body: string, attributes: Attributes): void =>
	logs.getLogger(scopeName).emit({eventName, severityNumber, body, attributes});

const problemAttributes = ({id, state, reason, caseNumber, component, system}: Problem): Attributes => ({
	[attributeNames.problemId]: id,
	[attributeNames.problemState]: state,
	...(reason === '' ? {} : {'callhome.problem.reason': reason}),
	...(caseNumber === undefined ? {} : {[attributeNames.caseNumber]: caseNumber}),
	...(component.id === '' ? {} : {'hw.id': component.id}),
	...(component.type === '' ? {} : {'hw.type': component.type}),
	...(system ? {'host.name': system.name} : {}),
});

/** A problem went from one state to another, for whatever log store the operator has. */
export function emitStateChange(problem: Problem): void {
	const severity = problem.state === 'rejected' || problem.state === 'held' ? SeverityNumber.WARN : SeverityNumber.INFO;
	emit('callhome.problem.state_change', severity, `${problem.title}: ${problem.state}`, problemAttributes(problem));
}

/** A submission got its final answer. */
export function emitSubmission(
	submission: Submission,
	final: 'acknowledged' | 'rejected',
	destination: string,
	error?: Error,
): void {
	const attributes = {
		[attributeNames.submissionType]: submission.type,
		[attributeNames.destination]: destination,
		...(submission.problemId === undefined ? {} : {[attributeNames.problemId]: submission.problemId}),
		...(error ? {[attributeNames.errorType]: 'code' in error ? String(error.code) : error.name} : {}),
	};
	if (final === 'rejected') emit('callhome.submission.rejected', SeverityNumber.ERROR, error?.message ?? 'rejected', attributes);
	else if (submission.type === 'heartbeat') emit('callhome.heartbeat', SeverityNumber.INFO, 'heartbeat acknowledged', attributes);
	else emit('callhome.submission.accepted', SeverityNumber.INFO, `${submission.type} accepted`, attributes);
}

export type ConnectionChange = {
	readonly connection: string;
	readonly destination: string;
	readonly state: string;
	readonly previous: string;
	readonly errorType: string | undefined;
};

/** A connection began to work, or stopped working: its damped state, so not every failure. */
export function emitConnectionChange({connection, destination, state, previous, errorType}: ConnectionChange): void {
	const severity = state === 'connected' ? SeverityNumber.INFO : SeverityNumber.WARN;
	emit('callhome.connection.state_change', severity, `${connection} to ${destination}: ${state}`, {
		[attributeNames.connection]: connection,
		[attributeNames.destination]: destination,
		[attributeNames.connectionState]: state,
		'callhome.connection.previous_state': previous,
		...(errorType === undefined ? {} : {[attributeNames.errorType]: errorType}),
	});
}

export type Outage = {
	readonly destination: string;
	readonly connections: number;
	/** Seconds; 0 when no problem waits. */
	readonly oldestProblemAge: number;
};

/** No connection leads to the destination. Once per outage. */
export function emitExhausted({destination, connections, oldestProblemAge}: Outage): void {
	emit('callhome.connection.exhausted', SeverityNumber.ERROR, `no connection leads to ${destination}`, {
		[attributeNames.destination]: destination,
		'callhome.connection.count': connections,
		'callhome.queue.oldest.age': oldestProblemAge,
	});
}

/** And its end. `duration` in seconds. */
export function emitNoLongerExhausted(destination: string, duration: number): void {
	emit('callhome.connection.recovered', SeverityNumber.INFO, `a connection leads to ${destination} again`, {
		[attributeNames.destination]: destination,
		'callhome.connection.outage.duration': duration,
	});
}

/** No heartbeat was answered for three intervals. Once, and once at its end. `lastAnswer` in Unix milliseconds. */
export function emitHeartbeatOverdue(overdue: boolean, intervalMillis: number, lastAnswer: number | undefined): void {
	const attributes = {
		'callhome.heartbeat.interval': intervalMillis / 1000,
		...(lastAnswer === undefined ? {} : {'callhome.heartbeat.last_success.timestamp': lastAnswer / 1000}),
	};
	if (overdue) emit('callhome.heartbeat.overdue', SeverityNumber.ERROR, 'no heartbeat is answered', attributes);
	else emit('callhome.heartbeat.recovered', SeverityNumber.INFO, 'a heartbeat was answered again', attributes);
}

export type InventorySnapshot = {
	readonly system: System;
	readonly source: string;
	readonly digest: string;
	readonly parts: number;
	/** Another one than before. */
	readonly isNew: boolean;
};

/** An inventory was collected and queued. The document itself leaves in the submission: a log record is to stay small. */
export function emitInventory({system, source, digest, parts, isNew}: InventorySnapshot): void {
	emit('callhome.inventory.snapshot', SeverityNumber.INFO, `inventory of ${system.name}: ${parts} parts`, {
		...attributesOf(system),
		'callhome.inventory.source': source,
		'callhome.inventory.digest': digest,
		'callhome.inventory.parts': parts,
		'callhome.inventory.changed': isNew,
	});
}

/**
What a source of this bridge saw, for whatever else watches the hardware. Its `log.record.uid` is that of the event that was
kept: whoever sends it back sends nothing new.
*/
export function emitAlert(logger: Logger, {id, name, occurredAt, severity, message, attributes}: HardwareEvent): void {
	logger.emit({
		eventName: name,
		timestamp: occurredAt,
		severityNumber: severity as SeverityNumber,
		body: message,
		attributes: {...mapped(attributes), 'log.record.uid': id},
	});
}

const mapped = (attributes: HardwareEvent['attributes']): Record<string, AnyValue> =>
	Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key, anyValue(value)]));

function anyValue(value: AttributeValue): AnyValue {
	if (typeof value === 'bigint') return String(value);
	if (Array.isArray(value)) return value.map(anyValue);
	return typeof value === 'object' && value !== null ? mapped(value as HardwareEvent['attributes']) : (value as AnyValue);
}
