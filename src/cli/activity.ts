import {BridgeError} from '../errors.ts';
import type {Records} from '../store/store.ts';
import {type Output, printable, table, timeText} from './print.ts';

export type ActivityOptions = {readonly limit?: number; readonly from?: string; readonly to?: string; readonly problem?: string};

/** Of --from and --to. */
export function toMillis(text: string | undefined): number | undefined {
	if (text === undefined) return undefined;
	const millis = Date.parse(text);
	if (Number.isNaN(millis))
		throw new BridgeError('ERR_USAGE', `"${text}" is not a time: write for example 2026-01-31T08:00:00Z or "2026-01-31 08:00"`);
	return millis;
}

export async function activity(read: Records, {limit = 100, from, to, problem}: ActivityOptions): Promise<Output> {
	const entries = await read.listActivities({limit, from: toMillis(from), to: toMillis(to), problemId: problem});
	const json = entries.map(({at, level, word, problemId, text}) => ({
		at: timeText(at),
		level,
		word,
		problem_id: problemId ?? null,
		text,
	}));
	const rows = entries.map(({at, level, word, problemId, text}) => [
		timeText(at) ?? '',
		level,
		word,
		problemId ?? '-',
		printable(text),
	]);
	return {json, lines: rows.length > 0 ? table(['TIME', 'LEVEL', 'WHAT', 'PROBLEM', 'TEXT'], rows) : ['No activity.']};
}
