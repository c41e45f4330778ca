import {hostname} from 'node:os';
import type {Config} from '../config.ts';
import {toError} from '../errors.ts';
import type {KnownSystem} from '../processors/config.ts';
import type {Policy} from '../processors/decide.ts';
import {toSystem} from '../processors/identify.ts';
import {releaseDue} from '../processors/release.ts';
import {createHeartbeat} from '../service-information/heartbeat.ts';
import {missingCaseNumbers} from '../service-information/overdue.ts';
import type {Store} from '../store/store.ts';
import type {Log} from './log.ts';

/** What the parts that run by the clock work with. */
export type Upkeep = {
	readonly store: Store;
	readonly policy: Policy;
	/** The queue has something new. */
	readonly wake: () => void;
	readonly log: Log;
	/** Everything that is started is ended with it. */
	readonly stack: AsyncDisposableStack;
};

/** How often held problems are looked at whose hold ends by itself. */
const releaseIntervalMillis = 5000;
const pruneIntervalMillis = 3_600_000;

/** Runs at once and then again and again, each time after the last one has ended. A failure is said, and the next one tries again. */
function every(intervalMillis: number, what: string, work: () => Promise<void>, {log, stack}: Upkeep): void {
	let timer: NodeJS.Timeout | undefined;
	let running: Promise<void>;
	async function run() {
		await work().catch(error => log('error', `${what}: ${toError(error).message}`));
		timer = setTimeout(() => {
			running = run();
		}, intervalMillis);
	}
	running = run();
	stack.defer(async () => {
		await running;
		clearTimeout(timer);
	});
}

/** Lets those holds end that end by themselves. */
export function startReleases(upkeep: Upkeep): void {
	const {store, policy, wake} = upkeep;
	const release = async () => {
		if ((await store.write(records => releaseDue(records, policy, Date.now()))) > 0) wake();
	};
	every(releaseIntervalMillis, 'held problems could not be released', release, upkeep);
}

/** Forgets closed problems after the time that the configuration sets. Bounded steps, so that no event waits for long. */
export function startPruning(retentionMillis: number, upkeep: Upkeep): void {
	const {store, policy} = upkeep;
	const prune = async () => {
		const closedBefore = Date.now() - retentionMillis;
		const relapsedBefore = Date.now() - policy.relapseWithinMillis;
		for (let removed = 1; removed > 0; ) removed = await store.write(records => records.prune({closedBefore, relapsedBefore}));
	};
	every(pruneIntervalMillis, 'old problems could not be forgotten', prune, upkeep);
}

/** Heartbeats for each system that the configuration names, which also ask for the case numbers that are missing. */
export async function startHeartbeats(config: Config, systems: readonly KnownSystem[], upkeep: Upkeep): Promise<void> {
	const {store, wake, log, stack} = upkeep;
	const heartbeat = createHeartbeat({
		intervalMillis: config.service_information.heartbeat.interval,
		systems: systems.map(system => toSystem(system, hostname())),
		unanswered: () => store.read.unansweredProblems(),
		offer: async heartbeats => {
			await store.write(async records => {
				const overdue = missingCaseNumbers(await records.unansweredProblems(), Date.now());
				for (const problem of overdue.problems) await records.saveProblem(problem);
				await records.addActivities(overdue.activities);
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
