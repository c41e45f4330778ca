import {type ProblemState, problemStates} from '../problem.ts';
import {attributeNames, bridgeMetrics, type Observation, observe} from '../telemetry.ts';

export type Tallies = {
	readonly problems: () => Promise<readonly {state: ProblemState; sent: boolean; problems: number; events: number}[]>;
	readonly queue: () => Promise<{size: number; oldestProblemQueuedAt: number | undefined}>;
	readonly countEvents: () => Promise<number>;
	/** Unix milliseconds of the last acknowledged heartbeat. */
	readonly lastHeartbeat: () => Promise<number | undefined>;
	readonly connections: () => readonly ConnectionView[];
	readonly queueCapacity: number;
	readonly heartbeatIntervalMillis: number;
	readonly usesSandbox: boolean;
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
	observe(bridgeMetrics.problems, () => problemsByState(tallies));
	observe(bridgeMetrics.standingEvents, () => eventsByStanding(tallies));
	observe(bridgeMetrics.acceptedEvents, async () => [{value: await tallies.countEvents()}]);
	observe(bridgeMetrics.queueSize, async () => [{value: (await tallies.queue()).size}]);
	observe(bridgeMetrics.queueCapacity, () => [{value: tallies.queueCapacity}]);
	observe(bridgeMetrics.queueOldestAge, async () => {
		const {oldestProblemQueuedAt: since} = await tallies.queue();
		return [{value: since === undefined ? 0 : Math.max(0, tallies.now() - since) / 1000}];
	});
	observe(bridgeMetrics.heartbeatInterval, () => [{value: tallies.heartbeatIntervalMillis / 1000}]);
	observe(bridgeMetrics.heartbeatLastSuccess, async () => timestamp(await tallies.lastHeartbeat()));
	observe(bridgeMetrics.sandboxInUse, () => [{value: tallies.usesSandbox ? 1 : 0}]);
	observe(bridgeMetrics.connectionStatus, () => tallies.connections().flatMap(statusOf));
	observe(bridgeMetrics.connectionLastSuccess, () =>
		tallies
			.connections()
			.flatMap(view => timestamp(view.lastSuccessAt).map(({value}) => ({value, attributes: attributesOf(view)}))),
	);
}

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

async function problemsByState({problems}: Tallies): Promise<Observation[]> {
	const counts = await problems();
	return problemStates.map(state => ({
		value: counts.filter(count => count.state === state).reduce((sum, count) => sum + count.problems, 0),
		attributes: {[attributeNames.problemState]: state},
	}));
}

async function eventsByStanding({problems}: Tallies): Promise<Observation[]> {
	const counts = await problems();
	return standings.map(standing => ({
		value: counts.filter(({state, sent}) => standingOf(state, sent) === standing).reduce((sum, {events}) => sum + events, 0),
		attributes: {[attributeNames.standing]: standing},
	}));
}
