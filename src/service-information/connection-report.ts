import {type System, systemDigest} from '../problem.ts';
import {type LostConnection, routineSubmission, type Submission} from '../submission.ts';

/** A way out of the configuration. */
export type ReportedConnection = {
	readonly name: string;
	/** `direct`, `proxy` … */
	readonly kind: string;
};

/** How a connection to one server does. */
export type ReportedPath = {
	readonly connection: string;
	readonly state: 'connected' | 'degraded' | 'disconnected' | 'unknown';
	/** Unix milliseconds at which the state was entered. */
	readonly since: number | undefined;
	readonly lastSuccessAt: number | undefined;
	readonly errorType: string | undefined;
};

export type Lost = LostConnection & {readonly name: string};

/** Shorter than this it may be a reboot of the proxy. */
export const lostAfterMillis = 15 * 60_000;
/** How often one connection is reported at the most. */
export const reportPauseMillis = 8 * 3_600_000;

/** A clock that was set back makes nothing wait for it to come there again. */
const hasPassed = (since: number, millis: number, now: number) => Math.abs(now - since) >= millis;

/** The connections that have led nowhere for long while another one delivers. None when all are lost: nobody could be told. */
export function lostConnections(
	connections: readonly ReportedConnection[],
	paths: readonly ReportedPath[],
	now: number,
): readonly Lost[] {
	const used = (name: string) => paths.filter(({connection, state}) => connection === name && state !== 'unknown');
	const delivers = connections.some(({name}) => used(name).some(({state}) => state !== 'disconnected'));
	if (!delivers) return [];
	return connections.flatMap(({name, kind}, index) => {
		const own = used(name);
		const since = Math.max(...own.map(path => path.since ?? now));
		const isLost = own.length > 0 && own.every(({state}) => state === 'disconnected');
		if (!isLost || !hasPassed(since, lostAfterMillis, now)) return [];
		const answers = own.flatMap(({lastSuccessAt}) => lastSuccessAt ?? []);
		const lastSuccessAt = answers.length > 0 ? Math.max(...answers) : undefined;
		return [{name, position: index + 1, kind, since, lastSuccessAt, errorType: own[0]?.errorType}];
	});
}

/** Of these, the ones that were not reported for so long that they may be again. `reportedAt` as it is stored. */
export const reportDue = (
	lost: readonly Lost[],
	reportedAt: (name: string) => string | undefined,
	now: number,
): readonly Lost[] =>
	lost.filter(({name}) => {
		const at = Number(reportedAt(name) ?? Number.NaN);
		return Number.isNaN(at) || hasPassed(at, reportPauseMillis, now);
	});

/** One report of all that is lost: the newest says everything that an older one said. No name of a proxy is in it (G5). */
export function connectionReportOf(system: System, lost: readonly Lost[], count: number, now: number): Submission {
	const id = `status_connections_${systemDigest(system)}_${now}`;
	return routineSubmission(
		'connection_report',
		id,
		{system, connections: {count, lost: lost.map(({name: _name, ...told}) => told)}},
		now,
	);
}

export type ReportRecords = {
	readSetting(name: string): Promise<string | undefined>;
	writeSetting(name: string, value: string): Promise<void>;
	removeSubmissionsOfType(type: 'connection_report', exceptIds: readonly string[]): Promise<void>;
	offer(submission: Submission): Promise<void>;
};

/** Kept over a restart: a bridge that starts again and again does not repeat itself. */
const settingOf = (name: string) => `connection_report.last ${name}`;

export type ReportParts = {
	readonly connections: readonly ReportedConnection[];
	readonly paths: readonly ReportedPath[];
	/** Whose word IBM takes; without one nothing is sent. */
	readonly system: System | undefined;
	readonly now: number;
};

/** Queues a report when one is due, within one transaction. Resolves to the connections that it is about. */
export async function reportLostConnections(records: ReportRecords, parts: ReportParts): Promise<readonly Lost[]> {
	const {connections, paths, system, now} = parts;
	const lost = lostConnections(connections, paths, now);
	const stored = new Map<string, string | undefined>();
	for (const {name} of lost) stored.set(name, await records.readSetting(settingOf(name)));
	const due = reportDue(lost, name => stored.get(name), now);
	if (due.length === 0) return [];
	for (const {name} of due) await records.writeSetting(settingOf(name), String(now));
	if (system) {
		await records.removeSubmissionsOfType('connection_report', []);
		await records.offer(connectionReportOf(system, lost, connections.length, now));
	}
	return due;
}
