import type {AlertRule} from './rule.ts';
import {by, day, minute, type Terms} from './terms.ts';

/** Silence: IBM answers no heartbeat, a bridge is gone, there is none, or nobody would say so. */
export const heartbeatRules = (terms: Terms): readonly AlertRule[] => [
	missed(terms),
	overdue(terms),
	absent(terms),
	noBridge(terms),
	watchdog(terms),
];

/** By the clocks of the bridge and of Prometheus. */
const isOld = ({series}: Terms) =>
	`time() - max ${by()} (${series.heartbeatLastSuccess})
  > 3 * max ${by()} (${series.heartbeatInterval})`;

/**
A bridge that sends no heartbeats still knows when an earlier life had its last answer: only where `overdue` exists are any
sent. The time to hold is that of the first heartbeat after a start.
*/
const missed = (terms: Terms): AlertRule => ({
	alert: 'CallHomeHeartbeatMissed',
	severity: 'critical',
	expr: `${isOld(terms)}
and max ${by()} (${terms.series.heartbeatOverdue}) >= 0`,
	for: terms.span(10 * minute),
	summary: 'IBM has not answered a heartbeat for three intervals.',
	description:
		'The bridge {{ $labels.instance }} runs, and the last heartbeat that IBM answered is {{ $value | humanizeDuration }} old.',
	impact: 'A hardware fault would probably not reach IBM now, and IBM takes the systems to be silent.',
	action: 'Run "callhome test connectivity" on the machine of the bridge: it names the broken stage of each path and what to do.',
});

/** By the bridge's own count of the time it was up: it needs no clock, and holds when no heartbeat was ever answered. */
const overdue = (terms: Terms): AlertRule => ({
	alert: 'CallHomeHeartbeatOverdue',
	severity: 'critical',
	expr: `max ${by()} (${terms.series.heartbeatOverdue}) == 1
unless (
  ${isOld(terms).replaceAll('\n', '\n  ')}
)`,
	for: terms.span(5 * minute),
	summary: 'The bridge itself reports that no heartbeat is answered.',
	description:
		'By its own count the bridge {{ $labels.instance }} was up for three intervals without an answer. None was ever answered, or the clocks of the bridge and of Prometheus differ.',
	impact: 'A hardware fault would probably not reach IBM now.',
	action:
		'Run "callhome status" for the time of the last answer, then "callhome test connectivity". Compare the clocks when the last answer seems recent.',
});

/**
Both ways to notice, whichever the site has: a target that does not answer, and series that came and come no more, as over
OTLP. The first holds as long as the target is configured, the second for a day. Not at a start of Prometheus: it holds first.
*/
const absent = ({series, span, targets}: Terms): AlertRule => ({
	alert: 'CallHomeBridgeAbsent',
	severity: 'critical',
	expr: `(
  group ${by()} (present_over_time(${series.heartbeatInterval}[${span(day)}]))
  unless group ${by()} (present_over_time(${series.heartbeatInterval}[${span(10 * minute)}]))
)
or group ${by()} (up{${targets}} == 0)`,
	for: span(5 * minute),
	summary: 'A bridge no longer reports.',
	description: 'Nothing comes from the bridge {{ $labels.instance }} (job {{ $labels.job }}) any more.',
	impact: 'Nobody sees whether its hardware faults reach IBM. When it is down, they do not.',
	action:
		'Run "callhome status" on its machine and start it when it is down. When it runs, look why its metrics do not arrive here.',
});

/** When even the last bridge was forgotten by the rule above. A new site has time to connect its first. */
const noBridge = ({series, span, targets}: Terms): AlertRule => ({
	alert: 'CallHomeNoBridge',
	severity: 'critical',
	expr: `absent_over_time(${series.heartbeatInterval}[${span(day)}]) unless on () (up{${targets}} == 0)`,
	for: span(15 * minute),
	summary: 'No bridge has reported for a day.',
	description: 'Prometheus has not had a metric of any bridge for a day.',
	impact: 'Call home of this site is not watched, and perhaps does not run.',
	action: 'Look whether Prometheus scrapes the bridges, or receives their metrics, and whether one runs.',
});

/**
Fires at all times, so that its end can be noticed outside: when Prometheus, Alertmanager or the way from one to the next is
broken, no alert says so. It outlasts a restart of the last bridge, and ends with it.
*/
const watchdog = ({series, span}: Terms): AlertRule => ({
	alert: 'CallHomeWatchdog',
	severity: 'none',
	expr: `count(group ${by()} (present_over_time(${series.heartbeatInterval}[${span(15 * minute)}])))`,
	for: '0s',
	summary: 'Call home is watched: this alert fires at all times.',
	description: 'Bridges that report: {{ $value | humanize }}. Prometheus evaluates their rules.',
	impact: 'None while it fires. When it ends, no other alert about call home may get through.',
	action:
		'Send it to a service outside that alarms when nothing comes. When that alarms, look at Prometheus and Alertmanager, then at the bridges.',
});
