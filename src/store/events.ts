import {type Kysely, sql} from 'kysely';
import {inChunks} from './chunks.ts';
import {type KeptEvent, toKeptEvent, toKeptId, toRow} from './event-row.ts';
import {refuseWhenFull} from './room.ts';
import {lostMark, type Schema} from './schema.ts';

/** Which of the ids are kept already. An event whose problem is lost is to be decided again, so it does not count. */
export async function keptIds(database: Kysely<Schema>, ids: readonly string[]): Promise<Set<string>> {
	const rows = await inChunks(ids.map(toKeptId), chunk =>
		database.selectFrom('event').select('id').where('id', 'in', chunk).where('problem_id', 'not like', `${lostMark}%`).execute(),
	);
	const found = new Set(rows.map(row => row.id));
	return new Set(ids.filter(id => found.has(toKeptId(id))));
}

/** Keeps the events, in their order. Refused with ERR_STORE_FULL while there is still room to send what is kept. */
export async function insertEvents(database: Kysely<Schema>, events: readonly KeptEvent[]): Promise<void> {
	if (events.length === 0) return;
	await refuseWhenFull(database);
	const results = await inChunks(events, chunk =>
		database
			.insertInto('event')
			.values(chunk.map(toRow))
			.onConflict(conflict =>
				conflict
					.column('id')
					.doUpdateSet(eb => ({problem_id: eb.ref('excluded.problem_id'), decision: eb.ref('excluded.decision')}))
					.where('event.problem_id', 'like', `${lostMark}%`),
			)
			.execute(),
	);
	const kept = results.reduce((sum, {numInsertedOrUpdatedRows = 0n}) => sum + Number(numInsertedOrUpdatedRows), 0);
	await database
		.updateTable('total')
		.set({value: sql`value + ${kept}`})
		.where('name', '=', 'events')
		.execute();
}

/** The events of a problem, oldest first. */
export async function eventsOf(database: Kysely<Schema>, problemId: string, limit = 100): Promise<KeptEvent[]> {
	const rows = await database
		.selectFrom('event')
		.selectAll()
		.where('problem_id', '=', problemId)
		.orderBy('sequence')
		.limit(limit)
		.execute();
	return rows.map(toKeptEvent);
}

/** How many events were ever kept: as many as `tallyProblems` adds up to, at all times. */
export async function countEvents(database: Kysely<Schema>): Promise<number> {
	const row = await database.selectFrom('total').select('value').where('name', '=', 'events').executeTakeFirst();
	return row?.value ?? 0;
}

export async function reassignEvents(database: Kysely<Schema>, fromProblemId: string, toProblemId: string): Promise<void> {
	await database.updateTable('event').set({problem_id: toProblemId}).where('problem_id', '=', fromProblemId).execute();
}
