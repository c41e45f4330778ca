import type {AlertRule} from '../../dashboards/alert-rules/rule.ts';

export type Mutant = {
	readonly rule: AlertRule;
	readonly mutated: AlertRule;
	/** What was changed, and where: the same text for the same change as long as the rule is the same. */
	readonly change: string;
};

/** Texts, durations, numbers, words and operators; the rest is kept as it is. */
const token = /"(?:[^"\\]|\\.)*"|\d+(?:\.\d+)?(?:ms|[smhd])\b|\d+(?:\.\d+)?|[a-z_]\w*|[=!]~|[=!<>]=|[=<>+*/-]/gi;

/** No sum becomes a maximum, nor that a minimum: nearly all are of one series each, and only choose labels. */
const swapped: Readonly<Record<string, readonly string[]>> = {
	'==': ['!='],
	'!=': ['=='],
	'>': ['<'],
	'<': ['>'],
	'>=': ['<'],
	'<=': ['>'],
	'=~': ['!~'],
	'!~': ['=~'],
	'=': ['!='],
	and: ['unless', 'or'],
	unless: ['and', 'or'],
	or: ['and'],
	increase: ['delta'],
	rate: ['increase'],
	'+': ['-'],
	'-': ['+'],
	'*': ['/'],
	'/': ['*'],
};

const durationText = (text: string, factor: number) => {
	const [, value = '', unit = ''] = /^([\d.]+)(\w+)$/.exec(text) ?? [];
	const millis = Number(value) * {ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000}[unit as 'ms'];
	return `${Math.max(1, Math.round((millis * factor) / 1000))}s`;
};

/**
A half more and a third less: far enough to be seen at the next minute, near enough to find a case that is far off the limit.
Small counts change by one.
*/
function mutationsOf(text: string): readonly string[] {
	if (/^\d+(\.\d+)?(ms|[smhd])$/.test(text)) return [durationText(text, 1.5), durationText(text, 2 / 3)];
	if (text === '0' || text === '1') return [String(Number(text) + 1), `(${Number(text) - 1})`];
	if (/^\d/.test(text)) return [1.5, 2 / 3].map(factor => String(Number(text) * factor));
	return swapped[text] ?? [];
}

function changesOf(expr: string): readonly {readonly expr: string; readonly change: string}[] {
	return [...expr.matchAll(token)].flatMap(({0: text, index}) =>
		mutationsOf(text).map(other => ({
			expr: expr.slice(0, index) + other + expr.slice(index + text.length),
			change: `${text} → ${other} after ${JSON.stringify(expr.slice(Math.max(0, index - 40), index))}`,
		})),
	);
}

/** Labels that alerts are told apart by, taken out of each place. */
function withoutLabels(expr: string): readonly {readonly expr: string; readonly change: string}[] {
	return [...expr.matchAll(/\b(by|on) \(([^)]+)\)/g)].flatMap(({0: whole, 1: word = '', 2: list = '', index}) => {
		const labels = list.split(', ');
		return labels.map(label => ({
			expr: `${expr.slice(0, index)}${word} (${labels.filter(other => other !== label).join(', ')})${expr.slice(index + whole.length)}`,
			change: `without ${label} at ${JSON.stringify(expr.slice(Math.max(0, index - 40), index))}`,
		}));
	});
}

/** Every way in which one place of a rule may be wrong. */
export function mutantsOf(rule: AlertRule): readonly Mutant[] {
	const exprs = [...changesOf(rule.expr), ...withoutLabels(rule.expr)];
	const spans = [durationText(rule.for, 1.5), durationText(rule.for, 2 / 3)].map(span => ({
		for: span,
		change: `for ${rule.for} → ${span}`,
	}));
	return [...exprs, ...spans].map(({change, ...changed}) => ({rule, mutated: {...rule, ...changed}, change}));
}
