import {type Attributes, textOf} from '../event.ts';

export type Pattern = string | readonly string[];
export type Match = Readonly<Record<string, Pattern>>;

/** Each part is looked for behind the one before it: one pass over the text, however many `*` the pattern has. */
function fits(parts: readonly string[], text: string): boolean {
	const [first = '', ...rest] = parts;
	const last = rest.pop();
	if (last === undefined) return text === first;
	if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
	let from = first.length;
	for (const part of rest) {
		const at = text.indexOf(part, from);
		if (at < 0) return false;
		from = at + part.length;
	}
	return from <= text.length - last.length;
}

/** A function that asks whether all the patterns hold of the attributes. An absent attribute matches nothing. */
export function createMatcher(match: Match): (attributes: Attributes) => boolean {
	const conditions = Object.entries(match).map(([name, pattern]) => ({
		name,
		alternatives: [pattern].flat().map(text => text.split('*')),
	}));
	return function matches(attributes) {
		return conditions.every(({name, alternatives}) => {
			const text = textOf(attributes, name);
			return text !== undefined && alternatives.some(parts => fits(parts, text));
		});
	};
}
