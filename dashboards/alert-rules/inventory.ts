import type {AlertRule} from './rule.ts';
import {by, hour, on, type Terms} from './terms.ts';

/** What IBM knows of the systems. */
export const inventoryRules = (terms: Terms): readonly AlertRule[] => [stale(terms)];

/**
By the clock of the bridge, which wrote the times: one that is off alarms nobody here. One that was set back has its last
answers far ahead, and nobody knows how old they are. The time to hold is what a bridge needs after a down time to collect
from many systems and to send all that. Where none may leave there is no interval, and no system without a source has a time.
*/
const stale = ({series, label, span}: Terms): AlertRule => ({
	alert: 'CallHomeInventoryStale',
	severity: 'warning',
	expr: `abs(
  max ${by()} (${series.clockTime})
  - ${on()} group_right () max ${by(label.hostName, label.systemSerialNumber)} (${series.systemInventoryDue})
)
  > ${on()} group_left () 2 * max ${by()} (${series.inventoryInterval})`,
	for: span(hour),
	summary: 'IBM has not acknowledged an inventory of a system for three intervals.',
	description: `An inventory of {{ $labels.${label.hostName} }} was to be acknowledged {{ $value | humanizeDuration }} ago, by the clock of the bridge {{ $labels.instance }}.`,
	impact: 'What IBM knows of the parts and the firmware of that system is old. Its faults are still reported.',
	action:
		'Run "callhome service-information show" for what was collected and what was acknowledged, and "callhome activity" for why not. Look whether the system and its management module answer.',
});
