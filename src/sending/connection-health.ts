import {type BridgeError, type BridgeErrorCode, isBridgeError} from '../errors.ts';
import type {Outcome} from '../outcome.ts';

/** One connection to one server. */
export type Path = {
	readonly connection: string;
	/** HOST:PORT. */
	readonly destination: string;
};

export type ConnectionHealth = Path & {
	readonly state: 'connected' | 'degraded' | 'disconnected' | 'unknown';
	/** Unix milliseconds at which the state was entered; undefined while nothing is known. */
	readonly since: number | undefined;
	/** Unix milliseconds of the last answer, be it a refusal. */
	readonly lastSuccessAt: number | undefined;
	/** Code and words of the last failure, until the next answer. */
	readonly errorType: string | undefined;
	readonly reason: string | undefined;
};

/** What one use of a path showed. */
export type PathObservation = {
	readonly ok: boolean;
	/** Not ok, and still the destination was reached: no answer came, or it asked to come later. */
	readonly uncertain?: boolean;
	readonly errorType?: string;
	readonly reason?: string;
	/** The connection itself is at fault: the result holds for all that lies behind it. */
	readonly everywhere?: boolean;
};

/**
Two heartbeats that got lost are no outage, three in a row are: with a retry after 30 s and another one after 60 s that is
known within two minutes. To leave `disconnected` takes two answers, so that a lucky one ends no alarm, and three make a
path sound. PowerStore counts five keep-alives each way, but has one every five minutes.
*/
export const damping = {failuresToDisconnect: 3, reachesToReturn: 2, successesToConnect: 3} as const;

/** A disconnected path gets one real try in its old place after this pause, which doubles with each that fails. */
export const trialPause = {firstMillis: 30_000, mostMillis: 15 * 60_000} as const;

type Known = ConnectionHealth & {
	/** In a row: failures, results that reached the destination, and answers. */
	readonly failures: number;
	readonly reaches: number;
	readonly successes: number;
	readonly trialPauseMillis: number;
	/** Unix milliseconds. */
	readonly trialAt: number;
};

export type HealthParts = {
	/** In the order of the configuration. */
	readonly connections: readonly string[];
	/** The servers that are spoken to, HOST:PORT. A path to another one is not remembered. */
	readonly destinations: () => readonly string[];
	readonly onChange: (health: ConnectionHealth, previous: ConnectionHealth['state']) => void;
};
export type Health = ReturnType<typeof createConnectionHealth>;

/**
	                 ┌───────── 1 failure ─────────┐      ┌──── 3 failures in a row ────┐
	unknown ──▶ connected                          ▼      │                             ▼
	   │             ▲─── 3 answers in a row ─── degraded ┘◀─ reached twice in a row ─ disconnected
	   └──────── the first result decides at once: connected, degraded, disconnected ───┘

Remembers how each connection to each server does. A restart knows nothing of it.
*/
export function createConnectionHealth({connections, destinations, onChange}: HealthParts) {
	const known = new Map<string, Known>();
	const pathsOf = (connection: string) => destinations().map(destination => ({connection, destination}));
	const lookUp = (path: Path): Known => known.get(keyOf(path)) ?? {...path, ...nothingKnown};

	function observeOne(path: Path, result: PathObservation, at: number) {
		const before = lookUp(path);
		const after = next(before, result, at);
		known.set(keyOf(path), after);
		if (after.state !== before.state) onChange(after, before.state);
	}

	const health = {
		observe(connection: string, destination: string, result: PathObservation, at: number) {
			for (const path of pathsOf(connection)) {
				if (result.everywhere || path.destination === destination) observeOne(path, result, at);
			}
		},
		/** All paths, in the order of the configuration; `unknown` are those that were not used yet. */
		list: (): readonly ConnectionHealth[] => connections.flatMap(pathsOf).map(lookUp),
		/**
		The same paths in the order in which they are to be tried: as they come, the disconnected ones last. One whose pause
		is over has one try in its old place: it is given out once, so that what is sent meanwhile goes the sure way.
		*/
		order<Candidate extends Path>(paths: readonly Candidate[], now: number): readonly Candidate[] {
			const isLast = (path: Path) => lookUp(path).state === 'disconnected' && !isTrialDue(lookUp(path), now);
			const last = paths.filter(isLast);
			const first = paths.filter(path => !last.includes(path));
			for (const path of first) takeTrial(path, now);
			return [...first, ...last];
		},
		/** The same for the connections to one server. */
		orderNames: (names: readonly string[], destination: string, now: number): readonly string[] =>
			health
				.order(
					names.map(connection => ({connection, destination})),
					now,
				)
				.map(({connection}) => connection),
		/** Paths in doubt whose next result is due: a walk over them settles the doubt before the next submission does. */
		doubtful: (now: number): readonly Path[] =>
			connections
				.flatMap(pathsOf)
				.map(lookUp)
				.filter(path => (path.state === 'degraded' || path.state === 'disconnected') && isTrialDue(path, now)),
	};
	return health;

	function takeTrial(path: Path, now: number) {
		const health = lookUp(path);
		if (health.state !== 'disconnected') return;
		known.set(keyOf(path), {...health, trialAt: now + health.trialPauseMillis});
	}
}

const keyOf = ({connection, destination}: Path) => JSON.stringify([connection, destination]);

const nothingKnown = {
	state: 'unknown',
	since: undefined,
	lastSuccessAt: undefined,
	errorType: undefined,
	reason: undefined,
	failures: 0,
	reaches: 0,
	successes: 0,
	trialPauseMillis: trialPause.firstMillis,
	trialAt: 0,
} as const;

/** A clock that was set back must not put a trial off: no pause is longer than the longest. */
const isTrialDue = ({trialAt}: Known, now: number) => now >= trialAt || trialAt - now > trialPause.mostMillis;

function next(before: Known, result: PathObservation, at: number): Known {
	const isFailure = !result.ok && !result.uncertain;
	const counted = {
		failures: isFailure ? before.failures + 1 : 0,
		reaches: isFailure ? 0 : before.reaches + 1,
		successes: result.ok ? before.successes + 1 : 0,
	};
	const state = stateAfter(before.state, result, counted);
	const trialPauseMillis = pauseAfter(before, state, isFailure);
	return {
		...before,
		...counted,
		state,
		since: state === before.state ? before.since : at,
		lastSuccessAt: result.ok ? at : before.lastSuccessAt,
		errorType: result.ok ? undefined : (result.errorType ?? before.errorType),
		reason: result.ok ? undefined : (result.reason ?? before.reason),
		trialPauseMillis,
		trialAt: result.ok ? at : at + trialPauseMillis, // After an answer the next result is wanted soon.
	};
}

function stateAfter(
	state: ConnectionHealth['state'],
	{ok}: PathObservation,
	{failures, reaches, successes}: Pick<Known, 'failures' | 'reaches' | 'successes'>,
): ConnectionHealth['state'] {
	if (state === 'unknown') return ok ? 'connected' : failures > 0 ? 'disconnected' : 'degraded';
	if (state === 'disconnected') return reaches >= damping.reachesToReturn ? 'degraded' : 'disconnected';
	if (failures >= damping.failuresToDisconnect) return 'disconnected';
	if (state === 'degraded') return successes >= damping.successesToConnect ? 'connected' : 'degraded';
	return ok ? 'connected' : 'degraded';
}

function pauseAfter({state: before, trialPauseMillis}: Known, state: Known['state'], isFailure: boolean): number {
	if (state !== 'disconnected' || before !== 'disconnected' || !isFailure) return trialPause.firstMillis;
	return Math.min(trialPauseMillis * 2, trialPause.mostMillis);
}

/** Codes of what failed on this machine, before the connection was used. */
const neverTried: readonly BridgeErrorCode[] = [
	'ERR_NOT_READY',
	'ERR_MALFORMED',
	'ERR_STORE_FULL',
	'ERR_STORE_BUSY',
	'ERR_STORE_DAMAGED',
	'ERR_SHUTTING_DOWN',
];

/** Codes that only the connection itself has: a proxy that does not serve, or is not there. Beside them, errors say it by `hop`. */
const ofTheConnection: readonly BridgeErrorCode[] = [
	'ERR_PROXY_AUTHENTICATION',
	'ERR_PROXY_BUSY',
	'ERR_NOT_CONFIGURED',
	'ERR_PAC',
];

/** Another server over the same connection makes no sense then. */
export const isConnectionsOwn = (error: Error): error is BridgeError =>
	isBridgeError(error) && (error.hop === 'proxy' || ofTheConnection.includes(error.code));

/** What an attempt shows of its path; undefined when it shows nothing. A refusal is an answer too: the path is good. */
export function resultOf(outcome: Outcome): PathObservation | undefined {
	if (outcome.status === 'acknowledged') return {ok: true};
	const {error} = outcome;
	if (isBridgeError(error, ...neverTried)) return undefined;
	if (outcome.status === 'rejected') return {ok: true};
	const said = {ok: false, errorType: isBridgeError(error) ? error.code : error.name, reason: error.message};
	if (outcome.status === 'deferred') return {...said, uncertain: true};
	return {...said, everywhere: isConnectionsOwn(error)};
}
