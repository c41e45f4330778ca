import {always, i1, series} from './alert-cases.ts';
import {answers} from './alert-cases-problems.ts';
import type {AlertCase, Firing} from './promtool.ts';

/** A little before each limit, and a little behind it: a limit that is moved is noticed. */

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

const beats = (interval: string, more: Readonly<Record<string, string>> = {}) => ({
	[series('callhome_heartbeat_interval_seconds', i1)]: interval,
	...more,
});
const unanswered = beats(always(1800), {
	[series('callhome_heartbeat_last_success_timestamp_seconds', i1)]: always(0),
	[series('callhome_heartbeat_overdue', i1)]: always(0),
});

const silenceCases: readonly AlertCase[] = [
	{
		alert: 'CallHomeHeartbeatMissed',
		title: 'is silent a minute before the third interval has been over for ten minutes',
		series: unanswered,
		at: '100m',
		fires: [],
	},
	{
		alert: 'CallHomeHeartbeatMissed',
		title: 'fires when the third interval has been over for ten minutes',
		series: unanswered,
		at: '101m',
		fires: [{severity: 'critical', labels: i1, value: '1h 41m 0s'}],
	},
	{
		alert: 'CallHomeBridgeAbsent',
		title: 'is silent for a quarter of an hour after the last series of a bridge',
		series: beats('1800x60 stale'),
		at: '74m',
		fires: [],
	},
	{
		alert: 'CallHomeBridgeAbsent',
		title: 'fires then',
		series: beats('1800x60 stale'),
		at: '77m',
		fires: [{severity: 'critical', labels: i1}],
	},
	{
		alert: 'CallHomeBridgeAbsent',
		title: 'still fires nearly a day later',
		series: beats('1800x60 stale'),
		at: '1490m',
		fires: [{severity: 'critical', labels: i1}],
	},
	{
		alert: 'CallHomeBridgeAbsent',
		title: 'has forgotten the bridge after a day',
		series: beats('1800x60 stale'),
		at: '1502m',
		fires: [],
	},
];

const who = {...i1, callhome_certificate: 'esupport.ibm.com:443'};
/** Looked at after an hour: below the limit since so many minutes. */
const endsWithin = (limit: number, minutes: number) => ({
	[series('callhome_certificate_expiry_timestamp_seconds', who)]: always(limit + (60 - minutes) * minute - 1),
});

const certificateCases: readonly AlertCase[] = [
	{
		alert: 'CallHomeCertificateExpiring',
		title: 'is critical from three days on, after a quarter of an hour',
		series: endsWithin(3 * day, 15),
		at: '60m',
		fires: [{severity: 'critical', labels: who, value: '2d 23h 44m 59s'}],
	},
	{
		alert: 'CallHomeCertificateExpiring',
		title: 'stays a warning until the critical one has held for a quarter of an hour',
		series: endsWithin(3 * day, 14),
		at: '60m',
		fires: [{severity: 'warning', labels: who, value: '2d 23h 45m 59s'}],
	},
	{
		alert: 'CallHomeCertificateExpiring',
		title: 'is a warning before',
		series: endsWithin(3 * day, -5),
		at: '60m',
		fires: [{severity: 'warning', labels: who, value: '3d 0h 4m 59s'}],
	},
	{
		alert: 'CallHomeCertificateExpiring',
		title: 'warns from fourteen days on, after a quarter of an hour',
		series: endsWithin(14 * day, 15),
		at: '60m',
		fires: [{severity: 'warning', labels: who, value: '13d 23h 44m 59s'}],
	},
	{
		alert: 'CallHomeCertificateExpiring',
		title: 'is silent before that',
		series: endsWithin(14 * day, 13),
		at: '60m',
		fires: [],
	},
];

const slow = (severity: Firing['severity'], value: string): Firing => ({severity, labels: i1, value});

const objectiveCases: readonly AlertCase[] = [
	{
		title: 'is silent with five slow cases in an hour, although Prometheus extrapolates them to a little more',
		series: answers('100x60 101x1 102x1 103x1 104x1 105x100', always(100)),
		at: '72m',
		fires: [],
	},
	{
		title: 'is critical with six',
		series: answers('0x60 1x1 2x1 3x1 4x1 5x1 6x100', always(0)),
		at: '74m',
		fires: [slow('critical', '100%')],
	},
	{
		title: 'is not critical any more when the last five minutes were well, and still warns',
		series: answers('0+1x200', '0x90 1+1x110'),
		at: '100m',
		fires: [slow('warning', '90%')],
	},
	{
		title: 'is critical above 72 of 100',
		series: answers('0+100x200', '0+27x200'),
		at: '80m',
		fires: [slow('critical', '73%'), slow('warning', '73%')],
	},
	{
		title: 'warns below that',
		series: answers('0+100x200', '0+29x200'),
		at: '80m',
		fires: [slow('warning', '71%')],
	},
	{title: 'warns above 30 of 100', series: answers('0+100x200', '0+69x200'), at: '80m', fires: [slow('warning', '31%')]},
	{title: 'is silent below that', series: answers('0+100x200', '0+71x200'), at: '80m', fires: []},
].map(one => ({alert: 'CallHomeDeliveryObjectiveBurning', ...one}));

const parkedCases: readonly AlertCase[] = [
	{
		alert: 'CallHomeProblemUnanswered',
		title: 'is silent for what goes out again within minutes',
		series: {[series('callhome_problems_held', {...i1, callhome_hold_reason: 'unanswered'})]: '0x3 1x3 0x60'},
		at: '7m',
		fires: [],
	},
	{
		alert: 'CallHomeProblemStuck',
		title: 'fires when the four hours have been over for five minutes',
		series: {[series('callhome_queue_oldest_age_seconds', i1)]: '0+60x600'},
		at: '246m',
		fires: [{severity: 'critical', labels: i1, value: '4h 6m 0s'}],
	},
];

export const limitCases: readonly AlertCase[] = [...silenceCases, ...certificateCases, ...objectiveCases, ...parkedCases];
