import {isInputLost, isPredicted, neededBy, needs} from '../../alert-words.ts';
import {type Attributes, type HardwareEvent, Severity} from '../../event.ts';
import {digest} from './alert.ts';
import {changeTable, logTable} from './imm-mib.ts';
import {namedPart} from './part.ts';
import {integerOf, textOfValue} from './trap.ts';
import type {Table, Value} from './walk.ts';

/** A line of a table that only grows, until somebody clears it. */
export type Line = {readonly digest: string; readonly row: ReadonlyMap<number, Value>};

const digestLength = 12;

/**
The lines with what tells each from all others: its words and its time, and how many like it there are. Not its index: that
begins anew when the log is cleared, and moves on when it is full.
*/
export function linesOf(table: Table, columns: readonly number[]): Line[] {
	const seen = new Map<string, number>();
	return [...table.values()].map(row => {
		const words = digest(columns.map(column => textOfValue(row.get(column)))).slice(0, digestLength);
		const times = (seen.get(words) ?? 0) + 1;
		seen.set(words, times);
		return {digest: times === 1 ? words : `${words}-${times}`, row};
	});
}

export type Growth = {
	readonly added: readonly Line[];
	/** Nothing is left of what was there before. */
	readonly isCleared: boolean;
};

/** What has come since. At the first sight everything is old: it was there before anybody looked. */
export function growthOf(lines: readonly Line[], before: readonly string[] | undefined): Growth {
	if (!before) return {added: [], isCleared: false};
	const known = new Set(before);
	const added = lines.filter(line => !known.has(line.digest));
	return {added, isCleared: before.length > 0 && added.length === lines.length};
}

const mostForgotten = 1000;

/**
What counts as known from now on. After a clear the lines of before still do: a module that was just started may show an
empty log, and all the old lines a little later.
*/
export function knownAfter(lines: readonly Line[], {isCleared}: Growth, before: readonly string[] | undefined): string[] {
	const digests = lines.map(line => line.digest);
	return isCleared && before ? [...digests, ...before.slice(0, mostForgotten)] : digests;
}

export const logColumns = [logTable.text, logTable.severity, logTable.date, logTable.time] as const;
export const changeColumns = [
	changeTable.fru,
	changeTable.name,
	changeTable.serial,
	changeTable.vendor,
	changeTable.action,
	changeTable.time,
] as const;

/** Of each severity what it says of a part; the information among them is a recovery or no matter of hardware. */
const severities: Readonly<Record<string, {readonly severity: number; readonly state: 'failed' | 'degraded'}>> = {
	0: {severity: Severity.error, state: 'failed'},
	error: {severity: Severity.error, state: 'failed'},
	1: {severity: Severity.warn, state: 'degraded'},
	warning: {severity: Severity.warn, state: 'degraded'},
};
const recovery = /\b(recovered|recovery|deasserted|de-asserted|cleared|returned to normal|restored|repaired|re-?enabled)\b/i;
const isAboutTheLog = /\b(event )?log\b.*\b(cleared|full)\b/i;

/** Lines of the event log that say something of the hardware. */
export function logEvents(lines: readonly Line[], machine: string, resource: Attributes, at: number): HardwareEvent[] {
	return lines.flatMap(line => {
		const text = textOfValue(line.row.get(logTable.text));
		const severity = textOfValue(line.row.get(logTable.severity));
		const fault = severities[severity.toLowerCase()];
		const isRecovery = recovery.test(text);
		if (text === '' || isAboutTheLog.test(text) || (!fault && !isRecovery)) return [];
		const part = namedPart(text, undefined, digest([text.replace(recovery, '')]).slice(0, digestLength));
		const state = isRecovery ? 'ok' : isPredicted(text) ? 'predicted_failure' : (fault?.state ?? 'degraded');
		const needed = state === 'ok' ? undefined : neededBy(text, part.type, state === 'degraded');
		return {
			id: digest(['snmp/log', machine, line.digest]),
			name: 'callhome.hardware.alert',
			occurredAt: at,
			receivedAt: at,
			severity: isRecovery ? Severity.info : (fault?.severity ?? Severity.info),
			message: text,
			resource,
			attributes: {
				'hw.id': part.id,
				...(part.type && {'hw.type': part.type}),
				...(part.name && {'hw.name': part.name}),
				'hw.state': state,
				...(needed && needs[needed]),
				...(state !== 'ok' && isInputLost(text, part.type) && {'error.type': 'input_lost'}),
				'snmp.eventLogSeverity': integerOf(line.row.get(logTable.severity)) ?? severity,
				'snmp.eventLogDate': textOfValue(line.row.get(logTable.date)),
				'snmp.eventLogTime': textOfValue(line.row.get(logTable.time)),
			},
			source: 'snmp/log',
		};
	});
}

/** Parts that came or went: for whoever follows a repair. Nobody is called for them. */
export function changeEvents(lines: readonly Line[], machine: string, resource: Attributes, at: number): HardwareEvent[] {
	return lines.map(line => {
		const text = (column: number) => textOfValue(line.row.get(column));
		const number = integerOf(line.row.get(changeTable.action));
		const action = number === undefined ? text(changeTable.action) : `${number}`;
		const name = text(changeTable.name) || text(changeTable.fru);
		const part = namedPart(`"${name.replaceAll('"', '')}"`, undefined, line.digest);
		return {
			id: digest(['snmp/change', machine, line.digest]),
			name: 'callhome.hardware.alert',
			occurredAt: at,
			receivedAt: at,
			severity: Severity.info,
			message: `${name || 'a component'} (FRU ${text(changeTable.fru) || 'unknown'}): ${action || 'changed'}`,
			resource,
			attributes: {
				'hw.id': `change/${part.id}`,
				...(part.type && {'hw.type': part.type}),
				'hw.name': name,
				'hw.serial_number': text(changeTable.serial),
				'hw.vendor': text(changeTable.vendor),
				'snmp.componentChangeAction': action,
				'snmp.componentChangeTime': text(changeTable.time),
				'callhome.serviceable': false,
			},
			source: 'snmp/changes',
		};
	});
}
