import type {AlertRule} from './rule.ts';
import {by, day, hour, minute, on, type Terms} from './terms.ts';

/** Whether the ledger still proves what left. */
export const ledgerRules = (terms: Terms): readonly AlertRule[] => [broken(terms), unverified(terms)];

/**
What a verification finds, and what only somebody outside can see: a ledger that lies whole in the store of yesterday. Its
count is kept in the store, so a restart does not change it. A reset stays visible when the count has caught up; a higher count
of a day is seen although the labels of the series changed meanwhile, as with another version of the program. Where Prometheus
writes a 0 at each start of a process (created-timestamp-zero-ingestion), resets tell nothing: a day with a 0 has none.
*/
const broken = (terms: Terms): AlertRule => {
	const {series, label, span} = terms;
	return {
		alert: 'CallHomeLedgerBroken',
		severity: 'critical',
		expr: `sum ${by(label.ledgerBreak)} (${series.ledgerBreaks}) > 0
or label_replace(
  (
    max ${by()} (resets(${series.ledgerEntries}[${span(day)}])) > 0
    unless min ${by()} (min_over_time(${series.ledgerEntries}[${span(day)}])) == 0
  )
  or group ${by()} (
    max ${by()} (max_over_time(${series.ledgerEntries}[${span(day)}])) > max ${by()} (${series.ledgerEntries})
  ),
  "${label.ledgerBreak}", "went_back", "", ""
)`,
		for: span(5 * minute),
		summary: 'The ledger of what left is not as it was written.',
		description: `The ledger of the bridge {{ $labels.instance }} is broken: {{ $labels.${label.ledgerBreak} }} ({{ $value | humanize }}).`,
		impact: 'It does not prove any more what was sent to IBM. Somebody changed the store, or it was damaged or replaced.',
		action:
			'Run "callhome ledger verify" for the entries concerned. Keep a copy of the store before anything else, and ask who had access to its machine. "callhome ledger acknowledge" ends the alert.',
	};
};

/**
By the clock of the bridge. Three hours together: a clock that jumped, or a start after a down time, has the last of them. One
that does not tell of a verification at all had as long for its first.
*/
const unverified = ({series, span, age}: Terms): AlertRule => ({
	alert: 'CallHomeLedgerUnverified',
	severity: 'warning',
	expr: `max ${by()} (${series.clockTime}) - ${on()} max ${by()} (${series.ledgerVerified}) > ${age(2 * hour)}
or 0 * (
  max ${by()} (${series.ledgerEntries})
  and ${on()} max ${by()} (${series.ledgerEntries} offset ${span(2 * hour)})
  unless ${on()} group ${by()} (present_over_time(${series.ledgerVerified}[${span(2 * hour)}]))
)`,
	for: span(hour),
	summary: 'The ledger of what left has not been verified for three hours.',
	description:
		'The ledger of the bridge {{ $labels.instance }} was last verified {{ $value | humanizeDuration }} ago (0s: never since it runs).',
	impact: 'A ledger that was changed meanwhile is not noticed.',
	action:
		'Run "callhome ledger verify" on the machine of the bridge. Look in its log for why the verification does not come to its end, such as a disk that cannot be read.',
});
