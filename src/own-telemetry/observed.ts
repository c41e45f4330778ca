import {
	type Attributes,
	diag,
	type Meter,
	type MeterProvider,
	type MetricOptions,
	type Observable,
	type ObservableCallback,
} from '@opentelemetry/api';
import {millisToHrTime} from '@opentelemetry/core';
import type {
	CollectionResult,
	DataPoint,
	IMetricReader,
	MetricData,
	MetricProducer,
	ScopeMetrics,
} from '@opentelemetry/sdk-metrics';
import type {MetricDefinition} from '../telemetry.ts';
import {metricOf, pointOf} from './points.ts';

/**
What is observed at a collection, told as it is then. The SDK tells of everything that was ever observed, with its last value:
of a system whose problems are over, or of a certificate that was replaced; and after so many it folds all others into one.
*/
export type Observed = {
	/** In the place of the provider: observable instruments are made here, all others by it. */
	over(provider: MeterProvider): MeterProvider;
	/** In the place of the reader: it reads what is observed, beside what the SDK has. */
	readBy(reader: IMetricReader): IMetricReader;
};

type Registered = {readonly scope: string; readonly metric: MetricDefinition; readonly callbacks: Set<ObservableCallback>};
type Collected = Pick<CollectionResult, 'errors'> & {readonly scopeMetrics: readonly ScopeMetrics[]};

/** Series of one metric. Who observes systems, machines and targets bounds them: beyond this there is a slip. */
const mostSeries = 50_000;

export function createObserved(now: () => number = Date.now): Observed {
	const registered: Registered[] = [];
	const startTime = millisToHrTime(now());

	/** All callbacks begin in one turn of the event loop. One that fails, or is late, costs its own metric only. */
	async function collect(timeoutMillis = 30_000): Promise<Collected> {
		const endTime = millisToHrTime(now());
		const settled = await Promise.allSettled(
			registered.map(async ({scope, metric, callbacks}) => {
				const values = await inTime(observations(callbacks), timeoutMillis, metric.name);
				return {scope, metric, points: values.map(([attributes, value]) => pointOf(value, attributes, startTime, endTime))};
			}),
		);
		const found = settled.flatMap(one => (one.status === 'fulfilled' ? [one.value] : []));
		const errors = settled.flatMap(one => (one.status === 'rejected' ? [one.reason as unknown] : []));
		const scopes = [...Map.groupBy(found, ({scope}) => scope)].map(([name, ofScope]) => ({
			scope: {name},
			metrics: [...Map.groupBy(ofScope, ({metric}) => metric.name).values()].flatMap(merged),
		}));
		return {errors, scopeMetrics: scopes.filter(({metrics}) => metrics.length > 0)};
	}

	return {
		over: provider => ({getMeter: (...args) => observing(provider.getMeter(...args), args[0], registered)}),
		readBy: reader => ({
			setMetricProducer: producer => reader.setMetricProducer(joined(producer, collect)),
			selectAggregation: type => reader.selectAggregation(type),
			selectAggregationTemporality: type => reader.selectAggregationTemporality(type),
			selectCardinalityLimit: type => reader.selectCardinalityLimit(type),
			collect: options => reader.collect(options),
			shutdown: options => reader.shutdown(options),
			forceFlush: options => reader.forceFlush(options),
		}),
	};
}

const joined = (sdk: MetricProducer, collect: (timeoutMillis?: number) => Promise<Collected>): MetricProducer => ({
	async collect(options) {
		const [{resourceMetrics, errors}, observed] = await Promise.all([sdk.collect(options), collect(options?.timeoutMillis)]);
		return {
			errors: [...errors, ...observed.errors],
			resourceMetrics: {
				resource: resourceMetrics.resource,
				scopeMetrics: [...resourceMetrics.scopeMetrics, ...observed.scopeMetrics],
			},
		};
	},
});

/** The meter, but for what it would observe. */
function observing(meter: Meter, scope: string, registered: Registered[]): Meter {
	const create = (instrument: MetricDefinition['instrument']) =>
		function createObservable(name: string, {unit = '', description = ''}: MetricOptions = {}): Observable {
			const callbacks = new Set<ObservableCallback>();
			registered.push({scope, metric: {name, unit, description, instrument}, callbacks});
			return {
				addCallback: callback => void callbacks.add(callback),
				removeCallback: callback => void callbacks.delete(callback),
			};
		};
	return Object.assign(Object.create(meter) as Meter, {
		createObservableCounter: create('counter'),
		createObservableUpDownCounter: create('updowncounter'),
		createObservableGauge: create('gauge'),
	});
}

/** Of two values with the same attributes the last one holds. */
async function observations(callbacks: Iterable<ObservableCallback>): Promise<readonly (readonly [Attributes, number])[]> {
	const values = new Map<string, readonly [Attributes, number]>();
	const observe = (value: number, attributes: Attributes = {}) =>
		void values.set(JSON.stringify(attributes), [attributes, value]);
	await Promise.all([...callbacks].map(callback => callback({observe})));
	return [...values.values()];
}

async function inTime<Value>(work: Promise<Value>, millis: number, name: string): Promise<Value> {
	const late = Promise.withResolvers<never>();
	const timer = setTimeout(() => late.reject(new Error(`${name} was not read within ${millis} ms`)), millis);
	try {
		return await Promise.race([work, late.promise]);
	} finally {
		clearTimeout(timer);
	}
}

type Read = {readonly metric: MetricDefinition; readonly points: readonly DataPoint<number>[]};

/** Several may observe one metric. Without a value it is not told of. */
function merged(all: readonly Read[]): MetricData[] {
	const points = all.flatMap(one => one.points);
	const [first] = all;
	if (!first || points.length === 0) return [];
	if (points.length > mostSeries) diag.warn(`${first.metric.name} has ${points.length} series: ${mostSeries} are told`);
	return [metricOf(first.metric, points.slice(0, mostSeries))];
}
