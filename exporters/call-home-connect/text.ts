/** At most `max` UTF-16 units, cut between two code points, and without halves of a surrogate pair. */
export function cut(text: string, max: number): string {
	if (text.length <= max) return text.toWellFormed();
	const last = text.charCodeAt(max - 1);
	const splitsPair = last >= 0xd800 && last <= 0xdbff;
	return text.slice(0, splitsPair ? max - 1 : max).toWellFormed();
}

/** On one line: control characters and runs of blanks become one blank. */
export const oneLine = (text: string, max: number): string =>
	cut(
		cut(text, max * 4)
			.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
			.trim(),
		max,
	);

/** RFC 3339 in UTC; a producer's clock may stand where no calendar reaches. */
export const timeText = (millis: number): string =>
	Math.abs(millis) <= 8.64e15 ? new Date(millis).toISOString() : `${millis} ms after 1970`;
