import type {Config} from '../config.ts';
import {toError} from '../errors.ts';
import {lastSuccess} from '../sending/settling.ts';
import {isLocked} from '../store/lock.ts';
import {openStoreForReading, type Records} from '../store/store.ts';

/** One thing that call home needs beside its paths. */
export type Check = {
	/** As in JSON. */
	readonly name: 'activation' | 'bridge' | 'store' | 'queue' | 'heartbeat' | 'clock' | 'paths';
	/** `unknown`: nothing can be said of it now, and that is no failure. */
	readonly outcome: 'passed' | 'warned' | 'failed' | 'unknown';
	/** What was seen, and what to do. One line. */
	readonly text: string;
};

/** A problem that waits for longer than the longest pause between two attempts. */
const longWaitMillis = 60 * 60_000;
/** As many intervals without an answer as the alarm takes. */
const mostIntervals = 3;
/** Clocks that differ by more make certificates and times of events doubtful. */
const skewMillis = 2 * 60_000;

/** What of call home can be seen in its configuration and on its disk. */
export async function localChecks(config: Config, now: number): Promise<readonly Check[]> {
	const {directory} = config.store;
	const isRunning = isLocked(directory);
	return [activationCheck(config), bridgeCheck(isRunning), ...(await storeChecks(config, isRunning, now))];
}

function activationCheck({consent, exporter: {call_home_connect: ibm}}: Config): Check {
	const lacks = [
		!consent.cases && 'consent.cases: true',
		ibm && !ibm.api_key && 'exporter.call_home_connect.api_key_file',
		ibm && !ibm.private_key && 'exporter.call_home_connect.private_key_file',
	].filter(text => typeof text === 'string');
	return lacks.length === 0
		? {name: 'activation', outcome: 'passed', text: 'consent is given, and keys are there'}
		: {name: 'activation', outcome: 'failed', text: `nothing may leave yet: set ${lacks.join(', ')}`};
}

const bridgeCheck = (isRunning: boolean): Check =>
	isRunning
		? {name: 'bridge', outcome: 'passed', text: 'it runs'}
		: {name: 'bridge', outcome: 'failed', text: 'it does not run, and takes no event: start it with "callhome run"'};

async function storeChecks(config: Config, isRunning: boolean, now: number): Promise<readonly Check[]> {
	try {
		const {read, close} = openStoreForReading(config.store.directory);
		try {
			const heartbeat = await read.readSetting(lastSuccess.heartbeat);
			return [
				{name: 'store', outcome: 'passed', text: `it opens, in ${config.store.directory}`},
				await queueCheck(read, now),
				heartbeatCheck(config, heartbeat === undefined ? undefined : Number(heartbeat), isRunning, now),
			];
		} finally {
			await close();
		}
	} catch (error) {
		return [{name: 'store', outcome: 'failed', text: toError(error).message}];
	}
}

async function queueCheck(read: Records, now: number): Promise<Check> {
	const {size, oldestProblemQueuedAt: oldest} = await read.tallyQueue();
	const age = oldest === undefined ? 0 : Math.max(0, now - oldest);
	const waits = oldest === undefined ? 'no problem among them' : `the oldest problem for ${timeSpan(age)}`;
	const text = size === 0 ? 'empty' : `${size} submission(s) wait, ${waits}`;
	if (age <= longWaitMillis) return {name: 'queue', outcome: 'passed', text};
	return {name: 'queue', outcome: 'failed', text: `${text}: "callhome activity" says why it is not delivered`};
}

function heartbeatCheck(config: Config, last: number | undefined, isRunning: boolean, now: number): Check {
	if (!config.system && config.systems.length === 0)
		return {name: 'heartbeat', outcome: 'unknown', text: 'none is sent, as the configuration names no system'};
	const {interval} = config.service_information.heartbeat;
	const text = last === undefined ? 'none was ever answered' : `the last one was answered ${timeSpan(now - last)} ago`;
	if (last !== undefined && now - last <= mostIntervals * interval) return {name: 'heartbeat', outcome: 'passed', text};
	return isRunning
		? {
				name: 'heartbeat',
				outcome: last === undefined ? 'warned' : 'failed',
				text: `${text}; one is sent every ${timeSpan(interval)}`,
			}
		: {name: 'heartbeat', outcome: 'unknown', text: `${text}, and the bridge does not run`};
}

/** Against the `date` headers of replies, which are exact to the second. */
export function clockCheck(skews: readonly number[]): Check {
	const [smallest] = skews.toSorted((one, other) => Math.abs(one) - Math.abs(other));
	if (smallest === undefined) return {name: 'clock', outcome: 'unknown', text: 'no server told the time'};
	if (Math.abs(smallest) <= skewMillis) return {name: 'clock', outcome: 'passed', text: 'agrees with that of the servers'};
	const text = `this machine is ${timeSpan(Math.abs(smallest))} ${smallest > 0 ? 'ahead of' : 'behind'} the servers: set its clock, and keep it with chrony or systemd-timesyncd`;
	return {name: 'clock', outcome: 'warned', text};
}

/** `42 s`, `17 min`, `5 h` or `3 d`. */
function timeSpan(millis: number): string {
	const seconds = Math.max(0, Math.round(millis / 1000));
	if (seconds < 120) return `${seconds} s`;
	if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
	return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} d`;
}
