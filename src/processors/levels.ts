import type {HardwareEvent} from '../event.ts';

/** Time series remembered at the most; beyond that the one that changed longest ago is forgotten. */
const maxSeries = 200_000;

/**
Whether a level is news. A state is news when it flips, and a first 0 is none; a count is news when it grows, and after a
reset when it is not 0; its first value is only the mark to measure from.
*/
function isNews({kind, value}: NonNullable<HardwareEvent['measurement']>, previous: number | undefined): boolean {
	if (kind === 'increase') return value > 0;
	if (kind === 'state') return value > 0 !== (previous ?? 0) > 0;
	return previous !== undefined && value !== previous && value > 0;
}

/** The last points of each series that takes several to be believed, the newest last. */
export type Recent = Map<string, readonly boolean[]>;

/** Whether enough of the last points say the same as this one. They count from the start of the bridge on. */
function isConfirmed({confirm, series, value}: NonNullable<HardwareEvent['measurement']>, recent: Recent): boolean {
	if (!confirm) return true;
	const points = [...(recent.get(series) ?? []), value > 0].slice(-confirm.of);
	recent.delete(series);
	recent.set(series, points);
	for (const oldest of recent.keys()) {
		if (recent.size <= maxSeries) break;
		recent.delete(oldest);
	}
	return points.filter(point => point === value > 0).length >= confirm.count;
}

/** Which of the events are news, and where the series stand after them. Each event is measured by the one before it. */
export function newsOf(events: readonly HardwareEvent[], known: ReadonlyMap<string, number>, recent: Recent = new Map()) {
	const changed = new Map<string, number>();
	const areNews = events.map(({measurement}) => {
		if (!measurement) return true;
		const {kind, series, value} = measurement;
		const previous = changed.get(series) ?? known.get(series);
		if (!isConfirmed(measurement, recent)) return false;
		const worthKeeping = kind === 'count' || (kind === 'state' && (value > 0 || previous !== undefined));
		if (worthKeeping && previous !== value) changed.set(series, value);
		const isOne = isNews(measurement, previous);
		if (isOne) recent.delete(series); // What has changed takes as many points again to change back.
		return isOne;
	});
	return {areNews, changed};
}

export function remember(known: Map<string, number>, changed: ReadonlyMap<string, number>): void {
	for (const [series, value] of changed) {
		known.delete(series);
		known.set(series, value);
	}
	for (const series of known.keys()) {
		if (known.size <= maxSeries) return;
		known.delete(series);
	}
}
