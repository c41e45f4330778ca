import type {Kysely} from 'kysely';
import {type Problem, type ProblemState, problemStates, recentKey} from '../problem.ts';
import {inChunks} from './chunks.ts';
import {type ProblemRow, toProblem, toRow} from './problem-row.ts';
import type {Schema} from './schema.ts';

/** The problem that stands for each of the faults, by the fault's key. Closed ones too: a fault may come back. */
export async function problemsByKeys(database: Kysely<Schema>, keys: readonly string[]): Promise<Map<string, Problem>> {
	const rows = await inChunks(keys, chunk =>
		database
			.selectFrom('problem_key')
			.innerJoin('problem', 'problem.id', 'problem_key.problem_id')
			.selectAll('problem')
			.select('problem_key.key as fault_key')
			.where('problem_key.key', 'in', chunk)
			.execute(),
	);
	return new Map(rows.map(row => [row.fault_key, toProblem(row)]));
}

export const saveProblem = (database: Kysely<Schema>, problem: Problem): Promise<void> => saveProblems(database, [problem]);

/** Everything but the id. */
const changing = [
	'key',
	'state',
	'reason',
	'title',
	'severity',
	'test',
	'count',
	'first_seen',
	'last_seen',
	'system_key',
	'system',
	'component',
	'transaction_id',
	'case_number',
	'accepted_at',
	'recovered_at',
	'closed_at',
	'release_at',
	'traceparent',
] as const satisfies readonly (keyof ProblemRow)[];

/** Each problem once. */
export async function saveProblems(database: Kysely<Schema>, problems: readonly Problem[]): Promise<void> {
	await inChunks(problems, async chunk => {
		await database
			.insertInto('problem')
			.values(chunk.map(toRow))
			.onConflict(conflict =>
				conflict
					.column('id')
					.doUpdateSet(({ref}) => Object.fromEntries(changing.map(column => [column, ref(`excluded.${column}`)]))),
			)
			.execute();
		return [];
	});
}

/** From now on this problem stands for the faults. */
export async function assignKeys(database: Kysely<Schema>, keys: readonly string[], problemId: string): Promise<void> {
	await inChunks(keys, async chunk => {
		await database
			.insertInto('problem_key')
			.values(chunk.map(key => ({key, problem_id: problemId})))
			.onConflict(conflict => conflict.column('key').doUpdateSet({problem_id: problemId}))
			.execute();
		return [];
	});
}

export async function problemById(database: Kysely<Schema>, id: string): Promise<Problem | undefined> {
	const row = await database.selectFrom('problem').selectAll().where('id', '=', id).executeTakeFirst();
	return row && toProblem(row);
}

export async function problemByTransaction(database: Kysely<Schema>, transactionId: string): Promise<Problem | undefined> {
	const row = await database.selectFrom('problem').selectAll().where('transaction_id', '=', transactionId).executeTakeFirst();
	return row && toProblem(row);
}

export async function problemByCaseNumber(database: Kysely<Schema>, caseNumber: string): Promise<Problem | undefined> {
	const row = await database.selectFrom('problem').selectAll().where('case_number', '=', caseNumber).executeTakeFirst();
	return row && toProblem(row);
}

export type ProblemFilter = {readonly states?: readonly ProblemState[]; readonly limit?: number};

/** Newest first. Each state is asked for by itself, in the order of its index: none is sorted as a whole. */
export async function listProblems(
	database: Kysely<Schema>,
	{states = problemStates, limit = 1000}: ProblemFilter,
): Promise<Problem[]> {
	const rows: ProblemRow[] = [];
	for (const state of new Set(states)) {
		const inState = database.selectFrom('problem').selectAll().where('state', '=', state);
		rows.push(...(await inState.orderBy('last_seen', 'desc').orderBy('id').limit(limit).execute()));
	}
	return rows
		.sort((one, other) => other.last_seen - one.last_seen || (one.id < other.id ? -1 : 1))
		.slice(0, limit)
		.map(toProblem);
}

/**
How many problems of each system began since `since`, by `recentKey`: those that are held for the same reason count
together, and those that are not held count together. Tests do not count.
*/
export async function countRecentProblems(
	database: Kysely<Schema>,
	systemKeys: readonly string[],
	since: number,
): Promise<Map<string, number>> {
	const rows = await inChunks(systemKeys, chunk =>
		database
			.selectFrom('problem')
			.select(eb => ['system_key', 'state', 'reason', eb.fn.countAll<number>().as('count')])
			.where('system_key', 'in', chunk)
			.where('first_seen', '>=', since)
			.where('test', '=', 0)
			.groupBy(['system_key', 'state', 'reason'])
			.execute(),
	);
	const counts = new Map<string, number>();
	for (const {system_key, state, reason, count} of rows) {
		const key = recentKey(system_key, state === 'held' && reason !== 'storm' ? reason : '');
		counts.set(key, (counts.get(key) ?? 0) + count);
	}
	return counts;
}

export type ProblemTally = {
	readonly state: ProblemState;
	/** Whether the backend has taken it. */
	readonly sent: boolean;
	readonly problems: number;
	readonly events: number;
};

/** Counted as problems are written, so that a scrape is cheap. Events of pruned problems are in it still. */
export async function tallyProblems(database: Kysely<Schema>): Promise<ProblemTally[]> {
	const rows = await database.selectFrom('problem_tally').selectAll().execute();
	return rows
		.filter(({problems, events}) => problems > 0 || events > 0)
		.map(row => ({...row, state: row.state as ProblemState, sent: row.sent === 1}));
}

/** Held problems, the oldest first, for another look at what holds them. */
export async function heldProblems(database: Kysely<Schema>, reasons: readonly string[], limit: number): Promise<Problem[]> {
	const rows = await database
		.selectFrom('problem')
		.selectAll()
		.where('state', '=', 'held')
		.where('reason', 'in', reasons)
		.orderBy('first_seen')
		.limit(limit)
		.execute();
	return rows.map(toProblem);
}

/** Problems whose hold ends by itself, and has. */
export async function releasableProblems(database: Kysely<Schema>, now: number): Promise<Problem[]> {
	const rows = await database
		.selectFrom('problem')
		.selectAll()
		.where('state', '=', 'held')
		.where('release_at', '<=', now)
		.execute();
	return rows.map(toProblem);
}

/** Accepted, and still without a case number. */
export async function unansweredProblems(database: Kysely<Schema>): Promise<Problem[]> {
	const rows = await database
		.selectFrom('problem')
		.selectAll()
		.where('state', '=', 'accepted')
		.orderBy('accepted_at')
		.limit(1000)
		.execute();
	return rows.map(toProblem);
}

/** The faults for which a problem stands pass to another one. */
export async function moveKeys(database: Kysely<Schema>, fromProblemId: string, toProblemId: string): Promise<void> {
	await database.updateTable('problem_key').set({problem_id: toProblemId}).where('problem_id', '=', fromProblemId).execute();
}
