import type {HardwareEvent} from '../../event.ts';
import {toLogEvent} from './events.ts';
import {resourceOf} from './identity.ts';
import {joined, readAttributes, readLogRecord} from './protobuf-values.ts';
import type {Reader} from './reader.ts';
import {lazily, limits, type Resource} from './record.ts';
import {compileLogRules, isWanted} from './rules.ts';
import type {Selection} from './selection.ts';
import {compileKeys, createSkim} from './skim.ts';
import {createTally} from './tally.ts';
import {cursorOf, eachField, malformed, readTag, skip} from './wire.ts';

// The three requests have one shape: resources (1) with a resource (1) and scopes (2), which hold the records (2).
const resourcesTag = 0x0a;
const resourceTag = 0x0a;
const scopesTag = 0x12;
const recordsTag = 0x12;

function readResource(parts: readonly Uint8Array[]): Resource {
	const bytes = joined(parts);
	if (bytes.length > limits.resourceBytes) throw malformed(`resource larger than ${limits.resourceBytes / 1024} KiB`);
	return resourceOf(readAttributes(bytes, 0x0a));
}

/** Fields come in any order, so the resource is looked for before the records that are of it. */
function resourceIn(bytes: Uint8Array, start: number, end: number): () => Resource {
	const parts: Uint8Array[] = [];
	eachField(bytes, start, end, resourceTag, (from, to) => parts.push(bytes.subarray(from, to)));
	return lazily(() => readResource(parts));
}

/** Visits the log records, the metrics or the spans of a request. */
export function eachRecord(bytes: Uint8Array, visit: (start: number, end: number, resource: () => Resource) => void): void {
	eachField(bytes, 0, bytes.length, resourcesTag, (start, end) => {
		const resource = resourceIn(bytes, start, end);
		eachField(bytes, start, end, scopesTag, (scopeStart, scopeEnd) =>
			eachField(bytes, scopeStart, scopeEnd, recordsTag, (from, to) => visit(from, to, resource)),
		);
	});
}

export function createProtobufLogsReader(selection: Selection): Reader {
	const rules = compileLogRules(selection);
	const keys = compileKeys(rules.keys);

	function eventOf(body: Uint8Array, start: number, end: number, resource: Resource, receivedAt: number): HardwareEvent {
		if (end - start > limits.recordBytes) throw malformed(`record larger than ${limits.recordBytes / 1024} KiB`);
		return toLogEvent(readLogRecord(body.subarray(start, end)), resource, receivedAt);
	}

	return function readLogs(body, receivedAt) {
		const tally = createTally();
		const skim = createSkim(keys, body);
		eachRecord(body, (start, end, resource) =>
			tally.record(() => {
				skim.over(start, end, resource);
				return isWanted(rules, skim) ? eventOf(body, start, end, resource(), receivedAt) : undefined;
			}),
		);
		return tally.reading();
	};
}

/** Nothing is selected from traces: the spans are counted, and their fields must fit. */
export const createProtobufTracesReader = (): Reader =>
	function readTraces(body) {
		const tally = createTally();
		eachRecord(body, (start, end) =>
			tally.record(() => {
				for (const cursor = cursorOf(body, start, end); cursor.position < end; ) skip(cursor, readTag(cursor));
				return undefined;
			}),
		);
		return tally.reading();
	};
