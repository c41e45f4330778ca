import {toError} from '../errors.ts';
import type {Outcome} from '../outcome.ts';
import {emitConnectionChange, emitExhausted, emitNoLongerExhausted} from '../own-telemetry/events.ts';
import {type Address, authority} from '../sending/address.ts';
import {type ConnectionHealth, createConnectionHealth, resultOf} from '../sending/connection-health.ts';
import {createExhaustionWatch, type Exhaustion, reasonsOf} from '../sending/exhausted.ts';
import type {Attempt} from '../sending/sender.ts';
import type {Store} from '../store/store.ts';
import type {Log} from './log.ts';

export type ConnectivityParts = {
	/** In the order of the configuration. */
	readonly connections: readonly string[];
	/** Where submissions go: the primary, then its backups. */
	readonly servers: () => readonly Address[];
	readonly store: Store;
	readonly log: Log;
	/** After an outage a connection leads to the destination again. */
	readonly onWay: () => Promise<void>;
};
export type Connectivity = ReturnType<typeof openConnectivity>;

/** What is known of the ways out: it decides the order in which they are tried, and raises the alarm when none is left. */
export function openConnectivity({connections, servers, store, log, onWay}: ConnectivityParts) {
	const answeredBy = new WeakMap<Outcome, string>();
	const destinations = () => servers().map(authority);
	/** The destination as a whole goes by the name of its primary server. */
	const destination = () => destinations()[0] ?? '';
	const health = createConnectionHealth({connections, destinations, onChange: changed});
	const exhaustion = createExhaustionWatch({paths: health.list, onChange: tell});
	let told = Promise.resolve();

	function changed(now: ConnectionHealth, previous: ConnectionHealth['state']) {
		emitConnectionChange({...now, previous});
		log(now.state === 'connected' ? 'info' : 'warn', `${now.connection} to ${now.destination}: ${now.state}${because(now)}`);
		exhaustion.changed(now, previous, now.since ?? Date.now());
	}

	/** One after the other, so that the end never stands before the beginning. */
	function tell(change: Exhaustion) {
		told = told
			.then(() => (change.exhausted ? tellBegin(change) : tellEnd(change)))
			.catch(error => log('error', `the state of the connections could not be noted: ${toError(error).message}`));
	}

	async function tellBegin({paths, at}: Exhaustion) {
		const name = destination();
		log('error', `no connection leads to ${name}. ${reasonsOf(paths)}`);
		const {oldestProblemQueuedAt} = await store.read.tallyQueue();
		const age = oldestProblemQueuedAt === undefined ? 0 : Math.max(0, at - oldestProblemQueuedAt) / 1000;
		emitExhausted({destination: name, connections: connections.length, oldestProblemAge: age});
		const waits = oldestProblemQueuedAt === undefined ? 'no problem waits' : `the oldest problem waits for ${Math.round(age)} s`;
		await note('error', 'exhausted', `no connection leads to ${name}; ${waits}. ${reasonsOf(paths)}`, at);
	}

	async function tellEnd({since, at}: Exhaustion) {
		const seconds = Math.max(0, at - since) / 1000;
		const text = `a connection leads to ${destination()} again, after ${Math.round(seconds)} s`;
		log('info', text);
		emitNoLongerExhausted(destination(), seconds);
		await note('info', 'recovered', text, at);
		await onWay();
	}

	const note = (level: 'info' | 'error', word: string, text: string, at: number) =>
		store.write(records => records.addActivities([{at, level, word, text}]));

	return {
		health,
		destination,
		answeredBy: (outcome: Outcome) => answeredBy.get(outcome),
		isExhausted: exhaustion.isExhausted,
		exhaustedSince: exhaustion.since,
		/** What an attempt showed. */
		observe({connection, destination: server, startedAt, durationMillis, outcome}: Attempt) {
			answeredBy.set(outcome, server);
			const result = resultOf(outcome);
			if (result) health.observe(connection, server, result, startedAt + durationMillis);
		},
		/** How a submission ended, after all its attempts. */
		settled: (outcome: Outcome) => exhaustion.settled(outcome, Date.now()),
		/** Resolves when all that was to be noted is on disk. */
		close: () => told,
	};
}

const because = ({reason}: ConnectionHealth) => (reason === undefined ? '' : `. ${reason}`);
