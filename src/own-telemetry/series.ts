import type {Attributes, AttributeValue} from '@opentelemetry/api';
import {
	DataPointType,
	type Histogram,
	type MetricData,
	type ResourceMetrics,
	type ScopeMetrics,
} from '@opentelemetry/sdk-metrics';
import {ATTR_SERVICE_INSTANCE_ID, ATTR_SERVICE_NAME, ATTR_SERVICE_NAMESPACE} from '@opentelemetry/semantic-conventions';
import {labelNameOf, type MetricKind, metricNameOf} from './names.ts';
import {type Steps, stepLength} from './turns.ts';

export type Label = readonly [name: string, value: string];
/** One line of the page; `le` is the upper bound of a bucket. */
export type Sample = {readonly suffix: '' | '_bucket' | '_sum' | '_count'; readonly le?: number; readonly value: number};
export type Series = {
	readonly labels: readonly Label[];
	/** The labels as a line of the page has them, between its braces. */
	readonly text: string;
	readonly samples: readonly Sample[];
};
/** All series of one name: they share type and help text. */
export type Family = {
	readonly name: string;
	readonly type: 'counter' | 'gauge' | 'histogram';
	readonly help: string;
	/** By their labels: Prometheus knows no two series with the same ones. */
	readonly series: Map<string, Series>;
};
export type Families = Map<string, Family>;

/** The metrics as Prometheus sees them: with the same families, types and labels as the Collector's exporter makes of them. */
export function* familiesOf({resource, scopeMetrics}: ResourceMetrics): Steps<Families> {
	const families: Families = new Map();
	const identity = identityOf(resource.attributes);
	addTargetInfo(families, resource.attributes, identity);
	for (const {scope, metrics} of scopeMetrics) {
		const fixed: Label[] = [...scopeLabels(scope), ...identity];
		for (const metric of metrics) yield* addMetric(families, metric, fixed);
	}
	return families;
}

const identityKeys: readonly string[] = [ATTR_SERVICE_NAME, ATTR_SERVICE_NAMESPACE, ATTR_SERVICE_INSTANCE_ID];

function identityOf(resource: Attributes): Label[] {
	const [name, namespace, instance] = identityKeys.map(key => resource[key]);
	const labels: Label[] = [];
	if (name !== undefined)
		labels.push(['job', namespace === undefined ? labelValueOf(name) : `${labelValueOf(namespace)}/${labelValueOf(name)}`]);
	if (instance !== undefined) labels.push(['instance', labelValueOf(instance)]);
	return labels;
}

/** What is known of the sender goes into one series of its own, to be joined by job and instance; without both it is of no use. */
function addTargetInfo(families: Families, resource: Attributes, identity: readonly Label[]): void {
	if (identity.length < 2) return;
	const described = Object.entries(resource).filter(([key]) => !identityKeys.includes(key));
	const family = familyFor(families, 'target_info', 'gauge', 'Target metadata');
	if (family) addSeries(family, labelsOf(Object.fromEntries(described), identity), [{suffix: '', value: 1}]);
}

const scopeLabels = ({name, version, schemaUrl}: ScopeMetrics['scope']): Label[] => [
	['otel_scope_name', name],
	['otel_scope_version', version ?? ''],
	['otel_scope_schema_url', schemaUrl ?? ''],
];

function* addMetric(families: Families, metric: MetricData, fixed: readonly Label[]): Steps<void> {
	const {name, unit, description} = metric.descriptor;
	const kind = kindOf(metric);
	const translated = metricNameOf(name, unit, kind);
	if (translated === undefined || metric.dataPoints.length === 0) return;
	const family = familyFor(families, translated, kind === 'updowncounter' ? 'gauge' : kind, description);
	if (!family) return;
	for (const [index, {attributes, value}] of metric.dataPoints.entries()) {
		if (index % stepLength === 0) yield;
		// A histogram writes an `le` of its own into its bucket lines.
		const labels = labelsOf(attributes, fixed).filter(([label]) => kind !== 'histogram' || label !== 'le');
		addSeries(family, labels, samplesOf(value));
	}
}

function kindOf(metric: MetricData): MetricKind {
	if (metric.dataPointType === DataPointType.GAUGE) return 'gauge';
	if (metric.dataPointType === DataPointType.SUM) return metric.isMonotonic ? 'counter' : 'updowncounter';
	return 'histogram';
}

/** The family of that name, if the page can have one: the first to come settles type and help text. */
function familyFor(families: Families, name: string, type: Family['type'], help: string): Family | undefined {
	const known = families.get(name);
	if (known) return known.type === type ? known : undefined;
	if (isTaken(families, name, type)) return undefined;
	const family: Family = {name, type, help, series: new Map()};
	families.set(name, family);
	return family;
}

/** Whether a line of the family would read as a line of a histogram, or the other way round. */
function isTaken(families: Families, name: string, type: Family['type']): boolean {
	const stem = name.replace(/_(?:bucket|sum|count)$/, '');
	if (stem !== name && families.get(stem)?.type === 'histogram') return true;
	return type === 'histogram' && ['_bucket', '_sum', '_count'].some(suffix => families.has(name + suffix));
}

function addSeries(family: Family, labels: readonly Label[], samples: readonly Sample[]): void {
	const text = labels.map(([label, value]) => `${label}="${escaped(value)}"`).join(',');
	if (!family.series.has(text)) family.series.set(text, {labels, text, samples});
}

const special = /[\\\n"]/;
/** Most values need no change, and looking is cheaper than changing. */
const escaped = (text: string): string =>
	special.test(text) ? text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"') : text;

/**
The fixed labels, and the attributes under names that Prometheus takes. Attributes that come to the same name share a label:
their values, in the order of the attributes' names, with a semicolon between. None of them changes a fixed label.
*/
function labelsOf(attributes: Attributes, fixed: readonly Label[]): Label[] {
	const labels = new Map<string, string>();
	for (const key of Object.keys(attributes).sort()) {
		const name = labelNameOf(key);
		const value = attributes[key];
		if (name === undefined || value === undefined) continue;
		const earlier = labels.get(name);
		labels.set(name, earlier === undefined ? labelValueOf(value) : `${earlier};${labelValueOf(value)}`);
	}
	for (const [name, value] of fixed) labels.set(name, value.toWellFormed());
	return [...labels].sort(([a], [b]) => (a < b ? -1 : 1));
}

function labelValueOf(value: AttributeValue): string {
	if (Array.isArray(value)) return JSON.stringify(value).toWellFormed();
	// OTLP carries it as a 64-bit integer, which is written with all its digits.
	if (Number.isInteger(value) && Math.abs(Number(value)) < 2 ** 63) return BigInt(Number(value)).toString();
	return String(value).toWellFormed();
}

function samplesOf(value: MetricData['dataPoints'][number]['value']): Sample[] {
	if (typeof value === 'number') return [{suffix: '', value}];
	return [
		...('buckets' in value ? bucketsOf(value) : []),
		{suffix: '_bucket', le: Number.POSITIVE_INFINITY, value: value.count},
		{suffix: '_sum', value: value.sum ?? 0},
		{suffix: '_count', value: value.count},
	];
}

/** Each bucket counts the ones below it, too. */
function bucketsOf({buckets: {boundaries, counts}}: Histogram): Sample[] {
	let value = 0;
	return boundaries.map((le, index) => {
		value += counts[index] ?? 0;
		return {suffix: '_bucket', le, value};
	});
}
