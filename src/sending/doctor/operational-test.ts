import type {Activity} from '../../activity.ts';
import type {Component} from '../../component.ts';
import {toError} from '../../errors.ts';
import type {Diagnosis} from './diagnosis.ts';

export type OperationalTestParts = {
	readonly intervalMillis?: number;
	/** The first run comes this long after the start, up to twice as long, and never later than an interval or two. */
	readonly firstMillis?: number;
	/** One run over what is configured; ends early when the signal says so. */
	readonly examine: (signal: AbortSignal) => Promise<Diagnosis>;
	/** Hears of every run: health, lights, metrics. */
	readonly report: (diagnosis: Diagnosis) => void | Promise<void>;
	/** What is new since the run before, for the activity log. */
	readonly record: (activities: readonly Activity[]) => void | Promise<void>;
	readonly log: (level: 'error', text: string) => void;
	/** Spreads the runs of many bridges over the interval. */
	readonly random?: () => number;
};

export type OperationalTest = Component & {
	/** The last run that came to its end. */
	last(): Diagnosis | undefined;
};

const usualMillis = 15 * 60_000;
/** A start has other things to do, and the first submissions test their paths themselves. */
const usualFirstMillis = 30_000;

/**
Examines all paths soon after the start and then once each interval, with a tenth of it as jitter. Two runs never overlap. What
only a run needs is loaded by the first one.
*/
export function createOperationalTest(parts: OperationalTestParts): OperationalTest {
	const {
		intervalMillis = usualMillis,
		firstMillis = usualFirstMillis,
		examine,
		report,
		record,
		log,
		random = Math.random,
	} = parts;
	const stopping = new AbortController();
	let timer: NodeJS.Timeout | undefined;
	let running: Promise<void> | undefined;
	let last: Diagnosis | undefined;

	async function run() {
		try {
			// A run that hangs ends when the next one is due.
			const limit = AbortSignal.any([stopping.signal, AbortSignal.timeout(intervalMillis)]);
			const diagnosis = await examine(limit);
			// What was given up at the end says nothing about the paths.
			if (stopping.signal.aborted) return;
			const {changesBetween} = await import('./changes.ts');
			const changes = changesBetween(last, diagnosis);
			last = diagnosis;
			await report(diagnosis);
			if (changes.length > 0) await record(changes);
		} catch (error) {
			log('error', `the operational test came to no result: ${toError(error).message}`);
		}
		schedule(intervalMillis * (0.95 + 0.1 * random()));
	}

	function schedule(millis: number) {
		if (stopping.signal.aborted) return;
		timer = setTimeout(() => {
			running = run();
		}, millis);
	}

	return {
		name: 'operational test',
		last: () => last,
		async start() {
			schedule(Math.min(firstMillis, intervalMillis) * (1 + random()));
		},
		async shutdown() {
			stopping.abort();
			clearTimeout(timer);
			await running;
		},
	};
}
