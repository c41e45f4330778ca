export type RateLimit = {readonly requests_per_second: number; readonly burst: number};

/** So many clients are remembered; the one not seen for longest is forgotten first. */
const maxClients = 10_000;

/**
A bucket of tokens for each client address: it starts full with `burst` and fills at `requests_per_second`. The function
takes one token, or tells how many seconds it takes until there is one.
*/
export function createRateLimit({requests_per_second, burst}: RateLimit, now: () => number) {
	const buckets = new Map<string, {readonly tokens: number; readonly at: number}>();
	return function secondsToWait(address: string): number | undefined {
		const at = now();
		const last = buckets.get(address) ?? {tokens: burst, at};
		const grown = (Math.max(0, at - last.at) / 1000) * requests_per_second; // A clock set back takes nothing away.
		const tokens = Math.min(burst, last.tokens + grown);
		buckets.delete(address);
		buckets.set(address, {tokens: tokens < 1 ? tokens : tokens - 1, at});
		if (buckets.size > maxClients) for (const oldest of buckets.keys().take(1)) buckets.delete(oldest);
		return tokens < 1 ? Math.ceil((1 - tokens) / requests_per_second) : undefined;
	};
}
