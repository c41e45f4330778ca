import type {Component} from '../component.ts';
import {toError} from '../errors.ts';
import type {Sender} from '../exporter.ts';
import type {Outcome} from '../outcome.ts';
import type {Submission} from '../submission.ts';

export type DrainParts = {
	/** The submissions that are due, the most urgent first, without those under way. */
	readonly due: (now: number, underWay: readonly string[], limit: number) => Promise<readonly Submission[]>;
	/** When the next one is due that is not under way. */
	readonly nextDueAt: (underWay: readonly string[]) => Promise<number | undefined>;
	readonly send: Sender;
	/** Writes what the outcome means. Rejects when the store cannot: the submission stays as it was. */
	readonly settle: (submission: Submission, outcome: Outcome) => Promise<void>;
	readonly log: (level: 'warn' | 'error', text: string) => void;
	/** Submissions under way at once: a slow answer does not hold the next fault up. */
	readonly concurrency: number;
	readonly now?: () => number;
};

/** The longest sleep: a clock that was set back must not keep a fault waiting for good. */
const maxSleepMillis = 60_000;
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
	asleep ──▶ look for due ones ──▶ send, up to `concurrency` ──▶ settle

Takes due submissions and sends them. It keeps nothing: what is to be done, and when, stands in the store.
*/
export function createDrain({due, nextDueAt, send, settle, log, concurrency, now = Date.now}: DrainParts): Drain {
	const underWay = new Map<string, Promise<void>>();
	const stop = new AbortController();
	let timer: NodeJS.Timeout | undefined;
	let looking: Promise<void> | undefined;
	let lookAgain = false;
	let stopping = false;

	async function attempt(submission: Submission) {
		try {
			const outcome = await send(submission, stop.signal);
			// Cut short by the shutdown before anything left: the row stays as it is for the next start.
			if (stop.signal.aborted && outcome.status === 'unreachable') return;
			await settle(submission, outcome);
		} catch (error) {
			log('error', `${submission.type} ${submission.id} could not be settled and will be sent again: ${toError(error).message}`);
			await new Promise(resolve => setTimeout(resolve, pauseAfterFailureMillis).unref());
		} finally {
			underWay.delete(submission.id);
			wake();
		}
	}

	async function look() {
		const free = concurrency - underWay.size;
		if (free <= 0) return;
		for (const submission of await due(now(), [...underWay.keys()], free)) {
			if (stopping) return;
			underWay.set(submission.id, attempt(submission));
		}
		if (underWay.size < concurrency) await sleepUntilDue();
	}

	async function sleepUntilDue() {
		const at = await nextDueAt([...underWay.keys()]);
		clearTimeout(timer);
		if (at === undefined || stopping) return;
		timer = setTimeout(wake, Math.min(Math.max(at - now(), 0), maxSleepMillis));
	}

	async function lookWhileAsked() {
		do {
			lookAgain = false;
			try {
				await look();
			} catch (error) {
				log('error', `the queue cannot be read: ${toError(error).message}`);
				timer = setTimeout(wake, pauseAfterFailureMillis);
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
