import type {Kysely} from 'kysely';
import {inChunks} from './chunks.ts';
import type {Schema} from './schema.ts';

export async function readSetting(database: Kysely<Schema>, name: string): Promise<string | undefined> {
	const row = await database.selectFrom('setting').select('value').where('name', '=', name).executeTakeFirst();
	return row?.value;
}

export async function writeSetting(database: Kysely<Schema>, name: string, value: string): Promise<void> {
	await database
		.insertInto('setting')
		.values({name, value})
		.onConflict(conflict => conflict.column('name').doUpdateSet({value}))
		.execute();
}

export async function removeSetting(database: Kysely<Schema>, name: string): Promise<void> {
	await database.deleteFrom('setting').where('name', '=', name).execute();
}

/** The settings whose names begin so are forgotten. */
export async function removeSettingsUnder(database: Kysely<Schema>, prefix: string): Promise<void> {
	await database.deleteFrom('setting').where('name', '>=', prefix).where('name', '<', `${prefix}\u{10ffff}`).execute();
}

/** The last known value of each level: time series whose changes, and not whose points, are events. */
export async function readLevels(database: Kysely<Schema>): Promise<Map<string, number>> {
	const rows = await database.selectFrom('level').selectAll().execute();
	return new Map(rows.map(({series, value}) => [series, value]));
}

export async function writeLevels(database: Kysely<Schema>, levels: ReadonlyMap<string, number>): Promise<void> {
	// SQLite has no NaN, and a level that is no number tells nothing.
	const rows = [...levels].map(([series, value]) => ({series, value})).filter(({value}) => !Number.isNaN(value));
	await inChunks(rows, chunk =>
		database
			.insertInto('level')
			.values(chunk)
			.onConflict(conflict => conflict.column('series').doUpdateSet(eb => ({value: eb.ref('excluded.value')})))
			.execute(),
	);
}
