import {type Kysely, sql} from 'kysely';
import type {HoldReason, ProblemState, System} from '../problem.ts';
import type {Schema} from './schema.ts';

/** Problems that are not closed, of one system, in one state and for one reason. */
export type UnfinishedTally = {
	readonly systemKey: string;
	/** As the newest of them names it; undefined while it is not known. */
	readonly system: System | undefined;
	readonly state: ProblemState;
	/** Why they are held; undefined when they are not. */
	readonly heldFor: HoldReason | undefined;
	readonly problems: number;
};

/** Read from the index of states: what is closed, and that is most, costs nothing. Tests do not count. */
export async function tallyUnfinished(database: Kysely<Schema>): Promise<UnfinishedTally[]> {
	const rows = await database
		.selectFrom('problem')
		.select(eb => [
			'system_key',
			'state',
			sql<string | null>`CASE state WHEN 'held' THEN reason END`.as('held_for'),
			eb.fn.countAll<number>().as('problems'),
			eb.fn.max('last_seen').as('last_seen'),
			'system', // SQLite takes it from the row of the maximum.
		])
		.where('state', 'in', ['identified', 'queued', 'accepted', 'open', 'held', 'rejected'])
		.where('test', '=', 0)
		.groupBy(['system_key', 'state', 'held_for'])
		.execute();
	return rows.map(({system_key, system, state, held_for, problems}) => ({
		systemKey: system_key,
		system: system === null ? undefined : (JSON.parse(system) as System),
		state: state as ProblemState,
		heldFor: (held_for ?? undefined) as HoldReason | undefined,
		problems,
	}));
}

/** The settings whose names begin so, without the beginning. */
export async function readSettingsUnder(database: Kysely<Schema>, prefix: string): Promise<Map<string, string>> {
	const rows = await database
		.selectFrom('setting')
		.selectAll()
		.where('name', '>=', prefix)
		.where('name', '<', `${prefix}\u{10ffff}`)
		.execute();
	return new Map(rows.map(({name, value}) => [name.slice(prefix.length), value]));
}
