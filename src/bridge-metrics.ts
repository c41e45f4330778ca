type Instrument = 'counter' | 'updowncounter' | 'gauge' | 'histogram';
export type MetricDefinition = {
	readonly name: string;
	readonly instrument: Instrument;
	readonly unit: string;
	readonly description: string;
	/** Of a histogram, the upper bounds of its buckets: those of the SDK are made for milliseconds. */
	readonly bounds?: readonly number[];
};

/** Seconds that one attempt takes: to a near server milliseconds, through a slow proxy minutes. */
const attemptBounds = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];
/** Seconds until IBM has answered. 250 is the objective, 14,400 alarms, and no case number comes after 72 hours. */
const answerBounds = [0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 250, 600, 1800, 14_400, 86_400, 259_200];

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
		bounds: answerBounds,
	},
	caseDuration: {
		name: 'callhome.case.duration',
		instrument: 'histogram',
		unit: 's',
		description: 'From the first event of a problem to its case number.',
		bounds: answerBounds,
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
		bounds: attemptBounds,
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
