import {type Kysely, sql} from 'kysely';
import type {Schema} from './schema.ts';

export type PruneLimits = {
	/** Unix milliseconds. Events, attempts and activities of problems that were closed before go. */
	readonly closedBefore: number;
	/** The problems themselves, and the faults they stand for, stay until then, for a fault may relapse. */
	readonly relapsedBefore: number;
	/** Rows deleted by one call, at the most: writers wait for it. */
	readonly limit?: number;
};

/** Problems of which nothing is to be sent any more. */
const finished = (closedBefore: number) => sql`
	SELECT id FROM problem WHERE state = 'closed' AND closed_at < ${closedBefore}
		AND id NOT IN (SELECT problem_id FROM submission WHERE problem_id IS NOT NULL)
`;

async function remove(database: Kysely<Schema>, table: keyof Schema, rows: ReturnType<typeof sql>): Promise<number> {
	const {numAffectedRows = 0n} = await sql`DELETE FROM ${sql.table(table)} WHERE rowid IN (${rows})`.execute(database);
	return Number(numAffectedRows);
}

/**
Forgets what is long over, a bounded part with each call. Returns how many rows went: call it again until that is 0. The
events of a pruned problem stay in `countEvents` and in `tallyProblems`, whose counts never go back.
*/
export async function prune(
	database: Kysely<Schema>,
	{closedBefore, relapsedBefore, limit = 1000}: PruneLimits,
): Promise<number> {
	let removed = 0;
	const details = ['event', 'attempt', 'activity'] as const;
	for (const table of details) {
		if (removed >= limit) return removed;
		const rows = sql`
			SELECT rowid FROM ${sql.table(table)} WHERE problem_id IN (${finished(closedBefore)}) LIMIT ${limit - removed}
		`;
		removed += await remove(database, table, rows);
	}
	for (const [table, time] of [
		['attempt', 'started_at'],
		['activity', 'at'],
	] as const) {
		if (removed >= limit) return removed;
		removed += await remove(database, table, ownerless(table, time, closedBefore, limit - removed));
	}
	if (removed > 0) return removed; // Problems go when nothing points to them any more.
	return removeProblems(database, Math.min(closedBefore, relapsedBefore), limit);
}

/** What belongs to no problem, such as heartbeats, and what is left of a problem that is lost. */
const ownerless = (table: 'attempt' | 'activity', time: string, before: number, limit: number) => sql`
	SELECT rowid FROM ${sql.table(table)}
	WHERE ${sql.ref(time)} < ${before} AND NOT EXISTS (SELECT 1 FROM problem WHERE problem.id = problem_id)
	ORDER BY rowid LIMIT ${limit}
`;

async function removeProblems(database: Kysely<Schema>, before: number, limit: number): Promise<number> {
	const {rows} = await sql<{id: string}>`${finished(before)} LIMIT ${limit}`.execute(database);
	const ids = rows.map(({id}) => id);
	await remove(database, 'problem_key', sql`SELECT rowid FROM problem_key WHERE problem_id IN (${sql.join(ids)})`);
	return remove(database, 'problem', sql`SELECT rowid FROM problem WHERE id IN (${sql.join(ids)})`);
}
