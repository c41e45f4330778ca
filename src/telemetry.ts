import {type Attributes, metrics, trace} from '@opentelemetry/api';

/** Under this name the bridge asks the OpenTelemetry API for its meter, tracer and logger. */
export const scopeName = 'callhome-bridge';

type Instrument = 'counter' | 'updowncounter' | 'gauge' | 'histogram';
export type MetricDefinition = {
	readonly name: string;
	readonly instrument: Instrument;
	readonly unit: string;
	readonly description: string;
};

/** Every metric of the bridge: dashboards, alert rules and tests take the names from here. */
export const bridgeMetrics = {
	intakeRecords: {
		name: 'callhome.intake.records',
		instrument: 'counter',
		unit: '{record}',
		description: 'Records received, by what became of them: accepted, filtered, duplicate, rejected, refused, lost.',
	},
	events: {
		name: 'callhome.events',
		instrument: 'counter',
		unit: '{event}',
		description: 'Selected hardware events, by decision.',
	},
	acceptedEvents: {
		name: 'callhome.events.accepted',
		instrument: 'counter',
		unit: '{event}',
		description: 'Hardware events kept since the store was made: each of them stands in exactly one of callhome.events.standing.',
	},
	standingEvents: {
		name: 'callhome.events.standing',
		instrument: 'updowncounter',
		unit: '{event}',
		description: 'Kept hardware events, by where their problem stands: queued, sent, held, rejected.',
	},
	problems: {name: 'callhome.problems', instrument: 'updowncounter', unit: '{problem}', description: 'Problems, by state.'},
	queueSize: {
		name: 'callhome.queue.size',
		instrument: 'updowncounter',
		unit: '{submission}',
		description: 'Submissions waiting to be sent.',
	},
	queueCapacity: {
		name: 'callhome.queue.capacity',
		instrument: 'updowncounter',
		unit: '{submission}',
		description: 'Submissions that the queue takes before new events are refused.',
	},
	queueOldestAge: {
		name: 'callhome.queue.oldest.age',
		instrument: 'gauge',
		unit: 's',
		description: 'Age of the oldest undelivered problem; 0 when there is none.',
	},
	submissions: {
		name: 'callhome.submissions',
		instrument: 'counter',
		unit: '{submission}',
		description: 'Submissions that got their final answer; error.type is set on those that were rejected.',
	},
	submissionDuration: {
		name: 'callhome.submission.duration',
		instrument: 'histogram',
		unit: 's',
		description: 'From queued to the final answer.',
	},
	caseDuration: {
		name: 'callhome.case.duration',
		instrument: 'histogram',
		unit: 's',
		description: 'From the first event of a problem to its case number.',
	},
	heartbeatLastSuccess: {
		name: 'callhome.heartbeat.last_success.timestamp',
		instrument: 'gauge',
		unit: 's',
		description: 'Unix time of the last acknowledged heartbeat; absent before the first.',
	},
	heartbeatInterval: {
		name: 'callhome.heartbeat.interval',
		instrument: 'gauge',
		unit: 's',
		description: 'Configured heartbeat interval.',
	},
	connectionStatus: {
		name: 'callhome.connection.status',
		instrument: 'updowncounter',
		unit: '1',
		description: 'State of each connection to each destination: one series per state, 1 for the present one.',
	},
	connectionAttempts: {
		name: 'callhome.connection.attempts',
		instrument: 'counter',
		unit: '{attempt}',
		description: 'Attempts over each connection; error.type is set on those that failed.',
	},
	connectionDuration: {
		name: 'callhome.connection.duration',
		instrument: 'histogram',
		unit: 's',
		description: 'Duration of one attempt over a connection.',
	},
	connectionLastSuccess: {
		name: 'callhome.connection.last_success.timestamp',
		instrument: 'gauge',
		unit: 's',
		description: 'Unix time of the last reply from the destination over the connection; absent before the first.',
	},
	connectionStageFailures: {
		name: 'callhome.connection.stage.failures',
		instrument: 'counter',
		unit: '{failure}',
		description: 'Failed stages of a way out, by stage and error.type.',
	},
	connectionExhausted: {
		name: 'callhome.connection.exhausted',
		instrument: 'updowncounter',
		unit: '1',
		description: '1 while no connection leads to the destination.',
	},
	destinationLastSuccess: {
		name: 'callhome.destination.last_success.timestamp',
		instrument: 'gauge',
		unit: 's',
		description: 'Unix time at which a destination was last reached, accepted, opened a case or took an upload; absent before.',
	},
	certificateExpiry: {
		name: 'callhome.certificate.expiry.timestamp',
		instrument: 'gauge',
		unit: 's',
		description: 'Unix time at which a certificate ends, or one above it, whichever comes first.',
	},
	heartbeatOverdue: {
		name: 'callhome.heartbeat.overdue',
		instrument: 'updowncounter',
		unit: '1',
		description: '1 while no heartbeat was answered for three intervals.',
	},
	updateWaiting: {
		name: 'callhome.update.waiting',
		instrument: 'updowncounter',
		unit: '{update}',
		description: '1 for each kind of update that is verified and waits for the operator.',
	},
	inventoryInterval: {
		name: 'callhome.inventory.interval',
		instrument: 'gauge',
		unit: 's',
		description: 'Configured interval between two inventories of a system; absent while none may leave.',
	},
	ledgerEntries: {
		name: 'callhome.ledger.entries',
		instrument: 'counter',
		unit: '{entry}',
		description: 'Entries ever written to the ledger of what left: the number of the newest. It never goes back.',
	},
	ledgerBreaks: {
		name: 'callhome.ledger.breaks',
		instrument: 'updowncounter',
		unit: '{break}',
		description: 'Breaks of the ledger that the last verification found and that nobody has acknowledged, by kind.',
	},
	ledgerVerified: {
		name: 'callhome.ledger.verification.timestamp',
		instrument: 'gauge',
		unit: 's',
		description: 'Unix time at which the whole ledger was last verified; absent before the first time.',
	},
	supportProxyRequests: {
		name: 'callhome.support_proxy.requests',
		instrument: 'counter',
		unit: '{request}',
		description: 'Requests to the support proxy, by decision: allowed, or why it was refused.',
	},
	supportProxyConnections: {
		name: 'callhome.support_proxy.connections',
		instrument: 'updowncounter',
		unit: '{connection}',
		description: 'Tunnels of the support proxy that are open.',
	},
	supportProxyIo: {
		name: 'callhome.support_proxy.io',
		instrument: 'counter',
		unit: 'By',
		description: 'Bytes that the support proxy passed on, by direction.',
	},
	sandboxInUse: {
		name: 'callhome.sandbox.in_use',
		instrument: 'gauge',
		unit: '{sandbox}',
		description: '1 while submissions go to the built-in sandbox and nothing reaches IBM.',
	},
} as const satisfies Record<string, MetricDefinition>;

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
	const histogram = (metric: MetricDefinition) => meter.createHistogram(metric.name, options(metric));
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
