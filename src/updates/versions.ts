/** Below 0 when `one` is older than `other`, 0 when they are of one precedence; undefined when one is no semantic version (semver.org, 11). */
export function compareVersions(one: string, other: string): number | undefined {
	const [left, right] = [partsOf(one), partsOf(other)];
	if (!left || !right) return undefined;
	return compareLists(left.numbers, right.numbers) || comparePreReleases(left.preRelease, right.preRelease);
}

function partsOf(version: string) {
	const [, numbers, preRelease] = /^(\d+\.\d+\.\d+)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/.exec(version) ?? [];
	return numbers === undefined ? undefined : {numbers: numbers.split('.'), preRelease: preRelease?.split('.') ?? []};
}

/** A version without one is the newer. */
function comparePreReleases(one: readonly string[], other: readonly string[]): number {
	if (one.length === 0 || other.length === 0) return other.length - one.length;
	return compareLists(one, other);
}

/** Where one list ends, the longer is the newer. */
function compareLists(one: readonly string[], other: readonly string[]): number {
	const first = one.findIndex((identifier, index) => compareIdentifiers(identifier, other[index]) !== 0);
	if (first < 0) return one.length - other.length;
	return compareIdentifiers(one[first] ?? '', other[first]);
}

function compareIdentifiers(one: string, other: string | undefined): number {
	if (other === undefined) return 1;
	const [isNumber, isOtherNumber] = [/^\d+$/.test(one), /^\d+$/.test(other)];
	if (isNumber && isOtherNumber) return Math.sign(Number(BigInt(one) - BigInt(other)));
	if (isNumber !== isOtherNumber) return isNumber ? -1 : 1;
	return one === other ? 0 : one < other ? -1 : 1;
}
