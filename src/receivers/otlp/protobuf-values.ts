import type {Attributes, AttributeValue} from '../../event.ts';
import type {LogRecord} from './record.ts';
import {limits} from './record.ts';
import {
	type Cursor,
	cursorOf,
	malformed,
	readBytes,
	readDouble,
	readFixed32,
	readFixed64,
	readInt64,
	readTag,
	readText,
	skip,
} from './wire.ts';

const empty = new Uint8Array();

/** A message field that occurs more than once is the messages' bytes in a row: so protobuf defines merging. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
	const [first = empty] = parts;
	return parts.length > 1 ? Buffer.concat(parts) : first;
}

/** A number where it is exact, else bigint. */
export const integerOf = (value: bigint): number | bigint => {
	const number = Number(value);
	return Number.isSafeInteger(number) ? number : value;
};

/** Stands for `parts` still to be read, of the list or map that the last such field began. */
type Nested = {readonly tag: number; readonly parts: Uint8Array[]};

const arrayTag = 0x2a;
const mapTag = 0x32;

/** AnyValue is a oneof: the last field set wins, but a list or a map right after one of its kind continues that one. */
export function readAnyValue(bytes: Uint8Array, depth = 1): AttributeValue {
	if (depth > limits.depth) throw malformed(`an attribute is nested deeper than ${limits.depth}`);
	let scalar: AttributeValue = null;
	let nested: Nested | undefined;
	for (const cursor = cursorOf(bytes); cursor.position < cursor.end; ) {
		const tag = readTag(cursor);
		if (tag === arrayTag || tag === mapTag) {
			if (nested?.tag !== tag) nested = {tag, parts: []};
			nested.parts.push(readBytes(cursor));
			continue;
		}
		const value = readScalar(cursor, tag);
		if (value === undefined) continue;
		scalar = value;
		nested = undefined;
	}
	if (!nested) return scalar;
	return nested.tag === arrayTag ? readArray(joined(nested.parts), depth) : readAttributes(joined(nested.parts), 0x0a, depth);
}

/** Undefined for an unknown field. */
function readScalar(cursor: Cursor, tag: number): AttributeValue | undefined {
	switch (tag) {
		case 0x0a:
			return readText(cursor);
		case 0x10:
			return readInt64(cursor) !== 0n;
		case 0x18:
			return integerOf(readInt64(cursor));
		case 0x21:
			return readDouble(cursor);
		case 0x3a:
			return Buffer.from(readBytes(cursor)).toString('base64');
		default:
			skip(cursor, tag);
			return undefined;
	}
}

function readArray(bytes: Uint8Array, depth: number): AttributeValue[] {
	const values: AttributeValue[] = [];
	for (const cursor = cursorOf(bytes); cursor.position < cursor.end; ) {
		const tag = readTag(cursor);
		if (tag === 0x0a) values.push(readAnyValue(readBytes(cursor), depth + 1));
		else skip(cursor, tag);
	}
	return values;
}

/** The fields with this tag as KeyValues. The last of a key wins; fromEntries makes own properties of any key, `__proto__` too. */
export function readAttributes(bytes: Uint8Array, wanted: number, depth = 0): Attributes {
	const entries: (readonly [string, AttributeValue])[] = [];
	for (const cursor = cursorOf(bytes); cursor.position < cursor.end; ) {
		const tag = readTag(cursor);
		if (tag === wanted) entries.push(readKeyValue(readBytes(cursor), depth));
		else skip(cursor, tag);
	}
	return Object.fromEntries(entries);
}

export function readKeyValue(bytes: Uint8Array, depth: number): readonly [string, AttributeValue] {
	let key = '';
	const parts: Uint8Array[] = [];
	for (const cursor = cursorOf(bytes); cursor.position < cursor.end; ) {
		const tag = readTag(cursor);
		if (tag === 0x0a) key = readText(cursor);
		else if (tag === 0x12) parts.push(readBytes(cursor));
		else skip(cursor, tag);
	}
	return [key, readAnyValue(joined(parts), depth + 1)];
}

/** Hex of an id of this many bytes; empty when it is absent. */
function idOf(bytes: Uint8Array, name: string, length: number): string {
	if (bytes.length !== 0 && bytes.length !== length) throw malformed(`${name} has ${bytes.length} bytes instead of ${length}`);
	return Buffer.from(bytes).toString('hex');
}

type Mutable<Type> = {-readonly [Key in keyof Type]: Type[Key]};

/** The fields of a log record that are read one by one; of those that occur again, the last counts. */
type LogFields = Mutable<Omit<LogRecord, 'body' | 'attributes' | 'traceId' | 'spanId'>> & {
	readonly body: Uint8Array[];
	traceId: Uint8Array;
	spanId: Uint8Array;
};

export const attributeTag = 0x32;

export function readLogRecord(bytes: Uint8Array): LogRecord {
	const fields: LogFields = {
		timeUnixNano: 0n,
		observedTimeUnixNano: 0n,
		severityNumber: 0,
		eventName: '',
		body: [],
		traceId: empty,
		spanId: empty,
		flags: 0,
	};
	for (const cursor = cursorOf(bytes); cursor.position < cursor.end; ) readLogField(cursor, readTag(cursor), fields);
	return {
		...fields,
		body: readAnyValue(joined(fields.body)),
		attributes: readAttributes(bytes, attributeTag),
		traceId: idOf(fields.traceId, 'trace_id', 16),
		spanId: idOf(fields.spanId, 'span_id', 8),
	};
}

function readLogField(cursor: Cursor, tag: number, fields: LogFields): void {
	if (tag === 0x09) fields.timeUnixNano = readFixed64(cursor);
	else if (tag === 0x59) fields.observedTimeUnixNano = readFixed64(cursor);
	else if (tag === 0x10) fields.severityNumber = readInt32(cursor);
	else if (tag === 0x2a) fields.body.push(readBytes(cursor));
	else if (tag === 0x45) fields.flags = readFixed32(cursor);
	else if (tag === 0x4a) fields.traceId = readBytes(cursor);
	else if (tag === 0x52) fields.spanId = readBytes(cursor);
	else if (tag === 0x62) fields.eventName = readText(cursor);
	else skip(cursor, tag);
}

/** A negative enum number is ten bytes long; only the low 32 bits count. */
export const readInt32 = (cursor: Cursor): number => Number(BigInt.asIntN(32, readInt64(cursor)));
