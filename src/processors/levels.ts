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

/** Which of the events are news, and where the series stand after them. Each event is measured by the one before it. */
export function newsOf(events: readonly HardwareEvent[], known: ReadonlyMap<string, number>) {
	const changed = new Map<string, number>();
	const areNews = events.map(({measurement}) => {
		if (!measurement) return true;
		const {kind, series, value} = measurement;
		const previous = changed.get(series) ?? known.get(series);
		const worthKeeping = kind === 'count' || (kind === 'state' && (value > 0 || previous !== undefined));
		if (worthKeeping && previous !== value) changed.set(series, value);
		return isNews(measurement, previous);
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
