import type {AttributeValue} from '../../event.ts';
import {textOfBytes} from './wire.ts';

/** A compiled pattern of the selection. */
export type Pattern = {
	matchesText(text: string): boolean;
	/** The same for UTF-8 in place, which an exact pattern answers without decoding. */
	matchesBytes(bytes: Uint8Array, start: number, end: number): boolean;
	/** An array, a map or a null has no text: only `*` matches it. */
	matchesValue(value: AttributeValue | undefined): boolean;
};

const anything: Pattern = {
	matchesText: () => true,
	matchesBytes: () => true,
	matchesValue: value => value !== undefined,
};

function matchesScalar(value: AttributeValue | undefined, matches: (text: string) => boolean): boolean {
	return value !== undefined && value !== null && typeof value !== 'object' && matches(String(value));
}

/** Whether the bytes are exactly these. The first and the last byte are compared first: names often share a beginning. */
export function equalBytes(expected: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
	const {length} = expected;
	if (end - start !== length) return false;
	if (length > 0 && (bytes[start] !== expected[0] || bytes[end - 1] !== expected[length - 1])) return false;
	for (let index = 1; index < length - 1; index++) if (bytes[start + index] !== expected[index]) return false;
	return true;
}

function exact(expected: string): Pattern {
	const expectedBytes = Buffer.from(expected);
	return {
		matchesText: text => text === expected,
		matchesBytes: (bytes, start, end) => equalBytes(expectedBytes, bytes, start, end),
		matchesValue: value => matchesScalar(value, text => text === expected),
	};
}

/** Each part is searched after the one before it, so the time is that of one pass whatever the pattern and the text. */
function matchesParts(parts: readonly string[], text: string): boolean {
	const first = parts[0] ?? '';
	const last = parts.at(-1) ?? '';
	if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
	let position = first.length;
	for (const part of parts.slice(1, -1)) {
		const found = text.indexOf(part, position);
		if (found < 0) return false;
		position = found + part.length;
	}
	return position <= text.length - last.length;
}

function wildcard(pattern: string): Pattern {
	const parts = pattern.split('*');
	const matches = (text: string) => matchesParts(parts, text);
	return {
		matchesText: matches,
		matchesBytes: (bytes, start, end) => matches(textOfBytes(bytes, start, end)),
		matchesValue: value => matchesScalar(value, matches),
	};
}

function compileText(text: string): Pattern {
	if (text === '*') return anything;
	return text.includes('*') ? wildcard(text) : exact(text);
}

/** A list of texts means any of them. */
export function compilePattern(texts: readonly string[]): Pattern {
	const patterns = texts.map(compileText);
	const [only] = patterns;
	if (only && patterns.length === 1) return only;
	return {
		matchesText: text => patterns.some(pattern => pattern.matchesText(text)),
		matchesBytes: (bytes, start, end) => patterns.some(pattern => pattern.matchesBytes(bytes, start, end)),
		matchesValue: value => patterns.some(pattern => pattern.matchesValue(value)),
	};
}
