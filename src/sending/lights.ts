import {z} from 'zod';

/** Never one green light: each says something of its own, and nothing about the next. */
export const lights = ['reached', 'accepted', 'case_opened', 'uploaded'] as const;
export type Light = (typeof lights)[number];

/** When each light of one destination last came on, in Unix milliseconds. */
export type Lit = {readonly [Name in Light]?: number | undefined};

/** By destination, HOST:PORT. */
export type LightsByDestination = Readonly<Record<string, Lit>>;

export type LightRecords = {
	readSetting(name: string): Promise<string | undefined>;
	writeSetting(name: string, value: string): Promise<void>;
};

/** One setting for all destinations, so that a reader finds them without knowing their names. */
const setting = 'last_success.destinations';

/** The sandbox has another port after each start: beyond this many, those are forgotten that were lit the longest ago. */
const mostDestinations = 16;

const storedSchema = z.record(z.string(), z.partialRecord(z.enum(lights), z.number()));

/** Notes that these lights came on. To be called within a transaction. */
export async function noteLights(records: LightRecords, destination: string, names: readonly Light[], at: number): Promise<void> {
	if (names.length === 0) return;
	const before = await readLights(records);
	const lit: Lit = {...before[destination], ...Object.fromEntries(names.map(name => [name, at]))};
	const others = Object.entries(before).filter(([other]) => other !== destination);
	const kept = others.sort(([, one], [, other]) => newest(other) - newest(one)).slice(0, mostDestinations - 1);
	await records.writeSetting(setting, JSON.stringify(Object.fromEntries([[destination, lit], ...kept])));
}

const newest = (lit: Lit) => Math.max(0, ...Object.values(lit));

/** What cannot be read is as if it had never been lit: a store may have been damaged. */
export async function readLights(records: Pick<LightRecords, 'readSetting'>): Promise<LightsByDestination> {
	const text = await records.readSetting(setting);
	if (text === undefined) return {};
	try {
		return storedSchema.parse(JSON.parse(text));
	} catch {
		return {};
	}
}
