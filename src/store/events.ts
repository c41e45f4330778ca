import type {Kysely} from 'kysely';
import {type KeptEvent, toKeptEvent} from './event-row.ts';
import type {Schema} from './schema.ts';

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
