type Known = {readonly boots: number; readonly time: number; readonly at: number};

const windowSeconds = 150;
/** An engine whose boots have come so far takes part in nothing any more. */
const lastBoots = 2 ** 31 - 1;
const mostEngines = 100_000;

/**
Whether a message of another engine, proven by then, is no older than the time window allows (RFC 3414, section 3.2, step 7b):
one that was recorded and is sent again is. What an engine said last is the mark to measure from, by a clock that nobody sets.
*/
export function createTimeWindows(elapsedMillis: () => number = () => performance.now()) {
	const engines = new Map<string, Known>();
	return function isTimely({engineId, boots, time}: {engineId: string; boots: number; time: number}): boolean {
		const known = engines.get(engineId);
		const isNewer = !known || boots > known.boots || (boots === known.boots && time > known.time);
		if (isNewer) {
			engines.delete(engineId);
			engines.set(engineId, {boots, time, at: elapsedMillis()});
			for (const oldest of engines.keys()) if (engines.size > mostEngines) engines.delete(oldest);
		}
		if (boots >= lastBoots) return false;
		if (isNewer) return true;
		if (boots === 0 && time === 0 && known.boots === 0 && known.time === 0) return true; // It keeps no clock at all.
		const expected = known.time + (elapsedMillis() - known.at) / 1000;
		return boots === known.boots && time >= expected - windowSeconds;
	};
}
