import type {AttributeValue} from '../../event.ts';
import {resourceOf} from './identity.ts';
import {equalBytes} from './pattern.ts';
import {attributeTag, readAnyValue, readInt32, readKeyValue} from './protobuf-values.ts';
import type {Resource} from './record.ts';
import {eventNameKeys, isBlank, type RecordView} from './rules.ts';
import {cursorOf, eachField, malformed, readEnd, readTag, skip} from './wire.ts';

/**
The hot path: one pass over a log record that notes where the few things stand that the rules ask for, and steps over
all else by its length. Nothing is decoded, and the texts, ids and times of a record that is not selected are not
validated: only that its fields fit into it.
*/
export type Skim = RecordView & {
	/** Throws ERR_MALFORMED when the fields do not fit. The view is of this record until the next call. */
	over(start: number, end: number, resource: () => Resource): void;
};

type Key = {readonly index: number; readonly bytes: Uint8Array};

/** The attribute keys to look for, and those of each length below 128. */
export type Keys = {readonly all: readonly Key[]; readonly byLength: readonly (readonly Key[] | undefined)[]};

export function compileKeys(names: readonly string[]): Keys {
	const all = names.map((name, index): Key => ({index, bytes: Buffer.from(name)}));
	const byLength = Array.from({length: 0x80}, (_, length) => {
		const sameLength = all.filter(({bytes}) => bytes.length === length);
		return sameLength.length > 0 ? sameLength : undefined;
	});
	return {all, byLength};
}

const eventNameTag = 0x62;
const severityTag = 0x10;
const bodyTag = 0x2a;

type Found = {
	readonly bytes: Uint8Array;
	severity: number;
	nameStart: number;
	nameEnd: number;
	/** Per key the bounds of its KeyValue; an end of 0 is an absent one. */
	readonly starts: Int32Array;
	readonly ends: Int32Array;
	/** Whether there are bounds to clear before the next record. */
	touched: boolean;
};

function note(found: Found, keys: readonly Key[], keyStart: number, keyEnd: number, start: number, end: number): void {
	for (const {index, bytes} of keys) {
		if (!equalBytes(bytes, found.bytes, keyStart, keyEnd)) continue;
		found.starts[index] = start;
		found.ends[index] = end;
		found.touched = true;
	}
}

/** Any KeyValue that is valid, however it is written: the last key in it counts. */
function noteUnusual(found: Found, keys: readonly Key[], start: number, end: number): void {
	let keyStart = start;
	let keyEnd = start;
	for (const cursor = cursorOf(found.bytes, start, end); cursor.position < end; ) {
		const tag = readTag(cursor);
		if (tag !== 0x0a) {
			skip(cursor, tag);
			continue;
		}
		keyEnd = readEnd(cursor);
		keyStart = cursor.position;
		cursor.position = keyEnd;
	}
	note(found, keys, keyStart, keyEnd, start, end);
}

/** Any field that is valid, however it is written. Returns where the next one begins. */
function noteField(found: Found, keys: readonly Key[], start: number, end: number): number {
	const cursor = cursorOf(found.bytes, start, end);
	const tag = readTag(cursor);
	if (tag === severityTag) found.severity = readInt32(cursor);
	else if (tag === attributeTag || tag === eventNameTag) {
		const fieldEnd = readEnd(cursor);
		if (tag === attributeTag) noteUnusual(found, keys, cursor.position, fieldEnd);
		else [found.nameStart, found.nameEnd] = [cursor.position, fieldEnd];
		cursor.position = fieldEnd;
	} else skip(cursor, tag);
	return cursor.position;
}

/**
Fields below 128 bytes with a tag of one byte are handled in the loop, and that is nearly all of them. An attribute as
every encoder writes it is key, value and nothing else; a key that no rule names costs no more than finding that out.
*/
function skimFields(found: Found, {all, byLength}: Keys, start: number, end: number): void {
	const {bytes} = found;
	let position = start;
	while (position < end) {
		const tag = bytes[position] ?? 0;
		const length = bytes[position + 1] ?? 0;
		const next = position + 2 + length;
		if (length < 0x80 && tag === attributeTag) {
			const keyLength = bytes[position + 3] ?? 0;
			const valueAt = position + 4 + keyLength;
			if (bytes[position + 2] === 0x0a && bytes[valueAt] === 0x12 && valueAt + 2 + (bytes[valueAt + 1] ?? 0) === next) {
				const candidates = byLength[keyLength];
				if (candidates) note(found, candidates, position + 4, valueAt, position + 2, next);
			} else noteField(found, all, position, end);
			position = next;
		} else if (length < 0x80 && tag === severityTag) {
			found.severity = length;
			position += 2;
		} else if (tag === eventNameTag || tag < 8) position = noteField(found, all, position, end);
		else if (length < 0x80 && (tag & 0x87) === 2) position = next;
		else if (length < 0x80 && (tag & 0x87) === 0) position += 2;
		else if ((tag & 0x87) === 1) position += 9;
		else if ((tag & 0x87) === 5) position += 5;
		else position = noteField(found, all, position, end);
	}
	if (position !== end) throw malformed('protobuf: a field reaches beyond the end of its log record');
}

function clear(found: Found): void {
	found.severity = 0;
	found.nameStart = found.nameEnd;
	if (!found.touched) return;
	found.ends.fill(0);
	found.touched = false;
}

/** Past the hot path: only records that a rule nearly selects are asked for their text. */
function bodyIn(bytes: Uint8Array, start: number, end: number): string {
	let body: AttributeValue = null;
	eachField(bytes, start, end, bodyTag, (from, to) => {
		body = readAnyValue(bytes.subarray(from, to));
	});
	return typeof body === 'string' ? body : '';
}

/** For the records of one request: it does not outlive the bytes. */
export function createSkim(keys: Keys, bytes: Uint8Array): Skim {
	const {length} = keys.all;
	const found: Found = {
		bytes,
		severity: 0,
		nameStart: 0,
		nameEnd: 0,
		starts: new Int32Array(length),
		ends: new Int32Array(length),
		touched: false,
	};
	let [from, to] = [0, 0];
	let resourceOfRecord = () => resourceOf({});
	const has = (key: number) => (found.ends[key] ?? 0) > 0;
	const readValue = (key: number) =>
		has(key) ? readKeyValue(bytes.subarray(found.starts[key], found.ends[key]), 0)[1] : undefined;

	return {
		over(start, end, resource) {
			clear(found);
			[from, to] = [start, end];
			resourceOfRecord = resource;
			skimFields(found, keys, start, end);
		},
		get severity() {
			return found.severity;
		},
		matchesEventName(pattern) {
			if (found.nameEnd > found.nameStart) return pattern.matchesBytes(bytes, found.nameStart, found.nameEnd);
			if (!found.touched) return false;
			return pattern.matchesValue(eventNameKeys.map((_, key) => readValue(key)).find(value => !isBlank(value)));
		},
		has,
		matches: (key, pattern) => pattern.matchesValue(readValue(key)),
		resource: () => resourceOfRecord(),
		body: () => bodyIn(bytes, from, to),
	};
}
