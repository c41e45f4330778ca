import type {Component} from '../component.ts';
import {toError} from '../errors.ts';
import type {Sender} from '../exporter.ts';
import type {Outcome} from '../outcome.ts';
import {priorityOf, type Submission} from '../submission.ts';

export type DrainParts = {
	/** The submissions that are due, the most urgent first, without those under way. */
	readonly due: (now: number, underWay: readonly string[], limit: number) => Promise<readonly Submission[]>;
	/** When the next one is due that is not under way. */
	readonly nextDueAt: (underWay: readonly string[]) => Promise<number | undefined>;
	readonly send: Sender;
	/** Writes what the outcome means. Rejects when the store cannot: it is asked again then. */
	readonly settle: (submission: Submission, outcome: Outcome) => Promise<void>;
	readonly log: (level: 'warn' | 'error', text: string) => void;
	/** Submissions under way at once: a slow answer does not hold the next fault up. */
	readonly concurrency: number;
	readonly now?: () => number;
};

/** The longest sleep: the clock may be set while the drain sleeps. */
const maxSleepMillis = 60_000;
/** No pause is as long as this: what waits longer was put off by a clock that has since been set back. */
const longestPauseMillis = 3 * 86_400_000;
/** What is under way at a shutdown may take this long to end by itself. */
const graceMillis = 3000;
/** After the store failed: it is asked again, gently. */
const pauseAfterFailureMillis = 1000;

export type Drain = Component & {
	/** Something was queued: look now. */
	wake(): void;
};

/**
	        ┌────────── wake, or the next "not before" ──────────┐
	        ▼                                                    │
	asleep ──▶ look for due ones ──▶ send, up to `concurrency` ──▶ settle, until it is written

Takes due submissions and sends them. What is to be done, and when, stands in the store. The last place is kept free for
a fault: it does not wait behind heartbeats that time out.
*/
export function createDrain({due, nextDueAt, send, settle, log, concurrency, now = Date.now}: DrainParts): Drain {
	/** From the first byte until the outcome is written; only the sending takes a place. */
	const underWay = new Map<string, Promise<void>>();
	const sending = new Set<string>();
	const stop = new AbortController();
	let timer: NodeJS.Timeout | undefined;
	let looking: Promise<void> | undefined;
	let lookAgain = false;
	let stopping = false;

	async function attempt(submission: Submission) {
		const outcome = await sendOnce(submission);
		// Cut short by the shutdown before anything left: the row stays as it is for the next start.
		if (stop.signal.aborted && outcome.status === 'unreachable') return;
		if (await settled(submission, outcome)) return;
		sending.delete(submission.id);
		wake();
		await settleLater(submission, outcome);
	}

	async function settleLater(submission: Submission, outcome: Outcome) {
		for (let millis = pauseAfterFailureMillis; !stop.signal.aborted; millis = Math.min(millis * 2, maxSleepMillis)) {
			await pause(millis, stop.signal);
			if (await settled(submission, outcome)) return;
		}
	}

	async function sendOnce(submission: Submission): Promise<Outcome> {
		try {
			return await send(submission, stop.signal);
		} catch (thrown) {
			log('error', `${submission.type} ${submission.id} could not be sent: ${toError(thrown).message}`);
			return {status: 'deferred', error: toError(thrown), uncertain: true}; // A bug: nobody knows how far it came.
		}
	}

	/** An outcome that cannot be written is kept, for to send again what IBM has taken would be the worse way. */
	async function settled(submission: Submission, outcome: Outcome): Promise<boolean> {
		try {
			await settle(submission, outcome);
			return true;
		} catch (error) {
			log(
				'error',
				`${submission.type} ${submission.id} is ${outcome.status}, which cannot be written: ${toError(error).message}`,
			);
			return false;
		}
	}

	function begin(submission: Submission) {
		sending.add(submission.id);
		const attempted = attempt(submission).finally(() => {
			sending.delete(submission.id);
			underWay.delete(submission.id);
			wake();
		});
		underWay.set(submission.id, attempted);
	}

	const mayBegin = ({type}: Submission): boolean => {
		const reserved = concurrency > 1 && priorityOf[type] > priorityOf.test ? 1 : 0;
		return !stopping && concurrency - sending.size > reserved;
	};

	async function look() {
		const free = concurrency - sending.size;
		if (free <= 0) return;
		const found = await due(now(), [...underWay.keys()], free);
		for (const submission of found) {
			if (mayBegin(submission)) begin(submission);
			else sleep(pauseAfterFailureMillis);
		}
		if (found.length < free) await sleepUntilDue(free - found.length);
	}

	async function sleepUntilDue(free: number) {
		const at = await nextDueAt([...underWay.keys()]);
		if (at === undefined) return;
		if (at - now() <= longestPauseMillis) return sleep(at - now());
		for (const submission of await due(at, [...underWay.keys()], free)) if (mayBegin(submission)) begin(submission);
		sleep(pauseAfterFailureMillis);
	}

	function sleep(millis: number) {
		clearTimeout(timer);
		if (!stopping) timer = setTimeout(wake, Math.min(Math.max(millis, 0), maxSleepMillis));
	}

	async function lookWhileAsked() {
		do {
			lookAgain = false;
			try {
				await look();
			} catch (error) {
				log('error', `the queue cannot be read: ${toError(error).message}`);
				sleep(pauseAfterFailureMillis);
			}
		} while (lookAgain && !stopping);
		looking = undefined;
	}

	function wake() {
		if (stopping) return;
		lookAgain = true;
		looking ??= lookWhileAsked();
	}

	return {
		name: 'drain',
		async start() {
			wake();
		},
		wake,
		async shutdown() {
			stopping = true;
			clearTimeout(timer);
			await looking;
			const cutShort = setTimeout(() => stop.abort(), graceMillis);
			await Promise.all(underWay.values());
			clearTimeout(cutShort);
		},
	};
}

/** Ends at once when the signal aborts. */
function pause(millis: number, signal: AbortSignal): Promise<void> {
	return new Promise(resolve => {
		if (signal.aborted) return resolve();
		const timer = setTimeout(done, millis);
		signal.addEventListener('abort', done, {once: true});
		function done() {
			clearTimeout(timer);
			signal.removeEventListener('abort', done);
			resolve();
		}
	});
}
