import type {Component} from '../component.ts';
import {isBridgeError, toError} from '../errors.ts';
import {Checker, type UpdateParts} from './checker.ts';
import type {UpdatesConfig} from './config.ts';
import {removeUnfinished} from './files.ts';
import type {Waiting} from './staging.ts';
import {type Accepted, type Check, readCheck, updatesIn} from './state.ts';

export type Updates = Component & {
	/** Asks the update server now. Calls at the same time share one check. Rejects when the outcome cannot be kept. */
	check(): Promise<Check>;
	/** What is verified and waits for the operator. */
	waiting(): readonly Waiting[];
	/** The manifest in force. */
	accepted(): Accepted | undefined;
};

/** The first check comes within this time after the start. Milliseconds, both. */
const firstCheckWithin = 60_000;
/** After a check that failed, the next one comes within this time. */
const retryWithin = 3_600_000;
/** So soon is known what a command beside the bridge has accepted or applied. Milliseconds. */
const refreshInterval = 15_000;

/**
Asks the operator's update server once each interval, and keeps what it offers until the operator takes it. Nothing is sent
but GETs: over HTTPS, and over plain HTTP for the manifest and its signature alone. Throws ERR_CONFIG when a key cannot be read.
*/
export function createUpdates(config: UpdatesConfig, parts: UpdateParts): Updates {
	const {now = Date.now, random = Math.random} = parts;
	const checker = new Checker(config, parts);
	const stopping = new AbortController();
	let timer: NodeJS.Timeout | undefined;
	let refreshTimer: NodeJS.Timeout | undefined;
	let underWay: Promise<Check> | undefined;
	let refreshing: Promise<unknown> = Promise.resolve();

	function check(): Promise<Check> {
		underWay ??= refreshing
			.then(() => checker.check(stopping.signal))
			.finally(() => {
				underWay = undefined;
			});
		return underWay;
	}

	async function checkAndGoOn() {
		const done = await check().catch(error => complain(error, parts));
		const pause = done && done.outcome !== 'failed' ? config.interval : Math.min(config.interval, retryWithin);
		checkAfter(pause * (0.95 + 0.1 * random()));
	}

	/** Not beside a check, which reads and writes the same. */
	function refreshLater() {
		refreshTimer = setTimeout(async () => {
			if (!underWay) refreshing = checker.refresh().catch(() => {}); // A check says what is wrong with the state.
			await refreshing;
			if (!stopping.signal.aborted) refreshLater();
		}, refreshInterval);
	}

	function checkAfter(millis: number) {
		if (!stopping.signal.aborted) timer = setTimeout(checkAndGoOn, millis);
	}

	return {
		name: 'updates',
		async start() {
			await removeUnfinished(updatesIn(parts.directory)).catch(() => {}); // Only room is lost.
			const isWhole = await checker.resume();
			const due = await nextDue(config, parts, now());
			checkAfter(isWhole ? Math.max(due, firstCheckWithin * random()) : 0);
			refreshLater();
		},
		async shutdown() {
			stopping.abort();
			clearTimeout(timer);
			clearTimeout(refreshTimer);
			await refreshing;
			await underWay?.catch(() => {});
		},
		check,
		waiting: () => checker.waiting,
		accepted: () => checker.accepted,
	};
}

/** Milliseconds until the next check: a restart does not bring it forward. */
async function nextDue({interval}: UpdatesConfig, parts: UpdateParts, now: number): Promise<number> {
	const last = await readCheck(parts);
	const isPast = last !== undefined && last.at <= now; // A time yet to come was written by a wrong clock.
	return isPast && last.outcome !== 'failed' ? Math.max(0, last.at + interval - now) : 0;
}

async function complain(error: unknown, {note, now = Date.now}: UpdateParts): Promise<undefined> {
	const {message, stack} = toError(error);
	const text = isBridgeError(error) ? `${error.code}: ${message}` : (stack ?? message);
	try {
		await note?.({at: now(), level: 'error', word: 'update_check_failed', text});
	} catch {
		// The log is full as well: the next check says it again.
	}
}
