import {type ProblemState, problemStates} from '../problem.ts';
import {systemMetrics} from '../system-metrics.ts';
import {attributeNames, bridgeMetrics, type Observation, observe} from '../telemetry.ts';
import {observeSystems, type SystemTallies} from './systems.ts';

/** What the store holds at one moment: read in one transaction, so that the figures of one scrape add up. */
export type Snapshot = {
	readonly problems: readonly {state: ProblemState; sent: boolean; problems: number; events: number}[];
	readonly queue: {readonly size: number; readonly oldestProblemQueuedAt: number | undefined};
	/** How many events were ever kept. */
	readonly events: number;
	/** Unix milliseconds of the last acknowledged heartbeat. */
	readonly lastHeartbeat: number | undefined;
	/** By destination and light: Unix milliseconds at which it last came on. */
	readonly lights: Readonly<Record<string, Readonly<Record<string, number | undefined>>>>;
};

export type Tallies = SystemTallies & {
	readonly snapshot: () => Promise<Snapshot>;
	readonly connections: () => readonly ConnectionView[];
	/** Whether no connection leads to the destination. */
	readonly exhausted: () => readonly {readonly destination: string; readonly exhausted: boolean}[];
	/** Undefined while no heartbeats are sent. */
	readonly heartbeatOverdue: () => boolean | undefined;
	/** Undefined while no inventory may leave. */
	readonly inventoryIntervalMillis?: number | undefined;
	readonly queueCapacity: number;
	readonly usesSandbox: boolean;
	/** Bytes of the store. */
	readonly room: () => Promise<{readonly used: number; readonly available: number}>;
	readonly now: () => number;
};

export const connectionStates = ['connected', 'degraded', 'disconnected', 'unknown'] as const;
export type ConnectionState = (typeof connectionStates)[number];
export type ConnectionView = {
	readonly connection: string;
	readonly destination: string;
	readonly state: ConnectionState;
	readonly lastSuccessAt: number | undefined;
};

/** Where an event stands: each kept event is in exactly one of these, at all times. */
export const standings = ['queued', 'sent', 'held', 'rejected'] as const;
export type Standing = (typeof standings)[number];

export function standingOf(state: ProblemState, sent: boolean): Standing {
	if (state === 'identified' || state === 'queued') return 'queued';
	if (state === 'rejected') return 'rejected';
	return sent ? 'sent' : 'held'; // What was closed before it could be sent was held to its end.
}

/** Registers what is read at the moment of a scrape: the state of the store, and of the connections. */
export function observeBridge(tallies: Tallies): void {
	const snapshot = sharedByOneScrape(tallies.snapshot);
	observe(bridgeMetrics.problems, async () => problemsByState(await snapshot()));
	observe(bridgeMetrics.standingEvents, async () => eventsByStanding(await snapshot()));
	observe(bridgeMetrics.acceptedEvents, async () => [{value: (await snapshot()).events}]);
	observe(bridgeMetrics.queueSize, async () => [{value: (await snapshot()).queue.size}]);
	observe(bridgeMetrics.queueCapacity, () => [{value: tallies.queueCapacity}]);
	observe(bridgeMetrics.queueOldestAge, async () => {
		const {oldestProblemQueuedAt: since} = (await snapshot()).queue;
		return [{value: since === undefined ? 0 : Math.max(0, tallies.now() - since) / 1000}];
	});
	observe(bridgeMetrics.heartbeatInterval, () => [{value: tallies.heartbeatIntervalMillis / 1000}]);
	observe(bridgeMetrics.inventoryInterval, () => timestamp(tallies.inventoryIntervalMillis));
	observe(bridgeMetrics.heartbeatLastSuccess, async () => timestamp((await snapshot()).lastHeartbeat));
	observe(bridgeMetrics.heartbeatOverdue, () => {
		const overdue = tallies.heartbeatOverdue();
		return overdue === undefined ? [] : [{value: overdue ? 1 : 0}];
	});
	observe(bridgeMetrics.sandboxInUse, () => [{value: tallies.usesSandbox ? 1 : 0}]);
	observe(systemMetrics.storeSize, async () => [{value: (await tallies.room()).used}]);
	observe(systemMetrics.storeAvailable, async () => [{value: (await tallies.room()).available}]);
	observe(systemMetrics.clockTime, () => [{value: tallies.now() / 1000}]);
	observeSystems(tallies);
	observe(bridgeMetrics.connectionStatus, () => tallies.connections().flatMap(statusOf));
	observe(bridgeMetrics.connectionLastSuccess, () =>
		tallies
			.connections()
			.flatMap(view => timestamp(view.lastSuccessAt).map(({value}) => ({value, attributes: attributesOf(view)}))),
	);
	observe(bridgeMetrics.connectionExhausted, () =>
		tallies.exhausted().map(({destination, exhausted}) => ({
			value: exhausted ? 1 : 0,
			attributes: {[attributeNames.destination]: destination},
		})),
	);
	observe(bridgeMetrics.destinationLastSuccess, async () => lightsOf(await snapshot()));
}

const lightsOf = ({lights}: Snapshot): Observation[] =>
	Object.entries(lights).flatMap(([destination, lit]) =>
		Object.entries(lit).flatMap(([light, at]) =>
			timestamp(at).map(({value}) => ({
				value,
				attributes: {[attributeNames.destination]: destination, [attributeNames.light]: light},
			})),
		),
	);

const timestamp = (millis: number | undefined): Observation[] => (millis === undefined ? [] : [{value: millis / 1000}]);

const attributesOf = ({connection, destination}: ConnectionView) => ({
	[attributeNames.connection]: connection,
	[attributeNames.destination]: destination,
});

/** All states, 1 for the present one, so that a query needs no knowledge of the others. */
const statusOf = (view: ConnectionView): Observation[] =>
	connectionStates.map(state => ({
		value: view.state === state ? 1 : 0,
		attributes: {...attributesOf(view), [attributeNames.connectionState]: state},
	}));

/** The callbacks of one scrape begin in one turn of the event loop: they get one snapshot. */
function sharedByOneScrape(read: () => Promise<Snapshot>): () => Promise<Snapshot> {
	let shared: Promise<Snapshot> | undefined;
	return function snapshot() {
		if (!shared) {
			shared = read();
			setImmediate(() => {
				shared = undefined;
			});
		}
		return shared;
	};
}

function problemsByState({problems: counts}: Snapshot): Observation[] {
	return problemStates.map(state => ({
		value: counts.filter(count => count.state === state).reduce((sum, count) => sum + count.problems, 0),
		attributes: {[attributeNames.problemState]: state},
	}));
}

function eventsByStanding({problems: counts}: Snapshot): Observation[] {
	return standings.map(standing => ({
		value: counts.filter(({state, sent}) => standingOf(state, sent) === standing).reduce((sum, {events}) => sum + events, 0),
		attributes: {[attributeNames.standing]: standing},
	}));
}
