import {z} from 'zod';

/** What the watch knows, kept over a restart. */
const stateSchema = z.object({
	/** The stored time of the last answered heartbeat from which is counted, as it is written. */
	last: z.string().optional(),
	/** How long the bridge has been up since without another answer, in milliseconds. */
	unanswered: z.number().nonnegative(),
	overdue: z.boolean(),
});
export type WatchState = z.infer<typeof stateSchema>;

/** So many intervals without an answer are an alarm. */
export const mostIntervals = 3;

export type Look = {
	/** The stored time of the last answered heartbeat, as it is written. */
	readonly last: string | undefined;
	/** Milliseconds since the last look, by a clock that nobody sets. */
	readonly elapsed: number;
	/** Milliseconds since the start of the bridge, by the same clock. */
	readonly up: number;
	/** The last answer was more than three intervals old when the bridge started. */
	readonly wasOldAtStart: boolean;
	readonly intervalMillis: number;
};

/**
Overdue: up for three intervals without an answer, all restarts together, or for one since a start at which the last answer
was too old already. Time that the bridge was down does not count, so that a start is no alarm; a bridge that dies again and
again hides nothing. Only how long it was up is added up: a clock that is set changes nothing.
*/
export function afterLook(state: WatchState, {last, elapsed, up, wasOldAtStart, intervalMillis}: Look): WatchState {
	if (last !== state.last) return {...(last !== undefined && {last}), unanswered: 0, overdue: false};
	const unanswered = state.unanswered + Math.max(0, elapsed);
	const isLate = unanswered >= mostIntervals * intervalMillis || (wasOldAtStart && up >= intervalMillis);
	return {...state, unanswered, overdue: state.overdue || isLate};
}

export type WatchRecords = {
	readSetting(name: string): Promise<string | undefined>;
	writeSetting(name: string, value: string): Promise<void>;
};

export type HeartbeatWatchParts = {
	readonly intervalMillis: number;
	/** Name of the setting that holds when a heartbeat was last answered, in Unix milliseconds. */
	readonly lastAnswer: string;
	readonly write: <Result>(change: (records: WatchRecords) => Promise<Result>) => Promise<Result>;
	/** Once when the alarm begins, once when it ends. `last` is the Unix time in milliseconds of the last answer. */
	readonly onChange: (overdue: boolean, last: number | undefined) => void | Promise<void>;
	readonly now?: () => number;
	/** Milliseconds of a clock that only goes forward. */
	readonly uptime?: () => number;
};
export type HeartbeatWatch = ReturnType<typeof createHeartbeatWatch>;

const setting = 'heartbeat.watch';

export function createHeartbeatWatch(parts: HeartbeatWatchParts) {
	const {intervalMillis, lastAnswer, write, onChange, now = Date.now, uptime = () => performance.now()} = parts;
	const startedAt = uptime();
	let lookedAt = startedAt;
	let wasOldAtStart: boolean | undefined;
	let overdue = false;

	async function step(records: WatchRecords, at: number) {
		const last = await records.readSetting(lastAnswer);
		const before = readState(await records.readSetting(setting), last);
		wasOldAtStart ??= last !== undefined && now() - Number(last) > mostIntervals * intervalMillis;
		const look = {last, elapsed: at - lookedAt, up: at - startedAt, wasOldAtStart, intervalMillis};
		const after = afterLook(before, look);
		await records.writeSetting(setting, JSON.stringify(after));
		return {before, after};
	}

	return {
		/** How often `look` is to be called. The first heartbeat after a start has that long for its answer. */
		pauseMillis: Math.max(1, Math.min(intervalMillis / 10, 60_000)),
		async look(): Promise<void> {
			const at = uptime();
			const {before, after} = await write(records => step(records, at));
			lookedAt = at; // Only what is written has been counted.
			if (after.last !== before.last) wasOldAtStart = false;
			overdue = after.overdue;
			if (before.overdue !== after.overdue) await onChange(overdue, after.last === undefined ? undefined : Number(after.last));
		},
		isOverdue: () => overdue,
	};
}

/** What cannot be read counts from now on. */
function readState(text: string | undefined, last: string | undefined): WatchState {
	const fresh = {...(last !== undefined && {last}), unanswered: 0, overdue: false};
	if (text === undefined) return fresh;
	try {
		return stateSchema.parse(JSON.parse(text));
	} catch {
		return fresh;
	}
}
