import {readFileSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {parseDocument} from 'yaml';
import {z} from 'zod';
import {BridgeError, toError} from '../errors.ts';
import {maxRulesSize} from './manifest.ts';

/** Whose rules are in force. It is the operator's file: he may change or remove it. */
export const rulesFile = (directory: string): string => join(directory, 'rules.yaml');

/** The rules that were applied, as text; undefined when there are none. Throws ERR_CONFIG when they cannot be read. */
export function loadRules(directory: string): string | undefined {
	const file = rulesFile(directory);
	try {
		const size = statSync(file, {throwIfNoEntry: false})?.size;
		if (size === undefined) return undefined;
		if (size <= maxRulesSize) return readFileSync(file, 'utf8');
	} catch (cause) {
		throw new BridgeError('ERR_CONFIG', `${file} cannot be read: ${toError(cause).message}`, {cause});
	}
	throw new BridgeError('ERR_CONFIG', `${file} is larger than ${maxRulesSize} bytes: it is no list of rules`);
}

const mostRules = 10_000;

export type Rules<Rule> = {readonly rules: readonly Rule[]; readonly faults: readonly string[]};

/** Reads a YAML list of rules, each as the schema has it. With a fault, there are no rules. */
export function readRules<Rule>(text: string, rule: z.ZodType<Rule>): Rules<Rule> {
	if (text.length > maxRulesSize) return {rules: [], faults: [`is larger than ${maxRulesSize} bytes`]};
	const document = parseDocument(text, {prettyErrors: false});
	if (document.errors.length > 0) return {rules: [], faults: document.errors.map(({message}) => message)};
	let value: unknown;
	try {
		value = document.toJS({maxAliasCount: 100});
	} catch (error) {
		return {rules: [], faults: [toError(error).message]};
	}
	const {data, error} = z
		.array(rule, 'is not a YAML list of rules')
		.max(mostRules, `has more than ${mostRules} rules`)
		.safeParse(value);
	return data ? {rules: data, faults: []} : {rules: [], faults: error.issues.map(faultOf)};
}

const faultOf = ({path, message}: z.core.$ZodIssue): string =>
	path.length === 0
		? message
		: `rule ${path.map((step, index) => (index === 0 ? Number(step) + 1 : String(step))).join(' ')}: ${message}`;

export type NamedRule = {readonly match: Readonly<Record<string, string | readonly string[]>>; readonly verdict: string};

/** A rule has no name but what it says, such as `never: hw.type=fan, hw.state=degraded|failed`. */
export const ruleName = ({match, verdict}: NamedRule): string =>
	`${verdict}: ${Object.entries(match)
		.map(([name, pattern]) => `${name}=${[pattern].flat().join('|')}`)
		.join(', ')}`;

/** The names of the rules that come and go. */
export function rulesDifference(before: readonly NamedRule[], after: readonly NamedRule[]) {
	const [old, young] = [new Set(before.map(ruleName)), new Set(after.map(ruleName))];
	return {added: [...young.difference(old)], removed: [...old.difference(young)]};
}
