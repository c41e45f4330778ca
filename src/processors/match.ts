import {type Attributes, textOf} from '../event.ts';

export type Pattern = string | readonly string[];
export type Match = Readonly<Record<string, Pattern>>;

const escapeForExpression = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);

function toExpression(pattern: Pattern): RegExp {
	const texts = typeof pattern === 'string' ? [pattern] : pattern;
	const alternatives = texts.map(text => text.split(/\*+/).map(escapeForExpression).join('[^]*'));
	return new RegExp(`^(?:${alternatives.join('|')})$`);
}

/** A function that asks whether all the patterns hold of the attributes. An absent attribute matches nothing. */
export function createMatcher(match: Match): (attributes: Attributes) => boolean {
	const conditions = Object.entries(match).map(([name, pattern]) => ({name, expression: toExpression(pattern)}));
	return function matches(attributes) {
		return conditions.every(({name, expression}) => {
			const text = textOf(attributes, name);
			return text !== undefined && expression.test(text);
		});
	};
}
