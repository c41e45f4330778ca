/** Changes that no case can notice, each with why. */
const equivalents: readonly (readonly [name: RegExp, why: string])[] = [
	[/^CallHomeHeartbeatMissed critical: 0 → \(-1\)/, 'the series is 0 or 1, and it only has to be there'],
	[
		/^CallHomeDeliveryObjectiveBurning \w+: \d+[mh] → \d+s after .*\["$/,
		'one window of the code makes both halves of a ratio, and the ratio of steady rates is the same over each window',
	],
	[/^CallHomeDeliveryObjectiveBurning critical: for 2m → 80s/, 'promtool evaluates once a minute here'],
	[
		/^CallHomeSystemSilent warning: 1d → 129600s after .*serial_number=\\"\\"\}\["$/,
		'only what was read within a day gets there',
	],
	[/^CallHomeSystemSilent warning: without callhome_system_serial_number at .*unless \(group "$/, 'it is empty there'],
	[/^CallHomeSystemSilent warning: 5m → \d+s after /, 'the bridge reports each minute here, and has to report now, too'],
	[/^CallHomeLedgerUnverified warning: \* → \/ after .*or 0 "$/, '0 divided is 0, too'],
];

/** Why a change, by its name, cannot be noticed; undefined when it can. */
export const whyEquivalent = (name: string): string | undefined => equivalents.find(([pattern]) => pattern.test(name))?.[1];
