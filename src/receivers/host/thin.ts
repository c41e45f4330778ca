import type {Finding} from './alert.ts';

/**
Lets the corrected errors of a part through once an hour, with the number of those that were not told. They are nobody's
business one by one, and come by the thousand. Everything else passes; of several that are alike, the first of a look.
*/
export function createThinning(spacingMillis = 3_600_000): (findings: readonly Finding[], now: number) => readonly Finding[] {
	const toldAt = new Map<string, {at: number; untold: number}>();
	const mostParts = 10_000;

	return function thin(findings, now) {
		const groups = Map.groupBy(findings, ({part, state, errorType}) => `${part.id}\n${state}\n${errorType}`);
		return [...groups].flatMap(([key, group]) => {
			const [first] = group;
			if (!first) return [];
			const isCorrected = first.state === undefined && first.errorType === 'corrected';
			const told = toldAt.get(key);
			if (isCorrected && told && now >= told.at && now - told.at < spacingMillis) {
				told.untold += group.length;
				return [];
			}
			if (isCorrected && (told || toldAt.size < mostParts)) toldAt.set(key, {at: now, untold: 0});
			const times = group.length + (told?.untold ?? 0);
			const attributes = {...first.attributes, 'callhome.host.repeated': times > 1 ? times : undefined};
			return [{...first, attributes}];
		});
	};
}
