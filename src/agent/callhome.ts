import {hostname} from 'node:os';
import type {Config} from '../config.ts';
import {BridgeError} from '../errors.ts';
import type {Consume} from '../event.ts';
import {beginJourney} from '../own-telemetry/journey.ts';
import {observeBridge, type Snapshot} from '../own-telemetry/observables.ts';
import {createClassify} from '../processors/classify.ts';
import type {KnownSystem} from '../processors/config.ts';
import {createExclusion} from '../processors/exclusion.ts';
import {mayNotSend} from '../processors/hold.ts';
import {createIdentify} from '../processors/identify.ts';
import {createIntake, type Decided} from '../processors/intake.ts';
import {reconsider} from '../processors/release.ts';
import {readLights} from '../sending/lights.ts';
import {lastSuccess} from '../sending/settling.ts';
import type {HeartbeatWatch} from '../service-information/heartbeat-watch.ts';
import {lockDirectory} from '../store/lock.ts';
import {openStore, type Store} from '../store/store.ts';
import {createInstruments, type Instruments} from '../telemetry.ts';
import type {Updates} from '../updates/updates.ts';
import {type Backend, openBackend} from './backend.ts';
import {startControl} from './control.ts';
import {startInventories} from './inventory.ts';
import {keepConnectivityState} from './known-state.ts';
import {watchLedger} from './ledger.ts';
import type {Log} from './log.ts';
import {startOperationalTest} from './operational-test.ts';
import {createOrders} from './orders.ts';
import {policyOf} from './policy.ts';
import {repair} from './repair.ts';
import {reportDecided, startCounting} from './reporting.ts';
import {openSending} from './sending.ts';
import {readRoom, readSystems} from './store-figures.ts';
import {observeUpdates, serviceabilityRules, startUpdates} from './updates.ts';
import {startConnectionReports, startHeartbeats, startPruning, startReleases, watchHeartbeats} from './upkeep.ts';
import type {Ways} from './ways.ts';

/** A bridge that takes events and sends what is to be sent; who brings the events is the caller's affair. */
export type CallHome = {
	/** Resolves when the events are on disk and decided (G1). */
	readonly consume: Consume;
	readonly store: Store;
	readonly backend: Backend;
	/** What the update server offers; undefined when none is configured. */
	readonly updates: Updates | undefined;
	readonly instruments: () => Instruments;
	/** Registers the gauges with the OpenTelemetry SDK that is in force now. */
	observe(): void;
	/** Finishes or gives up what is under way, and closes the store. */
	shutdown(): Promise<void>;
};

/** Opens the store, and starts to send. The order is that of the path; shutdown goes back. The ways stay the caller's. */
export async function openCallHome(config: Config, log: Log, ways: Ways): Promise<CallHome> {
	await using stack = new AsyncDisposableStack();
	const {directory, max_size, queue_capacity, retention} = config.store;
	stack.use(lockDirectory(directory));
	const store = await openStore({
		directory,
		maxSize: max_size,
		onFailure: error => log('error', error.message),
		onSetAside: ({movedTo, cause, salvagedRows}) =>
			log('error', `the store was damaged or not ours (${cause}): moved to ${movedTo}, ${salvagedRows} rows taken over`),
	});
	stack.defer(() => store.close());
	await store.write(records => records.endInterrupted());

	const backend = await openBackend(config, stack);
	const instruments = renewable(createInstruments);
	const systems = knownSystems(config);
	const policy = policyOf(config, backend);
	const maySend = mayNotSend(policy) === undefined;
	const sending = openSending(config, backend, store, {instruments, log, ways, maySend}, stack);
	const {drain, connectivity, connections} = sending;
	const updates = await startUpdates(config, {store, ways, log, stack, onDestinations: sending.sendStranded});

	const isExcluded = createExclusion(config.processors.exclude);
	const parts = {identify: createIdentify(systems), classify: createClassify(serviceabilityRules(config), isExcluded), policy};
	const intakeParts = {
		...parts,
		write: store.write,
		levels: await store.read.readLevels(),
		beginTrace: beginJourney,
		onDecided: (decided: readonly Decided[]) => {
			reportDecided(decided, instruments());
			if (decided.some(({isOffered}) => isOffered)) drain.wake();
		},
	};
	const intake = createIntake(intakeParts);
	await repair(store, intakeParts, log);

	const released = await store.write(records => reconsider(records, parts, Date.now()));
	if (released > 0) log('info', `${released} held problem(s) can go out now`);
	const upkeep = {store, policy, wake: drain.wake, log, stack};
	startReleases(upkeep);
	startPruning(retention, upkeep);
	let heartbeats: HeartbeatWatch | undefined;
	if (maySend) {
		await startHeartbeats(config, systems, upkeep);
		heartbeats = watchHeartbeats(config, systems, upkeep);
		await startOperationalTest(config, {backend, ways, ...sending}, upkeep);
		startConnectionReports(connections, connectivity.health.list, ownSystemFirst(config, systems), upkeep);
	} else await sayWhatWaits(store, log);
	const inventories = await startInventories(config, systems, maySend, upkeep);
	keepConnectivityState(
		() => ({
			paths: connectivity.health.list(),
			exhaustedSince: connectivity.exhaustedSince(),
			heartbeatOverdue: heartbeats?.isOverdue(),
		}),
		upkeep,
	);
	await drain.start();
	const ledger = watchLedger(upkeep, {intervalMillis: config.store.ledger_verification});
	await startControl(directory, createOrders({store, policy, wake: drain.wake, inventories, ledger}), log, stack);

	const held = stack.move();
	return {
		consume: withCapacity(intake, store, queue_capacity),
		store,
		backend,
		updates,
		instruments,
		observe() {
			instruments.renew();
			startCounting(instruments(), connectivity.destination());
			observeBridge({
				snapshot: readSnapshot(store),
				systems: readSystems(store, systems, inventories && config.service_information.inventory.interval),
				inventoryIntervalMillis: inventories && config.service_information.inventory.interval,
				room: readRoom(config.store),
				connections: connectivity.health.list,
				exhausted: () => [{destination: connectivity.destination(), exhausted: connectivity.isExhausted()}],
				heartbeatOverdue: () => heartbeats?.isOverdue(),
				...constantsOf(config, backend),
			});
			observeUpdates(updates);
			ledger.observe();
		},
		shutdown: () => held.disposeAsync(),
	};
}

/** Made at first use, and again after `renew`: instruments belong to the SDK that is registered when they are made. */
function renewable<Value>(create: () => Value): (() => Value) & {renew(): void} {
	let value: Value | undefined;
	const get = () => {
		value ??= create();
		return value;
	};
	return Object.assign(get, {
		renew() {
			value = undefined;
		},
	});
}

/** The bridge's own machine is a system like the others, found by its host name. */
export function knownSystems(config: Pick<Config, 'system' | 'systems'>) {
	return config.system ? [...config.systems, {...config.system, match: {'host.name': hostname()}}] : config.systems;
}

/** The bridge's own machine speaks for its connections, or else the first that the configuration names. */
const ownSystemFirst = ({system}: Config, systems: readonly KnownSystem[]) => (system ? systems.slice(-1) : systems);

/** Consent or keys were taken back: what was queued before stays where it is. */
async function sayWhatWaits(store: Store, log: Log): Promise<void> {
	const {size} = await store.read.tallyQueue();
	if (size > 0) log('warn', `${size} submission(s) wait: without consent.cases and keys for IBM nothing leaves`);
}

/** How old the known length of the queue may be. */
const queueSizeMillis = 200;

/** A full queue refuses events before they are kept: their producer has them still. */
function withCapacity(consume: Consume, store: Store, capacity: number, now = Date.now): Consume {
	let size = 0;
	let readAt = Number.NEGATIVE_INFINITY;
	return async function consumeWithCapacity(events) {
		if (events.length === 0) return [];
		if (Math.abs(now() - readAt) > queueSizeMillis) {
			size = (await store.read.tallyQueue()).size;
			readAt = now();
		}
		if (size < capacity) return consume(events);
		throw new BridgeError('ERR_STORE_BUSY', `${size} submissions wait to be sent, store.queue_capacity is ${capacity}`);
	};
}

const readSnapshot = (store: Store) => (): Promise<Snapshot> =>
	store.snapshot(async records => {
		const heartbeat = await records.readSetting(lastSuccess.heartbeat);
		return {
			problems: await records.tallyProblems(),
			queue: await records.tallyQueue(),
			events: await records.countEvents(),
			lastHeartbeat: heartbeat === undefined ? undefined : Number(heartbeat),
			lights: await readLights(records),
		};
	});

const constantsOf = (config: Config, backend: Backend) => ({
	queueCapacity: config.store.queue_capacity,
	heartbeatIntervalMillis: config.service_information.heartbeat.interval,
	usesSandbox: backend.sandbox !== undefined,
	now: Date.now,
});
