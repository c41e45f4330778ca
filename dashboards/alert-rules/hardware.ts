import type {AlertRule, RuleGroup} from './rule.ts';
import {by, day, minute, on, type Terms} from './terms.ts';

/** The monitored machines themselves. A machine without such a part has no such series, and no alarm. */
export const hardwareGroup = (terms: Terms): RuleGroup => ({
	name: 'callhome-hardware',
	rules: [failed(terms), aboutToFail(terms), sourceFailing(terms), systemSilent(terms)],
});

/** Sensors of management modules flap. */
const settle = 5 * minute;

const inState = ({label, hardware}: Terms, state: string) =>
	`max ${by(label.hostName, label.systemSerialNumber, label.hwType, label.hwId, label.hwName)} (${hardware('hw.status')}{${label.hwState}="${state}"}) == 1`;

const partOf = ({label}: Terms) =>
	`The ${`{{ $labels.${label.hwType} }}`} "{{ $labels.${label.hwId} }}" of {{ $labels.${label.hostName} }}`;

const failed = (terms: Terms): AlertRule => ({
	alert: 'CallHomeHardwareFailed',
	severity: 'warning',
	expr: inState(terms, 'failed'),
	for: terms.span(settle),
	summary: 'A part of a machine has failed.',
	description: `${partOf(terms)} has failed, as the bridge {{ $labels.instance }} reads it.`,
	impact: 'The machine may be without redundancy, slower, or about to stop.',
	action: 'Run "callhome problem list": it says whether a case is open with IBM, or why none is. Then replace the part.',
});

const aboutToFail = (terms: Terms): AlertRule => ({
	alert: 'CallHomeHardwareAboutToFail',
	severity: 'warning',
	expr: inState(terms, 'predicted_failure'),
	for: terms.span(settle),
	summary: 'A part of a machine is about to fail.',
	description: `${partOf(terms)} reports that it is about to fail, as the bridge {{ $labels.instance }} reads it.`,
	impact: 'The part still works, and may not for long.',
	action: 'Run "callhome problem list" for the case with IBM, and plan to replace the part. See that what it holds has a copy.',
});

/** What never worked counts, too: it was configured. */
const sourceFailing = ({series, label, span}: Terms): AlertRule => ({
	alert: 'CallHomeSourceFailing',
	severity: 'warning',
	expr: `max ${by(label.source, label.target)} (${series.sourceUp}) == 0`,
	for: span(15 * minute),
	summary: 'A source of hardware events does not work.',
	description: `The bridge {{ $labels.instance }} does not get to read {{ $labels.${label.source} }} of "{{ $labels.${label.target} }}" (empty: its own machine).`,
	impact: 'Faults of that machine may not be noticed.',
	action: 'Run "callhome status": it has the reason, such as a refused password or an address that does not answer.',
});

/**
Only what was read within a day, and only while the bridge itself reports: its own silence is another alert. A machine whose
serial number became known, in the configuration or at its module, has other series under the same name, and is not silent.
*/
const systemSilent = ({series, label, span, hardware}: Terms): AlertRule => {
	const identity = [label.hostName, label.systemSerialNumber];
	const seen = (seconds: number, labels: readonly string[], matchers = '') =>
		`group ${by(...labels)} (present_over_time(${hardware('hw.status')}${matchers}[${span(seconds)}]))`;
	const unnumbered = `{${label.systemSerialNumber}=""}`;
	return {
		alert: 'CallHomeSystemSilent',
		severity: 'warning',
		expr: `${seen(day, identity)}
unless ${seen(30 * minute, identity)}
unless (${seen(day, identity, unnumbered)} and ${on(label.hostName)} ${seen(30 * minute, [label.hostName])})
and ${on()} group ${by()} (${series.heartbeatInterval})
and ${on()} group ${by()} (present_over_time(${series.heartbeatInterval}[${span(5 * minute)}] offset ${span(30 * minute)}))`,
		for: span(5 * minute),
		summary: 'A machine has fallen silent.',
		description: `Nothing is read of {{ $labels.${label.hostName} }} by the bridge {{ $labels.instance }} any more.`,
		impact: 'Faults of that machine are not noticed, and it may be down.',
		action: 'Look whether the machine and its management module are up, and run "callhome status" for the source that reads it.',
	};
};
