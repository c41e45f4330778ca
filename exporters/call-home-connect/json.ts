type JsonObject = {readonly [field: string]: unknown};

const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

/** A value inside a reply, or undefined where the reply has another shape. Only what the reply itself says: no prototype. */
export function fieldOf(value: unknown, ...path: readonly string[]): unknown {
	let inner = value;
	for (const name of path) {
		if (!isObject(inner) || !Object.hasOwn(inner, name)) return undefined;
		inner = inner[name];
	}
	return inner;
}

export const entriesOf = (value: unknown): readonly (readonly [string, unknown])[] =>
	isObject(value) ? Object.entries(value) : [];
export const itemsOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** The JSON of a reply; undefined when it is none. */
export function parsed(body: string): unknown {
	try {
		return JSON.parse(body);
	} catch {
		return undefined;
	}
}

// A reply is bounded in bytes; this bounds the work on one that is made of brackets.
const mostVisited = 20_000;

/**
The first `error` that says something, anywhere in the value, nearest to the top. Numbers and texts count; so does a `true`.
A queue instead of recursion: the depth of a reply is the sender's choice.
*/
export function errorTextIn(value: unknown): string | undefined {
	const queue: unknown[] = [value];
	for (let visited = 0; visited < queue.length && visited < mostVisited; visited++) {
		const inner = queue[visited];
		if (typeof inner !== 'object' || inner === null) continue;
		const said = sayingOf(fieldOf(inner, 'error'));
		if (said !== undefined) return said;
		for (const next of Object.values(inner)) {
			if (queue.length < mostVisited && typeof next === 'object') queue.push(next);
		}
	}
	return undefined;
}

function sayingOf(error: unknown): string | undefined {
	if (typeof error === 'string') return error.trim() === '' ? undefined : error;
	if (typeof error === 'number' && error !== 0) return String(error);
	if (error === true) return 'an error without a text';
	for (const name of ['message', 'text', 'description', 'code']) {
		const inner = fieldOf(error, name);
		if ((typeof inner === 'string' && inner.trim() !== '') || typeof inner === 'number') return String(inner);
	}
	return undefined;
}
