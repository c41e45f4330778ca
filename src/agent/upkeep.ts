import {hostname} from 'node:os';
import type {Config} from '../config.ts';
import {toError} from '../errors.ts';
import {emitHeartbeatOverdue} from '../own-telemetry/events.ts';
import type {KnownSystem} from '../processors/config.ts';
import type {Policy} from '../processors/decide.ts';
import {toSystem} from '../processors/identify.ts';
import {releaseDue} from '../processors/release.ts';
import {lastSuccess} from '../sending/settling.ts';
import {type ReportedConnection, type ReportedPath, reportLostConnections} from '../service-information/connection-report.ts';
import {createHeartbeat} from '../service-information/heartbeat.ts';
import {createHeartbeatWatch, type HeartbeatWatch, mostIntervals} from '../service-information/heartbeat-watch.ts';
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
const reportIntervalMillis = 60_000;

/** Runs at once and then again and again, each time after the last one has ended. A failure is said, and the next one tries again. */
export function every(
	intervalMillis: number,
	what: string,
	work: () => Promise<void>,
	{log, stack}: Pick<Upkeep, 'log' | 'stack'>,
): void {
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
export function startPruning({retention, routine_retention}: Config['store'], upkeep: Upkeep): void {
	const {store, policy} = upkeep;
	const prune = async () => {
		const closedBefore = Date.now() - retention;
		const routineBefore = Date.now() - Math.min(retention, routine_retention);
		const relapsedBefore = Date.now() - policy.relapseWithinMillis;
		for (let removed = 1; removed > 0; )
			removed = await store.write(records => records.prune({closedBefore, routineBefore, relapsedBefore}));
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

/** Alarms when no heartbeat is answered any more. Without a system there is none to wait for. */
export function watchHeartbeats(
	{service_information: {heartbeat}}: Config,
	systems: readonly KnownSystem[],
	upkeep: Upkeep,
): HeartbeatWatch | undefined {
	if (systems.length === 0) return undefined;
	const {store, log} = upkeep;
	const watch = createHeartbeatWatch({
		intervalMillis: heartbeat.interval,
		lastAnswer: lastSuccess.heartbeat,
		write: store.write,
		async onChange(overdue, last) {
			const since =
				last === undefined ? 'none was ever answered' : `the last one was answered at ${new Date(last).toISOString()}`;
			const text = overdue
				? `no heartbeat was answered for ${mostIntervals} intervals: ${since}. Test the connections with "callhome test connectivity".`
				: 'a heartbeat was answered again';
			log(overdue ? 'error' : 'info', text);
			emitHeartbeatOverdue(overdue, heartbeat.interval, last);
			const word = overdue ? 'heartbeat_overdue' : 'heartbeat_answered';
			const level = overdue ? ('error' as const) : ('info' as const);
			await store.write(records => records.addActivities([{at: Date.now(), level, word, text}]));
		},
	});
	every(watch.pauseMillis, 'whether heartbeats are answered could not be checked', watch.look, upkeep);
	return watch;
}

/** Tells IBM over a connection that works that another one does not, and has not for a while. */
export function startConnectionReports(
	connections: readonly ReportedConnection[],
	paths: () => readonly ReportedPath[],
	[ownSystem]: readonly KnownSystem[],
	upkeep: Upkeep,
	{clock = Date.now, intervalMillis = reportIntervalMillis} = {},
): void {
	const {store, log, wake} = upkeep;
	const system = ownSystem && toSystem(ownSystem, hostname());
	const report = async () => {
		const now = clock();
		const due = await store.write(async records => {
			const lost = await reportLostConnections(records, {connections, paths: paths(), system, now});
			const activities = lost.map(({name, since, errorType}) => ({
				at: now,
				level: 'warn' as const,
				word: 'connection_lost',
				text: `${name} has led nowhere since ${new Date(since).toISOString()} (${errorType}), ${told(system !== undefined)}`,
			}));
			await records.addActivities(activities);
			return activities;
		});
		for (const {text} of due) log('warn', text);
		if (due.length > 0) wake();
	};
	every(intervalMillis, 'a lost connection could not be reported', report, upkeep);
}

const told = (isTold: boolean) =>
	isTold ? 'and IBM is told over another one' : 'and IBM is not told, for the configuration names no system';
