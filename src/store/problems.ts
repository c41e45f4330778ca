import type {Kysely} from 'kysely';
import {type Problem, type ProblemState, problemStates} from '../problem.ts';
import {type ProblemRow, toProblem} from './problem-row.ts';
import type {Schema} from './schema.ts';

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
