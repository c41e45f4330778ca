const dayMillis = 86_400_000;

/** `Retry-After`, in seconds or as an HTTP date: how long to wait from `now`, at most a day. Undefined when it says nothing. */
export function retryAfterMillis(header: string | undefined, now: number): number | undefined {
	const text = header?.trim() ?? '';
	const millis = /^\d{1,15}$/.test(text) ? Number(text) * 1000 : untilDate(text, now);
	return millis === undefined ? undefined : Math.min(millis, dayMillis);
}

function untilDate(text: string, now: number): number | undefined {
	if (!/^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text)) return undefined;
	const millis = Date.parse(text);
	return Number.isNaN(millis) ? undefined : Math.max(0, millis - now);
}
