/** Changes that no case can notice, each with why. */
const equivalents: readonly (readonly [name: RegExp, why: string])[] = [
	[/^CallHomeHeartbeatMissed critical: 0 → \(-1\)/, 'the series is 0 or 1, and it only has to be there'],
	[
		/^CallHomeDeliveryObjectiveBurning \w+: \d+[mh] → \d+s after .*\["$/,
		'one window of the code makes both halves of a ratio, and the ratio of steady rates is the same over each window',
	],
	[/^CallHomeDeliveryObjectiveBurning critical: for 2m → 80s/, 'promtool evaluates once a minute here'],
	[/^CallHomeLedgerUnverified warning: \* → \/ after .*or 0 "$/, '0 divided is 0, too'],
];

/** Why a change, by its name, cannot be noticed; undefined when it can. */
export const whyEquivalent = (name: string): string | undefined => equivalents.find(([pattern]) => pattern.test(name))?.[1];
