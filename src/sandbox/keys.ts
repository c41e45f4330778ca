import {createHash, timingSafeEqual} from 'node:crypto';
import {redact, Secret} from '../secret.ts';

const namesKey = (name: string): boolean => /^(?:api|private)[-_]?key$/i.test(name);

/** A shorter value is no secret, and to blot it out wherever it occurs would make the record unreadable. */
const minimalLength = 8;

/** Every text under the name of a key, at any depth. The value must not be nested without bound. */
export function keysIn(value: unknown, underKey = false): Secret[] {
	if (typeof value === 'string') return underKey && value.length >= minimalLength ? [new Secret(value)] : [];
	if (typeof value !== 'object' || value === null) return [];
	return Object.entries(value).flatMap(([name, item]) => keysIn(item, underKey || namesKey(name)));
}

/** A copy that may be kept: nothing under the name of a key, nor a key that was put elsewhere. */
export function withoutKeys(value: unknown, keys: readonly Secret[]): unknown {
	if (typeof value === 'string') return redact(value, keys);
	if (typeof value !== 'object' || value === null) return value;
	if (Array.isArray(value)) return value.map(item => withoutKeys(item, keys));
	return Object.fromEntries(
		Object.entries(value).map(([name, item]) => [redact(name, keys), namesKey(name) ? '[redacted]' : withoutKeys(item, keys)]),
	);
}

export const isSame = (secret: Secret, candidate: string): boolean => timingSafeEqual(digest(secret.reveal()), digest(candidate));

const digest = (text: string) => createHash('sha256').update(text).digest();
