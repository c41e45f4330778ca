import type {Attributes, AttributeValue} from '../../event.ts';
import {integerOf} from './protobuf-values.ts';
import {limits} from './record.ts';
import {malformed} from './wire.ts';

/** A JSON object whose members are not yet known to be what they should be. */
export type JsonObject = {readonly [key: string]: unknown};

export const isObject = (value: unknown): value is JsonObject =>
	typeof value === 'object' && value !== null && !Array.isArray(value);

const snakeCaseNames = new Map<string, string>();

function snakeCaseOf(name: string): string {
	const known = snakeCaseNames.get(name);
	if (known !== undefined) return known;
	const converted = name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`);
	snakeCaseNames.set(name, converted);
	return converted;
}

/** A member by its lowerCamelCase name, or by the name that the .proto files have. A null is as good as none. */
export const member = (object: JsonObject, name: string): unknown => object[name] ?? object[snakeCaseOf(name)] ?? undefined;

export function objectIn(value: unknown, what: string): JsonObject {
	if (!isObject(value)) throw malformed(`JSON: ${what} is not an object`);
	return value;
}

export function listIn(object: JsonObject, name: string): readonly unknown[] {
	const value = member(object, name) ?? [];
	if (!Array.isArray(value)) throw malformed(`JSON: ${name} is not an array`);
	return value;
}

export function textIn(object: JsonObject, name: string): string {
	const value = member(object, name) ?? '';
	if (typeof value !== 'string') throw malformed(`JSON: ${name} is not a string`);
	if (!value.isWellFormed()) throw malformed(`JSON: ${name} is not valid Unicode`);
	return value;
}

/** A 64-bit integer, as a number or as a string. Those beyond 2^53 come as bigint from the parser. */
export function integer64In(object: JsonObject, name: string): bigint {
	const value = member(object, name) ?? 0;
	if (typeof value === 'bigint') return value;
	if (typeof value === 'number' && Number.isInteger(value)) return BigInt(value);
	if (typeof value === 'string' && /^-?\d{1,20}$/.test(value)) return BigInt(value);
	throw malformed(`JSON: ${name} is not an integer`);
}

/** An unsigned 32-bit number. */
export const integer32In = (object: JsonObject, name: string): number => Number(BigInt.asUintN(32, integer64In(object, name)));

const specialDoubles: ReadonlySet<unknown> = new Set(['NaN', 'Infinity', '-Infinity']);

export function doubleIn(object: JsonObject, name: string): number {
	const value = member(object, name);
	const isNumber = typeof value === 'number' || typeof value === 'bigint';
	const isText = typeof value === 'string' && (specialDoubles.has(value) || /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(value));
	if (!isNumber && !isText) throw malformed(`JSON: ${name} is not a number`);
	return Number(value);
}

/** Ids are hex in OTLP's JSON, unlike other bytes. */
export function idIn(object: JsonObject, name: string, length: number): string {
	const text = textIn(object, name).toLowerCase();
	if (text !== '' && (text.length !== 2 * length || !/^[0-9a-f]+$/.test(text))) {
		throw malformed(`JSON: ${name} is not ${2 * length} hexadecimal digits`);
	}
	return text;
}

function base64In(object: JsonObject, name: string): string {
	const text = textIn(object, name);
	if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(text)) throw malformed(`JSON: ${name} is not base64`);
	return Buffer.from(text, 'base64').toString('base64');
}

function booleanIn(object: JsonObject, name: string): boolean {
	const value = member(object, name);
	if (typeof value !== 'boolean') throw malformed(`JSON: ${name} is not true or false`);
	return value;
}

function signed64In(object: JsonObject, name: string): bigint {
	const value = integer64In(object, name);
	if (BigInt.asIntN(64, value) !== value) throw malformed(`JSON: ${name} is beyond 64 bits`);
	return value;
}

/** The members of AnyValue, of which one may be set. */
const anyValueReaders: Readonly<Record<string, (object: JsonObject, name: string, depth: number) => AttributeValue>> = {
	stringValue: textIn,
	boolValue: booleanIn,
	intValue: (object, name) => integerOf(signed64In(object, name)),
	doubleValue: doubleIn,
	bytesValue: base64In,
	arrayValue: (object, name, depth) =>
		listIn(objectIn(member(object, name), name), 'values').map(value => anyValueOf(value, depth + 1)),
	kvlistValue: (object, name, depth) => attributesIn(objectIn(member(object, name), name), 'values', depth),
};

export function anyValueOf(value: unknown, depth = 1): AttributeValue {
	if (depth > limits.depth) throw malformed(`an attribute is nested deeper than ${limits.depth}`);
	if (value === undefined || value === null) return null;
	const object = objectIn(value, 'an AnyValue');
	const [set, ...others] = Object.entries(anyValueReaders).filter(([name]) => member(object, name) !== undefined);
	if (others.length > 0) throw malformed('JSON: an AnyValue has more than one value');
	return set ? set[1](object, set[0], depth) : null;
}

/** Each attribute by its key, its value not yet read. The last of a key wins. */
export const keyValuesIn = (object: JsonObject, name: string): (readonly [string, unknown])[] =>
	listIn(object, name).map(item => {
		const keyValue = objectIn(item, `an item of ${name}`);
		return [textIn(keyValue, 'key'), member(keyValue, 'value')] as const;
	});

/** fromEntries makes own properties of any key, `__proto__` too. */
export const attributesIn = (object: JsonObject, name: string, depth = 0): Attributes =>
	Object.fromEntries(keyValuesIn(object, name).map(([key, value]) => [key, anyValueOf(value, depth + 1)]));
