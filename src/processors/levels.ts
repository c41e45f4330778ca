import type {HardwareEvent} from '../event.ts';

/** Time series remembered at the most; beyond that the one that changed longest ago is forgotten. */
const maxSeries = 200_000;

/**
Whether a level is news, and what to remember of it. A state is news when it flips, and a first 0 is none; a count is news
when it grows, and after a reset when it is not 0; its first value is only the mark to measure from.
*/
export function isNews(event: HardwareEvent, known: ReadonlyMap<string, number>): boolean {
	const {measurement} = event;
	if (!measurement) return true;
	const {kind, series, value} = measurement;
	if (kind === 'increase') return value > 0;
	const previous = known.get(series);
	if (kind === 'state') return value > 0 !== (previous ?? 0) > 0;
	return previous !== undefined && value !== previous && value > 0;
}

/** What the series of these events are at now, where that differs from what is known. */
export function changedLevels(events: readonly HardwareEvent[], known: ReadonlyMap<string, number>): Map<string, number> {
	const changed = new Map<string, number>();
	for (const {measurement} of events) {
		if (!measurement || measurement.kind === 'increase') continue;
		const {kind, series, value} = measurement;
		const previous = changed.get(series) ?? known.get(series);
		const worthKeeping = kind === 'count' || value > 0 || previous !== undefined;
		if (worthKeeping && previous !== value) changed.set(series, value);
	}
	return changed;
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
