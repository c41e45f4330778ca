import {isDeepStrictEqual} from 'node:util';
import {z} from 'zod';
import type {Activity} from '../activity.ts';
import {type Purpose, purposes} from '../destination.ts';
import type {DestinationUpdate} from './manifest.ts';
import type {Waiting} from './staging.ts';
import {type Accepted, type Applied, type Check, readApplied, readAs, type State, type Trouble, troubleSchema} from './state.ts';

export type Note = (activity: Activity) => void | Promise<void>;

/** What the activity log has been told, so that nothing is told twice, and nothing forgotten when a process is killed between. */
const notedSchema = z.object({
	digest: z.string().default(''),
	/** HOST:PORT by purpose. */
	servers: z.record(z.string(), z.array(z.string())).default({}),
	/** Unix milliseconds. */
	appliedAt: z.number().default(0),
	troubles: z.array(troubleSchema).default([]),
	/** KIND VERSION. */
	waiting: z.array(z.string()).default([]),
});
type Noted = z.infer<typeof notedSchema>;

export type News = {
	readonly accepted: Accepted | undefined;
	readonly troubles?: Check['troubles'];
	readonly waiting?: readonly Waiting[];
	readonly at: number;
};

/** Says what was accepted and applied since the last time, by whichever process, what goes wrong now, and that it is well again. */
export async function tellNews(news: News, state: State, note: Note): Promise<void> {
	const noted = (await readAs(state, 'noted', notedSchema)) ?? notedSchema.parse({});
	const applied = await readApplied(state);
	const {accepted, at, troubles = noted.troubles} = news;
	const waiting = news.waiting?.map(({kind, version}) => `${kind} ${version}`) ?? noted.waiting;
	const activities = [
		...(accepted && accepted.digest !== noted.digest ? [acceptance(accepted, noted, at)] : []),
		...(applied && applied.at !== noted.appliedAt ? [application(applied, at)] : []),
		...waiting.filter(update => !noted.waiting.includes(update)).map(update => offering(update, at)),
		...troublesSince(noted.troubles, troubles, at),
	];
	for (const activity of activities) await note(activity);
	const next: Noted = {
		digest: accepted?.digest ?? noted.digest,
		servers: accepted ? serversOf(accepted.manifest.destinations) : noted.servers,
		appliedAt: applied?.at ?? noted.appliedAt,
		troubles,
		waiting,
	};
	if (!isDeepStrictEqual(next, noted)) await state.writeState('noted', JSON.stringify(next));
}

const levelOf: Record<string, Activity['level']> = {update_refused: 'error', update_state_lost: 'error'};

function troublesSince(before: readonly Trouble[], now: readonly Trouble[], at: number): Activity[] {
	if (now.length === 0 && before.length > 0) {
		return [{at, level: 'info', word: 'update_recovered', text: 'the update server answers as it should'}];
	}
	return now
		.filter(({word, text}) => !before.some(trouble => trouble.word === word && trouble.text === text))
		.map(({word, code, text}) => ({at, level: levelOf[word] ?? 'warn', word, text: `${code}: ${text}`}));
}

function application({version, at: appliedAt}: Applied, at: number): Activity {
	const text = `rules ${version} were applied by the operator at ${new Date(appliedAt).toISOString()}, for the next start`;
	return {at, level: 'info', word: 'update_applied', text};
}

function offering(update: string, at: number): Activity {
	const [kind = ''] = update.split(' ');
	const text = `${update} is fetched and verified, and waits: "callhome update apply ${kind}"`;
	return {at, level: 'warn', word: 'update_waiting', text};
}

function acceptance({manifest, origin, keyId}: Accepted, noted: Noted, at: number): Activity {
	const changes = changesOf(noted.servers, serversOf(manifest.destinations));
	const text = `manifest ${manifest.serial} of the update server, signed by key ${keyId}, came over ${origin}: ${changes}`;
	return {at, level: 'info', word: 'update_accepted', text};
}

/** HOST:PORT of the servers that an update names. */
export const serversOf = (update: DestinationUpdate): Record<string, string[]> =>
	Object.fromEntries(
		purposes.flatMap(purpose => {
			const servers = update[purpose]?.flatMap(({host, ports}) => ports.map(port => `${host}:${port}`));
			return servers ? [[purpose, servers]] : [];
		}),
	);

function changesOf(before: Noted['servers'], after: Noted['servers']): string {
	const changes = purposes.flatMap((purpose: Purpose) => {
		const [old, young] = [new Set(before[purpose]), new Set(after[purpose])];
		const added = [...young.difference(old)].map(server => `+${server}`);
		const removed = [...old.difference(young)].map(server => `-${server}`);
		return added.length + removed.length > 0 ? [`${purpose} ${[...added, ...removed].join(' ')}`] : [];
	});
	return changes.length > 0 ? changes.join('; ') : 'no change of servers';
}
