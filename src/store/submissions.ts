import type {Kysely, Selectable} from 'kysely';
import {priorityOf, type Submission, type SubmissionType} from '../submission.ts';
import {parseKept} from './failures.ts';
import {type Schema, type SubmissionTable, whole} from './schema.ts';

function toSubmission(row: Selectable<SubmissionTable>): Submission {
	return {
		id: row.id,
		type: row.type as SubmissionType,
		problemId: row.problem_id ?? undefined,
		transactionId: row.transaction_id,
		aboutTransactionId: row.about_transaction_id ?? undefined,
		content: parseKept(row.content),
		attempts: row.attempts,
		rounds: row.rounds,
		uncertain: row.uncertain === 1,
		notBefore: row.not_before,
		queuedAt: row.queued_at,
		traceparent: row.traceparent ?? undefined,
	};
}

/** Puts a submission into the queue. The same id again changes nothing. */
export async function offer(database: Kysely<Schema>, submission: Submission): Promise<void> {
	const row = {
		id: submission.id,
		type: submission.type,
		priority: priorityOf[submission.type],
		problem_id: submission.problemId ?? null,
		transaction_id: submission.transactionId,
		about_transaction_id: submission.aboutTransactionId ?? null,
		content: JSON.stringify(submission.content),
		attempts: whole(submission.attempts),
		rounds: whole(submission.rounds),
		uncertain: submission.uncertain ? 1 : 0,
		not_before: whole(submission.notBefore),
		queued_at: whole(submission.queuedAt),
		traceparent: submission.traceparent ?? null,
	};
	await database
		.insertInto('submission')
		.values(row)
		.onConflict(conflict => conflict.doNothing())
		.execute();
}

const priorities = [...new Set(Object.values(priorityOf))].sort((one, other) => one - other);

const waiting = (database: Kysely<Schema>, priority: number, underWay: readonly string[]) => {
	const query = database.selectFrom('submission').where('priority', '=', priority);
	return underWay.length > 0 ? query.where('id', 'not in', underWay) : query;
};

/**
The submissions whose time has come, the most urgent first, without those that are under way. Each priority is asked for by
itself: a hundred thousand that are postponed do not slow down the search for one that is due.
*/
export async function dueSubmissions(
	database: Kysely<Schema>,
	now: number,
	underWay: readonly string[],
	limit: number,
): Promise<Submission[]> {
	const rows: Selectable<SubmissionTable>[] = [];
	for (const priority of priorities) {
		if (rows.length >= limit) break;
		const due = waiting(database, priority, underWay).selectAll().where('not_before', '<=', now);
		const missing = limit - rows.length;
		rows.push(...(await due.orderBy('not_before').orderBy('sequence').limit(missing).execute()));
	}
	return rows.map(toSubmission);
}

/** When the next submission is due that is not under way; undefined when there is none. */
export async function nextDueAt(database: Kysely<Schema>, underWay: readonly string[]): Promise<number | undefined> {
	const times: number[] = [];
	for (const priority of priorities) {
		const next = waiting(database, priority, underWay).select('not_before').orderBy('not_before').limit(1);
		const row = await next.executeTakeFirst();
		if (row) times.push(row.not_before);
	}
	return times.length > 0 ? Math.min(...times) : undefined;
}

export type SubmissionChange = {attempts?: number; rounds?: number; uncertain?: boolean; notBefore?: number};

export async function changeSubmission(database: Kysely<Schema>, id: string, change: SubmissionChange): Promise<void> {
	const {attempts, rounds, uncertain, notBefore} = change;
	if (Object.values(change).every(value => value === undefined)) return;
	await database
		.updateTable('submission')
		.set({
			...(attempts === undefined ? {} : {attempts}),
			...(rounds === undefined ? {} : {rounds}),
			...(uncertain === undefined ? {} : {uncertain: uncertain ? 1 : 0}),
			...(notBefore === undefined ? {} : {not_before: whole(notBefore)}),
		})
		.where('id', '=', id)
		.execute();
}

export async function removeSubmission(database: Kysely<Schema>, id: string): Promise<void> {
	await database.deleteFrom('submission').where('id', '=', id).execute();
}

export async function removeSubmissionsOf(
	database: Kysely<Schema>,
	problemId: string,
	types: readonly SubmissionType[],
): Promise<void> {
	await database.deleteFrom('submission').where('problem_id', '=', problemId).where('type', 'in', types).execute();
}

/** Newest wins: an older heartbeat that was not delivered is worth nothing. */
export async function removeSubmissionsOfType(
	database: Kysely<Schema>,
	type: SubmissionType,
	exceptIds: readonly string[],
): Promise<void> {
	let query = database.deleteFrom('submission').where('type', '=', type);
	if (exceptIds.length > 0) query = query.where('id', 'not in', exceptIds);
	await query.execute();
}

/** What waits under ids that begin so. */
export async function removeSubmissionsUnder(database: Kysely<Schema>, type: SubmissionType, prefix: string): Promise<number> {
	const {numDeletedRows} = await database
		.deleteFrom('submission')
		.where('type', '=', type)
		.where('id', '>=', prefix)
		.where('id', '<', `${prefix}\u{10ffff}`)
		.executeTakeFirstOrThrow();
	return Number(numDeletedRows);
}

export type QueueTally = {readonly size: number; readonly oldestProblemQueuedAt: number | undefined};

export async function tallyQueue(database: Kysely<Schema>): Promise<QueueTally> {
	const total = await database.selectFrom('total').select('value').where('name', '=', 'submissions').executeTakeFirst();
	const oldest = await database
		.selectFrom('submission')
		.select(eb => eb.fn.min('queued_at').as('at'))
		.where('type', '=', 'hardware_alert')
		.executeTakeFirst();
	return {size: total?.value ?? 0, oldestProblemQueuedAt: oldest?.at ?? undefined};
}
