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

function checkDepth(body: Uint8Array): void {
	let depth = 0;
	for (let position = 0; position < body.length; position++) {
		const byte = body[position] ?? 0;
		if (byte === quote) position = endOfString(body, position);
		else if ((byte | 0x20) === 0x7b && ++depth > bracketLimit) throw malformed(`JSON: nested deeper than ${bracketLimit}`);
		else if ((byte | 0x20) === 0x7d) depth--;
	}
}

/** A number of so many digits may not be exact as a double. */
const longInteger = /[:[,\s]-?\d{16}/;

/** Integers beyond 2^53 in full, as bigint. Longer ones than 64 bits need stay what they are. */
function exactInteger(_key: string, value: unknown, context?: {readonly source?: string}): unknown {
	const source = context?.source;
	if (typeof value !== 'number' || Number.isSafeInteger(value) || source === undefined) return value;
	return /^-?\d{16,20}$/.test(source) ? BigInt(source) : value;
}

const utf8 = new TextDecoder('utf-8', {fatal: true});

/** The body as a JSON object. The slower, exact way of parsing is taken only where a long integer is in the text. */
export function parseObject(body: Uint8Array): JsonObject {
	checkDepth(body);
	let value: unknown;
	try {
		const text = utf8.decode(body);
		value = longInteger.test(text) ? JSON.parse(text, exactInteger) : JSON.parse(text);
	} catch (error) {
		throw new BridgeError('ERR_MALFORMED', `not valid JSON: ${toError(error).message.slice(0, 200)}`, {cause: error});
	}
	if (!isObject(value)) throw malformed('JSON: the request is not an object');
	return value;
}
