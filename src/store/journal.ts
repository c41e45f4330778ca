import type {Kysely, Selectable} from 'kysely';
import type {ActivityTable, AttemptTable, Schema} from './schema.ts';

export type ActivityLevel = 'info' | 'warn' | 'error';
export type NewActivity = {
	readonly at: number;
	readonly level: ActivityLevel;
	readonly word: string;
	readonly problemId?: string | undefined;
	readonly text: string;
};
export type Activity = NewActivity & {readonly sequence: number};

const toActivity = (row: Selectable<ActivityTable>): Activity => ({
	sequence: row.sequence,
	at: row.at,
	level: row.level as ActivityLevel,
	word: row.word,
	problemId: row.problem_id ?? undefined,
	text: row.text,
});

export async function addActivities(database: Kysely<Schema>, activities: readonly NewActivity[]): Promise<void> {
	if (activities.length === 0) return;
	const rows = activities.map(({problemId, ...rest}) => ({...rest, problem_id: problemId ?? null}));
	for (let start = 0; start < rows.length; start += 500) {
		await database
			.insertInto('activity')
			.values(rows.slice(start, start + 500))
			.execute();
	}
}

export type ActivityFilter = {
	readonly problemId?: string | undefined;
	readonly from?: number | undefined;
	readonly to?: number | undefined;
	readonly limit?: number | undefined;
};

/** Oldest first; with a limit, the newest so many. */
export async function listActivities(
	database: Kysely<Schema>,
	{problemId, from, to, limit = 1000}: ActivityFilter,
): Promise<Activity[]> {
	let query = database.selectFrom('activity').selectAll();
	if (problemId !== undefined) query = query.where('problem_id', '=', problemId);
	if (from !== undefined) query = query.where('at', '>=', from);
	if (to !== undefined) query = query.where('at', '<=', to);
	const rows = await query.orderBy('sequence', 'desc').limit(limit).execute();
	return rows.map(toActivity).reverse();
}

export type Attempt = Selectable<AttemptTable>;
export type NewAttempt = {
	readonly submissionId: string;
	readonly problemId: string | undefined;
	readonly type: string;
	readonly startedAt: number;
	readonly connection: string;
	readonly destination: string;
	readonly request: string;
};

/** Kept before the request leaves: what a killed bridge had sent is known afterwards. Returns the attempt's number. */
export async function beginAttempt(database: Kysely<Schema>, attempt: NewAttempt): Promise<number> {
	const {insertId} = await database
		.insertInto('attempt')
		.values({
			submission_id: attempt.submissionId,
			problem_id: attempt.problemId ?? null,
			type: attempt.type,
			started_at: attempt.startedAt,
			connection: attempt.connection,
			destination: attempt.destination,
			request: attempt.request,
		})
		.executeTakeFirstOrThrow();
	return Number(insertId);
}

export type AttemptEnd = {
	readonly duration: number;
	readonly statusCode?: number;
	readonly reply?: string;
	readonly errorType?: string;
	readonly error?: string;
};

export async function endAttempt(database: Kysely<Schema>, sequence: number, end: AttemptEnd): Promise<void> {
	await database
		.updateTable('attempt')
		.set({
			duration: end.duration,
			status_code: end.statusCode ?? null,
			reply: end.reply ?? null,
			error_type: end.errorType ?? null,
			error: end.error ?? null,
		})
		.where('sequence', '=', sequence)
		.execute();
}

export async function attemptsOf(database: Kysely<Schema>, problemId: string, limit = 100): Promise<Attempt[]> {
	const rows = await database
		.selectFrom('attempt')
		.selectAll()
		.where('problem_id', '=', problemId)
		.orderBy('sequence', 'desc')
		.limit(limit)
		.execute();
	return rows.reverse();
}

/** Submissions whose last attempt never ended: the process was killed while the request was out. */
export async function markInterrupted(database: Kysely<Schema>): Promise<number> {
	const unended = database.selectFrom('attempt').select('submission_id').where('duration', 'is', null);
	const {numUpdatedRows} = await database
		.updateTable('submission')
		.set({uncertain: 1})
		.where('id', 'in', unended)
		.executeTakeFirstOrThrow();
	await database
		.updateTable('attempt')
		.set({duration: 0, error_type: 'interrupted', error: 'the bridge ended during this attempt'})
		.where('duration', 'is', null)
		.execute();
	return Number(numUpdatedRows);
}
