const decoder = new TextDecoder('utf-8', {fatal: true, ignoreBOM: true});

/** JSON in UTF-8 without a byte order mark. Throws what says why it is none. */
export function parseJson(bytes: Uint8Array): {readonly text: string; readonly value: unknown} {
	const text = decoder.decode(bytes);
	return {text, value: JSON.parse(text)};
}

/**
Whether an object of a JSON text names a key twice: one reader takes the first, another the last of them. `value` is what the
text was parsed to, of bounded depth.
*/
export function hasRepeatedKey(text: string, value: unknown): boolean {
	// In JSON, a string before a colon is a key.
	const strings = text.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?/g);
	return strings.filter(([, colon]) => colon !== undefined).reduce(count => count + 1, 0) !== countKeys(value);
}

function countKeys(value: unknown): number {
	if (typeof value !== 'object' || value === null) return 0;
	const own = Array.isArray(value) ? 0 : Object.keys(value).length;
	return Object.values(value).reduce((sum: number, item) => sum + countKeys(item), own);
}
