import {hash} from 'node:crypto';
import type {Attributes, AttributeValue} from '../../event.ts';
import type {Resource} from './record.ts';

function canonicalMap(attributes: Attributes): string {
	const keys = Object.keys(attributes).sort();
	return `{${keys.map(key => `${JSON.stringify(key)}:${canonical(attributes[key] ?? null)}`).join(',')}}`;
}

const isArray = (value: AttributeValue): value is readonly AttributeValue[] => Array.isArray(value);

/** JSON with sorted keys, and integers in full: one text for equal values, whichever encoding they came in. */
export function canonical(value: AttributeValue): string {
	if (typeof value === 'string') return JSON.stringify(value);
	if (value === null || typeof value !== 'object') return String(value);
	return isArray(value) ? `[${value.map(canonical).join(',')}]` : canonicalMap(value);
}

/** 128 bits are enough to tell events apart. */
export const digestOf = (...parts: readonly AttributeValue[]): string => hash('sha256', canonical(parts), 'hex').slice(0, 32);

export const resourceOf = (attributes: Attributes): Resource => ({attributes, digest: digestOf(attributes)});
