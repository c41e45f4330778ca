import type {Kysely, Selectable} from 'kysely';
import type {Activity} from '../activity.ts';
import type {ActivityTable, AttemptTable, Schema} from './schema.ts';

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
