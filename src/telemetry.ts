import {type Attributes, metrics, trace} from '@opentelemetry/api';
import {bridgeMetrics, type MetricDefinition} from './bridge-metrics.ts';

export {bridgeMetrics, type MetricDefinition};

/** Under this name the bridge asks the OpenTelemetry API for its meter, tracer and logger. */
export const scopeName = 'callhome-bridge';

/** Attributes of the bridge's own signals. */
export const attributeNames = {
	intakeOutcome: 'callhome.intake.outcome',
	signal: 'callhome.intake.signal',
	decision: 'callhome.decision',
	problemState: 'callhome.problem.state',
	standing: 'callhome.event.standing',
	submissionType: 'callhome.submission.type',
	destination: 'callhome.destination',
	connection: 'callhome.connection',
	connectionState: 'callhome.connection.state',
	stage: 'callhome.connection.stage',
	light: 'callhome.light',
	certificate: 'callhome.certificate',
	updateKind: 'callhome.update.kind',
	ledgerBreak: 'callhome.ledger.break',
	supportProxyDecision: 'callhome.support_proxy.decision',
	ioDirection: 'network.io.direction',
	errorType: 'error.type',
	problemId: 'callhome.problem.id',
	caseNumber: 'callhome.case.number',
	exporter: 'callhome.exporter',
} as const;

export const getTracer = () => trace.getTracer(scopeName);

const options = ({unit, description}: MetricDefinition) => ({unit, description});

/** The instruments that count as things happen. Made once the SDK is registered: the API's meter does not catch up. */
export function createInstruments() {
	const meter = metrics.getMeter(scopeName);
	const counter = (metric: MetricDefinition) => meter.createCounter(metric.name, options(metric));
	const histogram = (metric: MetricDefinition) =>
		meter.createHistogram(metric.name, {
			...options(metric),
			...(metric.bounds && {advice: {explicitBucketBoundaries: [...metric.bounds]}}),
		});
	return {
		intakeRecords: counter(bridgeMetrics.intakeRecords),
		events: counter(bridgeMetrics.events),
		submissions: counter(bridgeMetrics.submissions),
		submissionDuration: histogram(bridgeMetrics.submissionDuration),
		caseDuration: histogram(bridgeMetrics.caseDuration),
		connectionAttempts: counter(bridgeMetrics.connectionAttempts),
		connectionStageFailures: counter(bridgeMetrics.connectionStageFailures),
		supportProxyRequests: counter(bridgeMetrics.supportProxyRequests),
		supportProxyIo: counter(bridgeMetrics.supportProxyIo),
		connectionDuration: histogram(bridgeMetrics.connectionDuration),
	};
}
export type Instruments = ReturnType<typeof createInstruments>;

/** One observed value. */
export type Observation = {readonly value: number; readonly attributes?: Attributes};

/** Observes what is true at the moment of a scrape. `read` may return nothing: no series then. */
export function observe(metric: MetricDefinition, read: () => readonly Observation[] | Promise<readonly Observation[]>) {
	const meter = metrics.getMeter(scopeName);
	const instrument =
		metric.instrument === 'counter'
			? meter.createObservableCounter(metric.name, options(metric))
			: metric.instrument === 'gauge'
				? meter.createObservableGauge(metric.name, options(metric))
				: meter.createObservableUpDownCounter(metric.name, options(metric));
	instrument.addCallback(async result => {
		for (const {value, attributes} of await read()) result.observe(value, attributes);
	});
}

/** W3C traceparent, the form in which a trace is kept on disk. Undefined when nothing records. */
export function traceparentOf(span: {spanContext(): {traceId: string; spanId: string; traceFlags: number}}): string | undefined {
	const {traceId, spanId, traceFlags} = span.spanContext();
	if (/^0*$/.test(traceId)) return undefined;
	return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
}
