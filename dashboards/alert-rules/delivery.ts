import type {AlertRule} from './rule.ts';
import {by, day, hour, minute, on, type Terms} from './terms.ts';

/** What is late, what will end, and what waits for the operator. */
export const deliveryRules = (terms: Terms): readonly AlertRule[] => [
	undelivered(terms),
	certificateAboutToEnd(terms),
	certificateExpiring(terms),
	updateWaiting(terms),
	supportProxyRefusing(terms),
	sandboxInUse(terms),
];

/** Fifteen minutes together: a bridge that was down has the last five of them to deliver what waited. */
const undelivered = ({series, span, age}: Terms): AlertRule => ({
	alert: 'CallHomeProblemUndelivered',
	severity: 'critical',
	expr: `max ${by()} (${series.queueOldestAge}) > ${age(10 * minute)}`,
	for: span(5 * minute),
	summary: 'A problem has not been delivered to IBM for 15 minutes.',
	description: 'The oldest undelivered problem of the bridge {{ $labels.instance }} waits for {{ $value | humanizeDuration }}.',
	impact: 'IBM does not know of a hardware fault, so nobody there works on it. The bridge keeps it and tries again.',
	action:
		'Run "callhome problem list" and "callhome problem show ID": the last attempts say why. Then "callhome test connectivity". When it is urgent, open the case by hand.',
});

const timeLeft = ({series, label}: Terms) => `(min ${by(label.certificate)} (${series.certificateExpiry}) - time())`;
const soon = 14 * day;
const verySoon = 3 * day;
const holdSeconds = 15 * minute;

const ofCertificate = ({label, span}: Terms) => ({
	alert: 'CallHomeCertificateExpiring',
	for: span(holdSeconds),
	description: `The certificate "{{ $labels.${label.certificate} }}", as the bridge {{ $labels.instance }} sees it, ends in {{ $value | humanizeDuration }} (with a minus: it has ended).`,
	impact: 'When it has ended, no connection that needs it works.',
	action:
		"Renew it when it is yours: the one of a proxy, of the console or of a client. When it is IBM's, update the bridge's host and look at IBM's notices.",
});

const certificateAboutToEnd = (terms: Terms): AlertRule => ({
	...ofCertificate(terms),
	severity: 'critical',
	expr: `${timeLeft(terms)} < ${verySoon}`,
	summary: 'A certificate that call home needs ends within three days.',
});

/** Until the critical one has held and fires. */
const certificateExpiring = (terms: Terms): AlertRule => ({
	...ofCertificate(terms),
	severity: 'warning',
	expr: `${timeLeft(terms)} < ${soon} >= ${verySoon - holdSeconds}`,
	summary: 'A certificate that call home needs ends within fourteen days.',
});

const updateWaiting = ({series, label, span}: Terms): AlertRule => ({
	alert: 'CallHomeUpdateWaiting',
	severity: 'info',
	expr: `max ${by(label.updateKind)} (${series.updateWaiting}) >= 1`,
	for: span(hour),
	summary: 'A verified update waits for the operator.',
	description: `An update ({{ $labels.${label.updateKind} }}) for the bridge {{ $labels.instance }} is fetched and verified, and waits.`,
	impact: 'None now. The bridge installs nothing by itself.',
	action: 'Run "callhome update show" for what it changes, and "callhome update apply" when it suits.',
});

/** A client without the habit of sending its password at once is asked for it once per request: that is no refusal. */
const supportProxyRefusing = ({series, label, span}: Terms): AlertRule => {
	const decision = label.supportProxyDecision;
	const within = (matcher: string) => `increase(${series.supportProxyRequests}{${decision}${matcher}}[${span(15 * minute)}])`;
	return {
		alert: 'CallHomeSupportProxyRefusing',
		severity: 'info',
		expr: `sum ${by(decision)} (${within('!="allowed"')}) > 20
unless sum ${by(decision)} (${within('="unauthenticated"')}) <= ${on()} group_left () sum ${by()} (${within('="allowed"')})`,
		for: span(5 * minute),
		summary: 'The support proxy refuses many requests.',
		description: `The support proxy of the bridge {{ $labels.instance }} refused {{ $value | printf "%.0f" }} requests in 15 minutes: {{ $labels.${decision} }}.`,
		impact: 'A system behind it may not reach IBM, or something asks for what is not meant for it.',
		action:
			'Run "callhome activity" for who asked for what. Correct the client, or add the destination when it is a rightful one.',
	};
};

const sandboxInUse = ({series, span}: Terms): AlertRule => ({
	alert: 'CallHomeSandboxInUse',
	severity: 'info',
	expr: `max ${by()} (${series.sandboxInUse}) == 1`,
	for: span(hour),
	summary: 'A bridge sends to the sandbox: nothing reaches IBM.',
	description: 'The bridge {{ $labels.instance }} uses the built-in stand-in for IBM.',
	impact: 'No hardware fault reaches IBM. That is right for a trial, and for nothing else.',
	action: 'Configure "exporter.call_home_connect" when the trial is over.',
});
