import {type HoldReason, holdReasons, type ProblemState, problemStates, type System, systemLabel} from '../problem.ts';
import {systemAttributes, systemMetrics} from '../system-metrics.ts';
import {attributeNames, type Observation, observe} from '../telemetry.ts';

/** What is known of the monitored systems at one moment. */
export type SystemsNow = {
	/** Those that the configuration names. */
	readonly known: readonly System[];
	/** Unix milliseconds at which the system's last heartbeat was acknowledged. */
	readonly lastHeartbeat: (system: System) => number | undefined;
	/** The same of its last inventory, and when the next one is to be; none while none may leave. */
	readonly inventories?: readonly {readonly system: System; readonly lastSuccess: number | undefined; readonly due: number}[];
	readonly unfinished: readonly {
		readonly systemKey: string;
		readonly system: System | undefined;
		readonly state: ProblemState;
		readonly heldFor: HoldReason | undefined;
		readonly problems: number;
	}[];
};

export type SystemTallies = {
	readonly systems: () => Promise<SystemsNow>;
	readonly now: () => number;
	readonly heartbeatIntervalMillis: number;
	/** Systems that are told apart: those that the configuration names come first, and what is beyond is counted together. */
	readonly mostSystems?: number;
};

/** A change of the store is on the page after this time at the latest: reading it costs more than the rest of a scrape. */
const keptMillis = 2000;

const unfinishedStates = problemStates.filter(state => state !== 'closed');
const others = 'other systems';
const notKnown = 'unknown systems';

/** Registers what is told of each system: its problems and its last heartbeat. */
export function observeSystems({systems, now, heartbeatIntervalMillis, mostSystems = 2000}: SystemTallies): void {
	const read = keptFor(keptMillis, now, systems);
	observe(systemMetrics.systems, async () => countsByHeartbeat(await read(), now() - 3 * heartbeatIntervalMillis));
	observe(systemMetrics.heldProblems, async () => heldByReason(await read()));
	observe(systemMetrics.systemProblems, async () => problemsBySystem(await read(), mostSystems));
	const inventories = async () => ((await read()).inventories ?? []).slice(0, mostSystems);
	observe(systemMetrics.systemInventory, async () =>
		(await inventories()).flatMap(({system, lastSuccess}) => timestampOf(system, lastSuccess)),
	);
	observe(systemMetrics.systemInventoryDue, async () =>
		(await inventories()).flatMap(({system, due}) => timestampOf(system, due)),
	);
	observe(systemMetrics.systemHeartbeat, async () => heartbeatsBySystem(await read(), mostSystems));
}

const heldByReason = ({unfinished}: SystemsNow): Observation[] =>
	holdReasons.map(reason => ({
		value: sumOf(unfinished.filter(({heldFor}) => heldFor === reason)),
		attributes: {[systemAttributes.holdReason]: reason},
	}));

const sumOf = (tallies: readonly {readonly problems: number}[]) => tallies.reduce((sum, {problems}) => sum + problems, 0);

export const attributesOf = ({name, machineType, model, serialNumber}: System) => ({
	[systemAttributes.hostName]: name,
	[systemAttributes.systemType]: machineType,
	[systemAttributes.systemModel]: model,
	[systemAttributes.systemSerialNumber]: serialNumber,
});

/** By their label, the last name given: a system that two entries name is one. */
const byLabel = (systems: readonly System[]) => new Map(systems.map(system => [systemLabel(system), system]));

function problemsBySystem({known, unfinished}: SystemsNow, mostSystems: number): Observation[] {
	const found = unfinished.map(({system}) => system).filter(system => system !== undefined);
	const shown = new Map([...byLabel([...found, ...known])].sort(knownFirst(byLabel(known))).slice(0, mostSystems));
	const groups = Map.groupBy(unfinished, ({system}) => {
		if (!system) return notKnown;
		return shown.has(systemLabel(system)) ? systemLabel(system) : others;
	});
	for (const label of shown.keys()) if (!groups.has(label)) groups.set(label, []);
	return [...groups].flatMap(([label, tallies]) => {
		const system = shown.get(label);
		const attributes = system ? attributesOf(system) : {[systemAttributes.hostName]: label};
		return unfinishedStates.map(state => ({
			value: sumOf(tallies.filter(tally => tally.state === state)),
			attributes: {...attributes, [attributeNames.problemState]: state},
		}));
	});
}

type Entry = readonly [label: string, system: System];
const knownFirst =
	(known: ReadonlyMap<string, System>) =>
	([one]: Entry, [other]: Entry): number =>
		Number(known.has(other)) - Number(known.has(one));

const heartbeatsBySystem = ({known, lastHeartbeat}: SystemsNow, mostSystems: number): Observation[] =>
	[...byLabel(known).values()].slice(0, mostSystems).flatMap(system => timestampOf(system, lastHeartbeat(system)));

const timestampOf = (system: System, at: number | undefined): Observation[] =>
	at === undefined ? [] : [{value: at / 1000, attributes: attributesOf(system)}];

const heartbeatStates = ['answered', 'missed', 'never'] as const;

/** A few series for any number of systems: what a dashboard shows of months. */
function countsByHeartbeat({known, lastHeartbeat}: SystemsNow, since: number): Observation[] {
	const stateOf = (at: number | undefined) => (at === undefined ? 'never' : at < since ? 'missed' : 'answered');
	const states = [...byLabel(known).values()].map(system => stateOf(lastHeartbeat(system)));
	return heartbeatStates.map(state => ({
		value: states.filter(other => other === state).length,
		attributes: {[systemAttributes.heartbeatState]: state},
	}));
}

/** Readers that come within the time share one reading. A clock that jumps back does not keep it for longer. */
function keptFor<Value>(millis: number, now: () => number, read: () => Promise<Value>): () => Promise<Value> {
	let kept: {readonly value: Promise<Value>; readonly at: number} | undefined;
	return function keptValue() {
		if (kept && Math.abs(now() - kept.at) < millis) return kept.value;
		const value = read();
		kept = {value, at: now()};
		value.catch(() => {
			kept = undefined;
		});
		return value;
	};
}
