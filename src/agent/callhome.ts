import {hostname} from 'node:os';
import type {Config} from '../config.ts';
import {BridgeError, toError} from '../errors.ts';
import type {Consume} from '../event.ts';
import {beginJourney} from '../own-telemetry/journey.ts';
import {observeBridge, type Snapshot} from '../own-telemetry/observables.ts';
import {createClassify} from '../processors/classify.ts';
import type {Policy} from '../processors/decide.ts';
import {createIdentify, toSystem} from '../processors/identify.ts';
import {createIntake} from '../processors/intake.ts';
import {reconsider, releaseDue} from '../processors/release.ts';
import {lastSuccess} from '../sending/settling.ts';
import {createHeartbeat} from '../service-information/heartbeat.ts';
import {lockDirectory} from '../store/lock.ts';
import {openStore, type Store} from '../store/store.ts';
import {createInstruments, type Instruments} from '../telemetry.ts';
import {type Backend, openBackend} from './backend.ts';
import type {Log} from './log.ts';
import {reportDecided} from './reporting.ts';
import {openSending} from './sending.ts';

/** A bridge that takes events and sends what is to be sent; who brings the events is the caller's affair. */
export type CallHome = {
	/** Resolves when the events are on disk and decided (G1). */
	readonly consume: Consume;
	readonly store: Store;
	readonly backend: Backend;
	readonly instruments: () => Instruments;
	/** Registers the gauges with the OpenTelemetry SDK that is in force now. */
	observe(): void;
	/** Finishes or gives up what is under way, and closes the store. */
	shutdown(): Promise<void>;
};

/** How often held problems are looked at whose hold ends by itself. */
const releaseIntervalMillis = 5000;

/** Opens the store, and starts to send. The order is that of the path; shutdown goes back. */
export async function openCallHome(config: Config, log: Log): Promise<CallHome> {
	await using stack = new AsyncDisposableStack();
	const {directory, max_size, queue_capacity} = config.store;
	stack.use(lockDirectory(directory));
	const store = await openStore({
		directory,
		maxSize: max_size,
		onFailure: error => log('error', error.message),
		onSetAside: ({movedTo, cause, salvagedRows}) =>
			log('error', `the store was damaged or not ours (${cause}): moved to ${movedTo}, ${salvagedRows} rows taken over`),
	});
	stack.defer(() => store.close());
	await store.write(records => records.markInterrupted());

	const backend = await openBackend(config, stack);
	const instruments = renewable(createInstruments);
	const {drain, health} = openSending(config, backend, store, {instruments, log}, stack);

	const systems = knownSystems(config);
	const policy = policyOf(config, backend);
	const parts = {identify: createIdentify(systems), classify: createClassify(config.processors.serviceability), policy};
	const intake = createIntake({
		...parts,
		write: store.write,
		levels: await store.read.readLevels(),
		beginTrace: beginJourney,
		onDecided: decided => {
			reportDecided(decided, instruments());
			if (decided.some(({problem}) => problem !== undefined)) drain.wake();
		},
	});

	const released = await store.write(records => reconsider(records, parts, Date.now()));
	if (released > 0) log('info', `${released} held problem(s) can go out now`);
	startReleases(store, policy, drain.wake, log, stack);
	await startHeartbeat(config, store, drain.wake, log, stack);
	await drain.start();

	const held = stack.move();
	return {
		consume: withCapacity(intake, store, queue_capacity),
		store,
		backend,
		instruments,
		observe() {
			instruments.renew();
			observeBridge({snapshot: readSnapshot(store), connections: health.list, ...constantsOf(config, backend)});
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
function knownSystems(config: Config) {
	return config.system ? [...config.systems, {...config.system, match: {'host.name': hostname()}}] : config.systems;
}

function policyOf({consent, processors}: Config, backend: Backend): Policy {
	const {relapse_within, storm} = processors;
	return {
		consentsToCases: consent.cases,
		hasCredentials: backend.hasCredentials,
		relapseWithinMillis: relapse_within,
		storm: {threshold: storm.threshold, windowMillis: storm.window, holdMillis: storm.hold},
		mintTransactionId: backend.mintTransactionId,
	};
}

/** A full queue refuses events before they are kept: their producer has them still. */
function withCapacity(consume: Consume, store: Store, capacity: number): Consume {
	return async function consumeWithCapacity(events) {
		if (events.length === 0) return [];
		const {size} = await store.read.tallyQueue();
		if (size >= capacity)
			throw new BridgeError('ERR_STORE_BUSY', `${size} submissions wait to be sent, store.queue_capacity is ${capacity}`);
		return consume(events);
	};
}

function startReleases(store: Store, policy: Policy, wake: () => void, log: Log, stack: AsyncDisposableStack): void {
	async function release() {
		try {
			if ((await store.write(records => releaseDue(records, policy, Date.now()))) > 0) wake();
		} catch (error) {
			log('error', `held problems could not be released: ${toError(error).message}`);
		}
		timer = setTimeout(() => (running = release()), releaseIntervalMillis);
	}
	let timer: NodeJS.Timeout | undefined;
	let running = release();
	stack.defer(async () => {
		await running;
		clearTimeout(timer);
	});
}

async function startHeartbeat(
	config: Config,
	store: Store,
	wake: () => void,
	log: Log,
	stack: AsyncDisposableStack,
): Promise<void> {
	if (!config.consent.cases) return; // Nothing leaves without consent, not even a sign of life (G5).
	const heartbeat = createHeartbeat({
		intervalMillis: config.service_information.heartbeat.interval,
		systems: knownSystems(config).map(system => toSystem(system, hostname())),
		unanswered: () => store.read.unansweredProblems(),
		offer: async heartbeats => {
			await store.write(async records => {
				await records.removeSubmissionsOfType('heartbeat', []);
				for (const submission of heartbeats) await records.offer(submission);
			});
			wake();
		},
		log,
	});
	stack.defer(() => heartbeat.shutdown());
	await heartbeat.start();
}

const readSnapshot = (store: Store) => (): Promise<Snapshot> =>
	store.snapshot(async records => {
		const heartbeat = await records.readSetting(lastSuccess.heartbeat);
		return {
			problems: await records.tallyProblems(),
			queue: await records.tallyQueue(),
			events: await records.countEvents(),
			lastHeartbeat: heartbeat === undefined ? undefined : Number(heartbeat),
		};
	});

const constantsOf = (config: Config, backend: Backend) => ({
	queueCapacity: config.store.queue_capacity,
	heartbeatIntervalMillis: config.service_information.heartbeat.interval,
	usesSandbox: backend.sandbox !== undefined,
	now: Date.now,
});
