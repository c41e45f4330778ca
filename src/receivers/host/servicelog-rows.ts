import {partIn} from '../../hardware.ts';
import {clean, type Finding, type NamedPart, type PartState, slugOf} from './alert.ts';
import {numberOf, type Row, textIn} from './database.ts';
import {timeIn} from './ras-rows.ts';

/** libservicelog: 7 fatal, 6 error, 5 error with local effect, 4 warning, 3 event, 2 information, 1 debug. */
const warning = 4;
const localError = 5;

/** Whether somebody is to be told: the log also holds what merely happened. */
export const isTelling = (row: Row): boolean => numberOf(row, 'serviceable') === 1 || (numberOf(row, 'severity') ?? 0) >= warning;

export const isClosed = (row: Row): boolean => numberOf(row, 'closed') === 1;

function stateOf(row: Row): PartState {
	if (numberOf(row, 'predictive') === 1) return 'predicted_failure';
	return (numberOf(row, 'severity') ?? 0) >= localError ? 'failed' : 'degraded';
}

/** What has been called home by another agent is not called home again. */
function verdictOf(row: Row): Finding['verdict'] {
	if (numberOf(row, 'serviceable') !== 1) return 'never';
	return numberOf(row, 'call_home_status') === 1 ? 'call_home' : 'serviceable';
}

/** H (high) first, then M (and groups of it), then L. */
const byPriority = (one: Row, other: Row): number => rank(one) - rank(other);
const rank = (callout: Row): number =>
	['H', 'M', 'A', 'B', 'C', 'L'].indexOf(textIn(callout, 'priority').slice(0, 1).toUpperCase()) >>> 0;

/** The part that the first callout names, by its location code: as IBM's own tools tell one fault from another. */
export function partOfEvent(event: Row, callouts: readonly Row[]): NamedPart {
	const callout = callouts.toSorted(byPriority).find(row => textIn(row, 'location') !== '');
	const location = callout ? clean(textIn(callout, 'location'), 80) : '';
	const description = textIn(event, 'description');
	const type = partIn(description.slice(0, 1000))?.type;
	const known = location || clean(textIn(event, 'refcode'), 80);
	return {type, id: `${type ?? 'part'}/${slugOf(known) || `event-${textIn(event, 'id')}`}`, name: location};
}

export function eventToFinding(event: Row, callouts: readonly Row[]): Finding {
	const part = partOfEvent(event, callouts);
	const first = callouts.toSorted(byPriority)[0] ?? {};
	const description = clean(textIn(event, 'description'), 500);
	const code = clean(textIn(event, 'refcode'), 80);
	return {
		part,
		state: stateOf(event),
		verdict: verdictOf(event),
		message: [code, description].filter(text => text !== '').join(': ') || `service event ${textIn(event, 'id')}`,
		occurredAt: timeIn(textIn(event, 'time_logged')),
		identity: identityOf(event),
		attributes: {
			'callhome.event.code': code,
			'hw.sensor_location': part.name,
			'hw.serial_number': clean(textIn(first, 'serial'), 40),
			'callhome.host.servicelog.id': numberOf(event, 'id'),
			'callhome.host.servicelog.severity': numberOf(event, 'severity'),
			'callhome.host.servicelog.disposition': numberOf(event, 'disposition'),
			'callhome.host.servicelog.call_home_status': numberOf(event, 'call_home_status'),
			'callhome.host.servicelog.fru': clean(textIn(first, 'fru'), 40),
			'callhome.host.servicelog.ccin': clean(textIn(first, 'ccin'), 40),
			'callhome.host.servicelog.procedure': clean(textIn(first, 'procedure'), 80),
			'callhome.host.servicelog.callouts': callouts.map(calloutText).join('; ').slice(0, 1000),
		},
	};
}

const calloutText = (row: Row): string =>
	clean(['priority', 'location', 'fru', 'serial', 'ccin', 'procedure'].map(name => textIn(row, name)).join(' '), 200);

/** The event was closed, by a repair or by hand. */
export const closedToFinding = (event: Row, callouts: readonly Row[]): Finding => ({
	part: partOfEvent(event, callouts),
	state: 'ok',
	message: `service event ${textIn(event, 'id')} is closed: ${clean(textIn(event, 'description'), 300)}`,
	identity: ['closed', ...identityOf(event)],
});

/** Ids begin again when the log is cleared; the time at which it was logged does not. */
const identityOf = (event: Row): readonly unknown[] => ['servicelog', textIn(event, 'id'), textIn(event, 'time_logged')];
