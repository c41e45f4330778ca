import type {Kysely, Selectable} from 'kysely';
import type {Activity} from '../activity.ts';
import type {AttemptBegin, AttemptEnd} from '../attempt.ts';
import {type ActivityTable, type AttemptTable, type Schema, whole, wholeOrNull} from './schema.ts';

export type KeptActivity = Activity & {readonly sequence: number};

const toActivity = (row: Selectable<ActivityTable>): KeptActivity => ({
	sequence: row.sequence,
	at: row.at,
	level: row.level as Activity['level'],
	word: row.word,
	problemId: row.problem_id ?? undefined,
	text: row.text,
});

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
): Promise<KeptActivity[]> {
	let query = database.selectFrom('activity').selectAll();
	if (problemId !== undefined) {
		query = query.where('sequence', 'in', ({selectFrom}) => {
			const inIndex = (index: 'activity_by_problem' | 'recent_activity') =>
				selectFrom(index).select('sequence').where('problem_id', '=', problemId);
			return inIndex('activity_by_problem').unionAll(inIndex('recent_activity'));
		});
	}
	if (from !== undefined) query = query.where('at', '>=', from);
	if (to !== undefined) query = query.where('at', '<=', to);
	const rows = await query.orderBy('sequence', 'desc').limit(limit).execute();
	return rows.map(toActivity).reverse();
}

export type Attempt = Selectable<AttemptTable>;
/**
Kept before the request leaves: what a killed bridge had sent is known afterwards. From here until its outcome is settled
nobody knows whether it arrived, so it is asked after before it is sent again (G3). Returns the attempt's number.
*/
export async function beginAttempt(database: Kysely<Schema>, attempt: AttemptBegin): Promise<number> {
	await database.updateTable('submission').set({uncertain: 1}).where('id', '=', attempt.submissionId).execute();
	const {insertId} = await database
		.insertInto('attempt')
		.values({
			submission_id: attempt.submissionId,
			problem_id: attempt.problemId ?? null,
			type: attempt.type,
			started_at: whole(attempt.startedAt),
			connection: attempt.connection,
			destination: attempt.destination,
			request: attempt.request,
		})
		.executeTakeFirstOrThrow();
	return Number(insertId);
}

export async function endAttempt(database: Kysely<Schema>, sequence: number, end: AttemptEnd): Promise<void> {
	await database
		.updateTable('attempt')
		.set({
			duration: whole(end.duration),
			status_code: wholeOrNull(end.statusCode),
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

/** Ends the attempts that a killed bridge left open. Returns how many there were. */
export async function endInterrupted(database: Kysely<Schema>): Promise<number> {
	const {numUpdatedRows} = await database
		.updateTable('attempt')
		.set({duration: 0, error_type: 'interrupted', error: 'the bridge ended during this attempt'})
		.where('duration', 'is', null)
		.executeTakeFirstOrThrow();
	return Number(numUpdatedRows);
}
