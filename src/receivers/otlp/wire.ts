import {BridgeError} from '../../errors.ts';

/**
The protobuf wire format over a Uint8Array, in place: a cursor is the only object per message, none per field.
A field of another wire type than its own is an unknown field and is skipped, as the format's specification has it;
so readers branch on the whole tag (number and wire type), which is one byte for all field numbers below 16.
*/
export type Cursor = {readonly bytes: Uint8Array; position: number; readonly end: number};

export const malformed = (message: string): BridgeError => new BridgeError('ERR_MALFORMED', message);
const truncated = (): BridgeError => malformed('protobuf: a field reaches beyond the end of its message');

export const cursorOf = (bytes: Uint8Array, start = 0, end = bytes.length): Cursor => ({bytes, position: start, end});

const groupDepthLimit = 64;

/** As a number: exact up to 2^53, which is more than any tag, length, count or flag can validly be. */
export function readVarint(cursor: Cursor): number {
	let value = 0;
	let factor = 1;
	for (let count = 0; count < 10; count++) {
		if (cursor.position >= cursor.end) throw truncated();
		const byte = cursor.bytes[cursor.position++] ?? 0;
		value += (byte & 0x7f) * factor;
		if (byte < 0x80) return value;
		factor *= 128;
	}
	throw malformed('protobuf: a varint is longer than 10 bytes');
}

/** An int64 varint; what is beyond 64 bits is cut off. */
export function readInt64(cursor: Cursor): bigint {
	let value = 0n;
	for (let shift = 0n; shift < 70n; shift += 7n) {
		if (cursor.position >= cursor.end) throw truncated();
		const byte = cursor.bytes[cursor.position++] ?? 0;
		value |= BigInt(byte & 0x7f) << shift;
		if (byte < 0x80) return BigInt.asIntN(64, value);
	}
	throw malformed('protobuf: a varint is longer than 10 bytes');
}

/** The field number and the wire type in one, as on the wire. */
export function readTag(cursor: Cursor): number {
	const tag = readVarint(cursor);
	if (tag > 0xffff_ffff || tag < 8) throw malformed('protobuf: illegal field number');
	return tag;
}

/** Reads the length of a length-delimited field, which then goes from the cursor's position to the end returned. */
export function readEnd(cursor: Cursor): number {
	const end = readVarint(cursor) + cursor.position;
	if (end > cursor.end) throw truncated();
	return end;
}

function advance(cursor: Cursor, length: number): number {
	const start = cursor.position;
	if (start + length > cursor.end) throw truncated();
	cursor.position = start + length;
	return start;
}

const viewOf = ({bytes}: Cursor): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
export const readFixed32 = (cursor: Cursor): number => viewOf(cursor).getUint32(advance(cursor, 4), true);
export const readFixed64 = (cursor: Cursor): bigint => viewOf(cursor).getBigUint64(advance(cursor, 8), true);
export const readSignedFixed64 = (cursor: Cursor): bigint => viewOf(cursor).getBigInt64(advance(cursor, 8), true);
export const readDouble = (cursor: Cursor): number => viewOf(cursor).getFloat64(advance(cursor, 8), true);

export function readBytes(cursor: Cursor): Uint8Array {
	const end = readEnd(cursor);
	const start = advance(cursor, end - cursor.position);
	return cursor.bytes.subarray(start, end);
}

// A leading U+FEFF in a protobuf string is text.
const utf8 = new TextDecoder('utf-8', {fatal: true, ignoreBOM: true});

export function textOfBytes(bytes: Uint8Array, start = 0, end = bytes.length): string {
	try {
		return utf8.decode(bytes.subarray(start, end));
	} catch (error) {
		throw new BridgeError('ERR_MALFORMED', 'protobuf: a string is not valid UTF-8', {cause: error});
	}
}

export const readText = (cursor: Cursor): string => textOfBytes(readBytes(cursor));

/** Steps over the field whose tag was just read. */
export function skip(cursor: Cursor, tag: number): void {
	const wireType = tag & 7;
	if (wireType === 0) readVarint(cursor);
	else if (wireType === 1) advance(cursor, 8);
	else if (wireType === 2) cursor.position = readEnd(cursor);
	else if (wireType === 3) skipGroup(cursor, tag);
	else if (wireType === 5) advance(cursor, 4);
	else throw malformed(wireType === 4 ? 'protobuf: a group ends that did not begin' : `protobuf: illegal wire type ${wireType}`);
}

/** Groups are long out of use, but an unknown field may be one. */
function skipGroup(cursor: Cursor, startTag: number): void {
	const open = [startTag];
	while (open.length > 0) {
		const tag = readTag(cursor);
		if ((tag & 7) === 3) open.push(tag);
		else if ((tag & 7) !== 4) skip(cursor, tag);
		else if (open.pop() !== tag - 1) throw malformed('protobuf: a group ends that did not begin');
		if (open.length > groupDepthLimit) throw malformed(`protobuf: groups nested deeper than ${groupDepthLimit}`);
	}
}

/** Calls `visit` with the bounds of every length-delimited field that has this tag, and steps over all others. */
export function eachField(
	bytes: Uint8Array,
	start: number,
	end: number,
	wanted: number,
	visit: (start: number, end: number) => void,
): void {
	const cursor = cursorOf(bytes, start, end);
	while (cursor.position < end) {
		const tag = readTag(cursor);
		if (tag !== wanted) {
			skip(cursor, tag);
			continue;
		}
		const fieldEnd = readEnd(cursor);
		visit(cursor.position, fieldEnd);
		cursor.position = fieldEnd;
	}
}
