import type {AlertRule} from './rule.ts';
import {by, hour, minute, on, type Terms} from './terms.ts';

/** The ways out: none left, one lost, the primary server lost, and the stage that breaks. */
export const connectionRules = (terms: Terms): readonly AlertRule[] => [
	exhausted(terms),
	degraded(terms),
	primaryLost(terms),
	stageFailing(terms),
];

/** Its value is the age of the oldest undelivered problem, and 0 when that is not known: the alarm never waits for it. */
function exhausted({series, label, span}: Terms): AlertRule {
	const noWay = `max ${by(label.destination)} (${series.connectionExhausted} == 1)`;
	return {
		alert: 'CallHomePathsExhausted',
		severity: 'critical',
		expr: `(
  ${noWay}
  * ${on()} group_left () max ${by()} (${series.queueOldestAge})
)
or ${noWay} * 0`,
		for: span(5 * minute),
		summary: 'No connection leads to IBM.',
		description: `Over none of its connections does the bridge {{ $labels.instance }} reach {{ $labels.${label.destination} }}. The oldest undelivered problem waits for {{ $value | humanizeDuration }} (0s: none waits).`,
		impact: 'Hardware faults are kept on disk and do not reach IBM.',
		action:
			'Run "callhome test connectivity" on the machine of the bridge. It names the broken stage of each path, and prints the firewall request when one is needed.',
	};
}

const works = ({series, label}: Terms) => `${series.connectionStatus}{${label.connectionState}=~"connected|degraded"}`;
const isLost = ({series, label}: Terms) => `${series.connectionStatus}{${label.connectionState}="disconnected"}`;

/** A connection over which nothing is reached, while another one works. One that was not used yet is neither. */
function degraded(terms: Terms): AlertRule {
	const {label, span} = terms;
	const perConnection = by(label.connection);
	return {
		alert: 'CallHomePathDegraded',
		severity: 'warning',
		expr: `max ${perConnection} (${isLost(terms)}) == 1
unless max ${perConnection} (${works(terms)}) == 1
and ${on()} max ${by()} (${works(terms)}) == 1`,
		for: span(15 * minute),
		summary: 'One connection leads nowhere, and another one does the work.',
		description: `The connection "{{ $labels.${label.connection} }}" of the bridge {{ $labels.instance }} leads nowhere.`,
		impact: 'Problems still reach IBM. When the remaining connection fails too, none will.',
		action: 'Run "callhome test connectivity" and repair the hop that it names, such as the proxy or its password.',
	};
}

/** The series of `exhausted` bears the name of the primary server. */
function primaryLost(terms: Terms): AlertRule {
	const {series, label, span} = terms;
	const perServer = by(label.destination);
	return {
		alert: 'CallHomePrimaryServerLost',
		severity: 'warning',
		expr: `max ${perServer} (${isLost(terms)}) == 1
unless max ${perServer} (${works(terms)}) == 1
and max ${perServer} (${series.connectionExhausted}) == 0`,
		for: span(15 * minute),
		summary: 'The primary server of IBM is not reached, and a backup takes its place.',
		description: `The bridge {{ $labels.instance }} reaches {{ $labels.${label.destination} }} over none of its connections, and sends to a backup server.`,
		impact: 'Problems still reach IBM, over the backup server alone.',
		action:
			'Run "callhome test connectivity". When only this server fails, over all connections, look at the firewall rules for it, and else wait for IBM.',
	};
}

/**
Only where the path is not well: what failed before it recovered alarms nobody. Prometheus extrapolates to the whole hour: one
failure may count as a little more than 1.
*/
function stageFailing({series, label, span}: Terms): AlertRule {
	const path = [label.connection, label.destination];
	return {
		alert: 'CallHomeStageFailing',
		severity: 'warning',
		expr: `sum ${by(...path, label.stage, label.errorType)} (increase(${series.connectionStageFailures}[${span(hour)}])) > 1.5
and ${on(...path)} max ${by(...path)} (${series.connectionStatus}{${label.connectionState}=~"degraded|disconnected"}) == 1`,
		for: span(15 * minute),
		summary: 'One stage of a way out fails again and again.',
		description: `From the bridge {{ $labels.instance }} over "{{ $labels.${label.connection} }}" to {{ $labels.${label.destination} }} the stage "{{ $labels.${label.stage} }}" fails with {{ $labels.${label.errorType} }}.`,
		impact: 'This way out fails or is flaky. Another one may carry the problems meanwhile.',
		action:
			'Repair what the stage names: "name" the resolver, "connection" the firewall, "proxy" and "proxy_authentication" the proxy and its password, "tls" the certificate or an inspecting proxy.',
	};
}
