export type Log = (level: 'info' | 'warn' | 'error', text: string) => void;
export type Report = (entry: Entry) => void;
type Entry = {readonly level: 'warn' | 'error'; readonly kind: string; readonly address: string; readonly text: string};

const quietMillis = 60_000;
const maxEntries = 10_000;

/** Logs one refusal a minute of each kind and client address; the next one says how many were left out. */
export function createRefusalLog(log: Log, now: () => number): Report {
	const last = new Map<string, {readonly at: number; leftOut: number}>();
	return function report({level, kind, address, text}) {
		const key = `${kind} ${address}`;
		const entry = last.get(key);
		if (entry && Math.abs(now() - entry.at) < quietMillis) {
			entry.leftOut++;
			return;
		}
		last.delete(key);
		last.set(key, {at: now(), leftOut: 0});
		if (last.size > maxEntries) for (const oldest of last.keys().take(1)) last.delete(oldest);
		log(level, entry?.leftOut ? `${text} (and ${entry.leftOut} more like it before)` : text);
	};
}
