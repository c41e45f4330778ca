import {BridgeError, toError} from '../../errors.ts';
import {isObject, type JsonObject} from './json-values.ts';
import {malformed} from './wire.ts';

/** Deeper than the deepest attribute that is read (four brackets a level), and shallow enough for any parser. */
const bracketLimit = 300;

const quote = 0x22;
const backslash = 0x5c;

/** Where the string ends whose opening quote is at `start`. */
function endOfString(body: Uint8Array, start: number): number {
	let end = body.indexOf(quote, start + 1);
	while (end > 0 && isEscaped(body, start, end)) end = body.indexOf(quote, end + 1);
	return end < 0 ? body.length : end;
}

function isEscaped(body: Uint8Array, start: number, position: number): boolean {
	let first = position;
	while (first - 1 > start && body[first - 1] === backslash) first--;
	return (position - first) % 2 === 1;
}

type Span = {readonly start: number; readonly end: number};

/** Integers of so many digits may not be exact as a double. */
const longestExactDigits = 15;

const isNumberByte = (byte: number): boolean =>
	(byte >= 0x30 && byte <= 0x39) || byte === 0x2d || byte === 0x2b || byte === 0x2e || (byte | 0x20) === 0x65;

function endOfNumber(body: Uint8Array, start: number): number {
	let end = start;
	while (end < body.length && isNumberByte(body[end] ?? 0)) end++;
	return end;
}

/** An integer, and no fraction or exponent. */
function isLongInteger(body: Uint8Array, {start, end}: Span): boolean {
	const first = body[start] === 0x2d ? start + 1 : start;
	return end - first > longestExactDigits && body.subarray(first, end).every(byte => byte >= 0x30 && byte <= 0x39);
}

/** Checks the depth, and finds the long integers outside of strings. */
function scan(body: Uint8Array): Span[] {
	const longIntegers: Span[] = [];
	let depth = 0;
	for (let position = 0; position < body.length; position++) {
		const byte = body[position] ?? 0;
		if (byte === quote) position = endOfString(body, position);
		else if ((byte | 0x20) === 0x7b && ++depth > bracketLimit) throw malformed(`JSON: nested deeper than ${bracketLimit}`);
		else if ((byte | 0x20) === 0x7d) depth--;
		else if (byte === 0x2d || (byte >= 0x30 && byte <= 0x39)) {
			const span = {start: position, end: endOfNumber(body, position)};
			if (isLongInteger(body, span)) longIntegers.push(span);
			position = span.end - 1;
		}
	}
	return longIntegers;
}

const utf8 = new TextDecoder('utf-8', {fatal: true});

/** The text with its long integers in quotes: OTLP/JSON takes 64-bit integers as decimal text, and a text is exact. */
function quoted(body: Uint8Array, longIntegers: readonly Span[]): string {
	const parts: string[] = [];
	let from = 0;
	for (const {start, end} of longIntegers) {
		parts.push(utf8.decode(body.subarray(from, start)), '"', utf8.decode(body.subarray(start, end)), '"');
		from = end;
	}
	parts.push(utf8.decode(body.subarray(from)));
	return parts.join('');
}

/** The body as a JSON object. */
export function parseObject(body: Uint8Array): JsonObject {
	const longIntegers = scan(body);
	let value: unknown;
	try {
		value = JSON.parse(quoted(body, longIntegers));
	} catch (error) {
		throw new BridgeError('ERR_MALFORMED', `not valid JSON: ${toError(error).message.slice(0, 200)}`, {cause: error});
	}
	if (!isObject(value)) throw malformed('JSON: the request is not an object');
	return value;
}
