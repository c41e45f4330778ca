import {hardwareMetrics, sourceAttributes, sourceMetrics} from '../../src/hardware-metrics.ts';
import {systemAttributes, systemMetrics} from '../../src/system-metrics.ts';
import {attributeNames, bridgeMetrics, type MetricDefinition} from '../../src/telemetry.ts';

const metrics = {...bridgeMetrics, ...systemMetrics, sourceUp: sourceMetrics.up} as const;
const hardwareAttributes = {
	hwId: 'hw.id',
	hwType: 'hw.type',
	hwName: 'hw.name',
	hwState: 'hw.state',
	diskState: 'hw.physical_disk.state',
} as const;
const attributes = {...attributeNames, ...systemAttributes, ...sourceAttributes, ...hardwareAttributes} as const;

/** How the names of OpenTelemetry are written in Prometheus. Given by whoever generates: the same functions make `/metrics`. */
export type Naming = {
	readonly metricNameOf: (name: string, unit: string, kind: MetricDefinition['instrument']) => string | undefined;
	readonly labelNameOf: (attribute: string) => string | undefined;
};

type Names<Keys extends PropertyKey> = {readonly [Key in Keys]: string};

export type RuleOptions = {
	/** Which targets are bridges, for `up`: the name of a job is the operator's choice. */
	readonly targets?: string;
	/** Multiplies how long an expression has to hold, how far it looks back, and how old a problem may be: below 1 in a test that cannot wait. */
	readonly pace?: number;
};

/** The words of which rules are made. */
export type Terms = {
	readonly series: Names<keyof typeof metrics>;
	readonly label: Names<keyof typeof attributes>;
	/** A metric of the hardware, by its name in the semantic conventions. */
	readonly hardware: (name: string) => string;
	/** A duration as Prometheus writes it, at the pace of the rules. */
	readonly span: (seconds: number) => string;
	/** An age in seconds that is too old, at the pace of the rules. */
	readonly age: (seconds: number) => number;
	readonly targets: string;
};

export const minute = 60;
export const hour = 60 * minute;
export const day = 24 * hour;

export function createTerms(naming: Naming, {targets = 'job=~".*callhome.*"', pace = 1}: RuleOptions = {}): Terms {
	const seriesOf = ({name, unit, instrument}: MetricDefinition) => known(naming.metricNameOf(name, unit, instrument), name);
	const labelOf = (attribute: string) => known(naming.labelNameOf(attribute), attribute);
	return {
		series: mapped(metrics, seriesOf),
		label: mapped(attributes, labelOf),
		hardware(name) {
			const metric = hardwareMetrics.get(name);
			if (!metric) throw new Error(`${name} is no metric of the hardware`);
			return seriesOf(metric);
		},
		age: seconds => seconds * pace,
		span: seconds => durationText(seconds * pace),
		targets,
	};
}

function known(name: string | undefined, original: string): string {
	if (name === undefined) throw new Error(`${original} has no name in Prometheus`);
	return name;
}

const mapped = <Key extends string, From>(values: Readonly<Record<Key, From>>, change: (value: From) => string) =>
	Object.fromEntries(Object.entries<From>(values).map(([key, value]) => [key, change(value)])) as Names<Key>;

const units = [
	['d', day],
	['h', hour],
	['m', minute],
	['s', 1],
] as const;

/** `900` is `15m`: in the largest unit that needs no fraction. */
export function durationText(seconds: number): string {
	const [unit, size] = units.find(([, size]) => seconds >= size && seconds % size === 0) ?? ['ms', 0.001];
	return `${Math.max(1, Math.round(seconds / size))}${unit}`;
}

/** Where a bridge stands, as its target in Prometheus or its resource says. Nothing depends on that: without it there is none. */
export const siteLabel = 'site';

/** Who sends, and what else is told apart. Labels that depend on the way of a metric to Prometheus are not among them. */
export const by = (...labels: readonly string[]): string => `by (${['job', 'instance', siteLabel, ...labels].join(', ')})`;
export const on = (...labels: readonly string[]): string => `on (${['job', 'instance', siteLabel, ...labels].join(', ')})`;
