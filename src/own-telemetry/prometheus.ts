import {diag} from '@opentelemetry/api';
import {type CollectionResult, MetricReader, type ResourceMetrics, type ScopeMetrics} from '@opentelemetry/sdk-metrics';
import {type Families, type Family, familiesOf, type Sample, type Series} from './series.ts';
import {inTurns, type Steps, stepLength} from './turns.ts';

export const contentType = 'text/plain; version=0.0.4; charset=utf-8';

/** Reads all metrics of this process as one page of Prometheus' text format. */
export type PrometheusReader = {readonly reader: MetricReader; page(): Promise<string>};

/** A metric whose callback answers later than this is missing on the page, and only that one. */
const callbackTimeoutMillis = 5000;

/**
The reader goes to the SDK once; `page` rejects before that and after the shutdown. `more` is what stands on the page beside
the instruments of this process.
*/
export function createPrometheusReader(more: () => readonly ScopeMetrics[] = () => []): PrometheusReader {
	const reader = new PassiveReader();
	return {
		reader,
		async page() {
			const collected = await reader.collect({timeoutMillis: callbackTimeoutMillis});
			reportErrors(collected);
			const {resource, scopeMetrics} = collected.resourceMetrics;
			return inTurns(pageOf({resource, scopeMetrics: [...scopeMetrics, ...more()]}));
		},
	};
}

/** Collects when it is asked, and holds nothing that a flush or a shutdown could lose. */
class PassiveReader extends MetricReader {
	protected override async onForceFlush(): Promise<void> {}
	protected override async onShutdown(): Promise<void> {}
}

function reportErrors({errors}: CollectionResult): void {
	for (const error of errors) diag.warn('A metric could not be read:', error);
}

/** The page of a thousand machines takes a quarter of a second: events wait for a part of it alone. */
function* pageOf(metrics: ResourceMetrics): Steps<string> {
	const texts: string[] = [];
	for (const family of inOrder(yield* familiesOf(metrics))) texts.push(yield* familyText(family));
	return texts.join('');
}

/** Sorted as the Collector sorts, so that two pages can be compared line by line. */
const inOrder = (families: Families): Family[] =>
	[...families.values()].filter(({series}) => series.size > 0).sort((a, b) => (a.name < b.name ? -1 : 1));

function* familyText({name, type, help, series}: Family): Steps<string> {
	const lines = [`# HELP ${name} ${escaped(help.toWellFormed())}`, `# TYPE ${name} ${type}`];
	for (const [index, {text, samples}] of [...series.values()].sort(byLabelValues).entries()) {
		if (index % stepLength === 0) yield;
		for (const sample of samples) lines.push(sampleLine(name, text, sample));
	}
	return `${lines.join('\n')}\n`;
}

function byLabelValues(a: Series, b: Series): number {
	if (a.labels.length !== b.labels.length) return a.labels.length - b.labels.length;
	for (const [index, [, value]] of a.labels.entries()) {
		const other = b.labels[index]?.[1] ?? '';
		if (value !== other) return Buffer.compare(Buffer.from(value), Buffer.from(other));
	}
	return 0;
}

function sampleLine(name: string, labels: string, {suffix, le, value}: Sample): string {
	const bound = le === undefined ? '' : `${labels === '' ? '' : ','}le="${numberText(le)}"`;
	const all = labels + bound;
	return `${name}${suffix}${all === '' ? '' : `{${all}}`} ${numberText(value)}`;
}

const escaped = (text: string) => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');

/** The shortest decimal that reads back as the same number, written as Go writes it: with an exponent from seven digits on. */
export function numberText(value: number): string {
	if (Number.isNaN(value)) return 'NaN';
	if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
	if (value === 0) return '0';
	const [mantissa, exponentText] = value.toExponential().split('e');
	const exponent = Number(exponentText);
	if (exponent >= -4 && exponent < 6) return String(value);
	return `${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}
