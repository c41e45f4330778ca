import {type HardwareEvent, Severity} from '../../event.ts';
import {toLogEvent} from './events.ts';
import {checkSize, eachRecord} from './json-request.ts';
import {
	anyValueOf,
	attributesIn,
	idIn,
	integer32In,
	integer64In,
	type JsonObject,
	keyValuesIn,
	member,
	objectIn,
	textIn,
} from './json-values.ts';
import type {Reader} from './reader.ts';
import {type LogRecord, limits, type Resource} from './record.ts';
import {compileLogRules, eventNameKeys, isBlank, isWanted, type RecordView} from './rules.ts';
import type {Selection} from './selection.ts';
import {createTally} from './tally.ts';

/** OTLP/JSON senders must write enums as numbers; those that write the names are understood too. */
const severityNumbers: ReadonlyMap<unknown, number> = new Map([
	['SEVERITY_NUMBER_UNSPECIFIED', 0],
	...Object.entries(Severity).flatMap(([name, first]) =>
		[0, 1, 2, 3].map(step => [`SEVERITY_NUMBER_${name.toUpperCase()}${step === 0 ? '' : step + 1}`, first + step] as const),
	),
]);

const severityIn = (record: JsonObject): number =>
	severityNumbers.get(member(record, 'severityNumber')) ?? integer32In(record, 'severityNumber') | 0;

function readLogRecord(record: JsonObject): LogRecord {
	checkSize(record, 'record', limits.recordBytes);
	return {
		timeUnixNano: integer64In(record, 'timeUnixNano'),
		observedTimeUnixNano: integer64In(record, 'observedTimeUnixNano'),
		severityNumber: severityIn(record),
		eventName: textIn(record, 'eventName'),
		body: anyValueOf(member(record, 'body')),
		attributes: attributesIn(record, 'attributes'),
		traceId: idIn(record, 'traceId', 16),
		spanId: idIn(record, 'spanId', 8),
		flags: integer32In(record, 'flags'),
	};
}

/** The record as the rules see it: only the attributes that they name are read. */
function viewOf(record: JsonObject, keys: readonly string[], resource: () => Resource): RecordView {
	const keyValues = new Map(keyValuesIn(record, 'attributes'));
	const has = (key: number) => keyValues.has(keys[key] ?? '');
	const readValue = (key: number) => (has(key) ? anyValueOf(keyValues.get(keys[key] ?? '')) : undefined);
	return {
		severity: severityIn(record),
		matchesEventName(pattern) {
			const name = textIn(record, 'eventName');
			if (name !== '') return pattern.matchesText(name);
			return pattern.matchesValue(eventNameKeys.map((_, key) => readValue(key)).find(value => !isBlank(value)));
		},
		has,
		matches: (key, pattern) => pattern.matchesValue(readValue(key)),
		resource,
		body: () => {
			const body = anyValueOf(member(record, 'body'));
			return typeof body === 'string' ? body : '';
		},
	};
}

export function createJsonLogsReader(selection: Selection): Reader {
	const rules = compileLogRules(selection);

	function read(item: unknown, resource: () => Resource, receivedAt: number): HardwareEvent | undefined {
		const record = objectIn(item, 'a log record');
		if (!isWanted(rules, viewOf(record, rules.keys, resource))) return undefined;
		return toLogEvent(readLogRecord(record), resource(), receivedAt);
	}

	return function readLogs(body, receivedAt) {
		const tally = createTally();
		eachRecord(body, ['resourceLogs', 'scopeLogs', 'logRecords'], (record, resource) =>
			tally.record(() => read(record, resource, receivedAt)),
		);
		return tally.reading();
	};
}

/** Nothing is selected from traces: the spans are counted. */
export const createJsonTracesReader = (): Reader =>
	function readTraces(body) {
		const tally = createTally();
		eachRecord(body, ['resourceSpans', 'scopeSpans', 'spans'], span =>
			tally.record(() => {
				objectIn(span, 'a span');
				return undefined;
			}),
		);
		return tally.reading();
	};
