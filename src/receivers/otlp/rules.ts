import {type Attributes, type AttributeValue, textOf} from '../../event.ts';
import {compilePattern, type Pattern} from './pattern.ts';
import type {Metric, Resource} from './record.ts';
import {type LogRule, logRulesOf, type MetricRule, metricRulesOf, type Selection} from './selection.ts';

/** A condition on an attribute, which is named by its place among the keys that the rules look at. */
type KeyCondition = {readonly key: number; readonly pattern: Pattern};
type Condition = {readonly name: string; readonly pattern: Pattern};

type RecordRule = {
	readonly eventName: Pattern | undefined;
	readonly minSeverity: number;
	readonly attributes: readonly KeyCondition[];
	readonly anyAttribute: readonly number[];
	readonly resource: readonly Condition[];
	readonly body: Pattern | undefined;
};

export type RecordRules = {
	/** The attribute keys that matter; the first two are those that can hold the event name. */
	readonly keys: readonly string[];
	readonly rules: readonly RecordRule[];
};

/** A log record as the rules see it: over the bytes in protobuf, over the parsed objects in JSON. */
export type RecordView = {
	readonly severity: number;
	matchesEventName(pattern: Pattern): boolean;
	has(key: number): boolean;
	matches(key: number, pattern: Pattern): boolean;
	resource(): Resource;
	/** The body when it is a text, else nothing. Slow: asked for last. */
	body(): string;
};

export const eventNameKeys = ['event.name', 'otel.event.name'] as const;

/** A value that gives no event name, so that the next attribute is asked. */
export const isBlank = (value: AttributeValue | undefined): boolean =>
	value === undefined || value === null || value === '' || typeof value === 'object';

const conditionsOf = (patterns: Readonly<Record<string, readonly string[]>> = {}): Condition[] =>
	Object.entries(patterns).map(([name, texts]) => ({name, pattern: compilePattern(texts)}));

function compileLogRule(rule: LogRule, keyOf: (name: string) => number): RecordRule {
	return {
		eventName: rule.event_name && compilePattern(rule.event_name),
		minSeverity: rule.min_severity ?? Number.NEGATIVE_INFINITY,
		attributes: conditionsOf(rule.attributes).map(({name, pattern}) => ({key: keyOf(name), pattern})),
		anyAttribute: (rule.any_attribute ?? []).map(keyOf),
		resource: conditionsOf(rule.resource),
		body: rule.body && compilePattern(rule.body),
	};
}

export function compileLogRules(selection: Selection): RecordRules {
	const keys: string[] = [...eventNameKeys];
	const keyOf = (name: string) => (keys.includes(name) ? keys.indexOf(name) : keys.push(name) - 1);
	return {keys, rules: logRulesOf(selection).map(rule => compileLogRule(rule, keyOf))};
}

const meets = (conditions: readonly Condition[], attributes: Attributes): boolean =>
	conditions.every(({name, pattern}) => Object.hasOwn(attributes, name) && pattern.matchesValue(attributes[name]));

/** The cheap conditions come first: nearly every record fails one of them. */
function accepts(rule: RecordRule, view: RecordView): boolean {
	if (view.severity < rule.minSeverity) return false;
	if (rule.eventName && !view.matchesEventName(rule.eventName)) return false;
	if (rule.anyAttribute.length > 0 && !rule.anyAttribute.some(key => view.has(key))) return false;
	for (const {key, pattern} of rule.attributes) if (!view.matches(key, pattern)) return false;
	if (rule.resource.length > 0 && !meets(rule.resource, view.resource().attributes)) return false;
	return !rule.body || rule.body.matchesText(view.body());
}

export function isWanted({rules}: RecordRules, view: RecordView): boolean {
	for (const rule of rules) if (accepts(rule, view)) return true;
	return false;
}

export type PointRule = {
	readonly name: Pattern;
	readonly state: Pattern | undefined;
	readonly growing: boolean;
	readonly equals: number | undefined;
	readonly above: number;
	/** Below it the state is over. */
	readonly clearBelow: number | undefined;
	readonly confirm: {readonly count: number; readonly of: number} | undefined;
	readonly health: boolean;
	readonly attributes: readonly Condition[];
	readonly resource: readonly Condition[];
};

const compileMetricRule = (rule: MetricRule): PointRule => ({
	name: compilePattern(rule.name),
	state: rule.state && compilePattern(rule.state),
	growing: rule.growing ?? false,
	equals: rule.equals,
	above: rule.above ?? Number.NEGATIVE_INFINITY,
	clearBelow: rule.clear_below ?? (rule.samples && rule.above),
	confirm: rule.samples,
	health: rule.health ?? false,
	attributes: conditionsOf(rule.attributes),
	resource: conditionsOf(rule.resource),
});

export const compileMetricRules = (selection: Selection): PointRule[] => metricRulesOf(selection).map(compileMetricRule);

/** Where a threshold is given without one for the end, there is no point of the end. */
export const isCleared = ({clearBelow, above}: PointRule, value: number): boolean =>
	clearBelow !== undefined && (value < clearBelow || (value === clearBelow && value <= above));

function acceptsPoint(rule: PointRule, value: number, attributes: Attributes, resource: () => Resource): boolean {
	if (rule.equals !== undefined && value !== rule.equals) return false;
	if (value <= rule.above && !isCleared(rule, value)) return false;
	if (rule.state && !rule.state.matchesValue(textOf(attributes, 'hw.state', 'state'))) return false;
	if (!meets(rule.attributes, attributes)) return false;
	return rule.resource.length === 0 || meets(rule.resource, resource().attributes);
}

/** A metric that is named by rules. */
export type SelectedMetric = Metric & {readonly rules: readonly PointRule[]};

/** The first rule that selects the point: it says what the point measures. */
export const ruleFor = (
	{rules}: SelectedMetric,
	value: number,
	attributes: Attributes,
	resource: () => Resource,
): PointRule | undefined => rules.find(rule => acceptsPoint(rule, value, attributes, resource));
