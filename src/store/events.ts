import type {Kysely} from 'kysely';
import type {Decision, HardwareEvent} from '../event.ts';
import {inChunks} from './chunks.ts';
import type {Schema} from './schema.ts';

export type KeptEvent = {readonly event: HardwareEvent; readonly problemId: string; readonly decision: Decision};

/** Integers beyond 2^53 are kept as decimal text: JSON has no bigint. */
const toJson = (event: HardwareEvent): string =>
	JSON.stringify(event, (_key, value) => (typeof value === 'bigint' ? value.toString() : value));

/** Which of the ids are kept already. */
export async function keptIds(database: Kysely<Schema>, ids: readonly string[]): Promise<Set<string>> {
	const rows = await inChunks(ids, chunk => database.selectFrom('event').select('id').where('id', 'in', chunk).execute());
	return new Set(rows.map(row => row.id));
}

export async function insertEvents(database: Kysely<Schema>, events: readonly KeptEvent[]): Promise<void> {
	await inChunks(events, async chunk => {
		const rows = chunk.map(({event, problemId, decision}) => ({
			id: event.id,
			problem_id: problemId,
			decision,
			received_at: event.receivedAt,
			body: toJson(event),
		}));
		await database.insertInto('event').values(rows).execute();
		return [];
	});
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
	return rows.map(row => ({event: JSON.parse(row.body), problemId: row.problem_id, decision: row.decision as Decision}));
}

/** How many events were ever kept. */
export async function countEvents(database: Kysely<Schema>): Promise<number> {
	const row = await database
		.selectFrom('event')
		.select(eb => eb.fn.max('sequence').as('count'))
		.executeTakeFirst();
	return Number(row?.count ?? 0);
}

export async function reassignEvents(database: Kysely<Schema>, fromProblemId: string, toProblemId: string): Promise<void> {
	await database.updateTable('event').set({problem_id: toProblemId}).where('problem_id', '=', fromProblemId).execute();
}
