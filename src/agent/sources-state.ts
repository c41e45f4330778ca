import {z} from 'zod';
import type {TargetState} from '../source.ts';
import type {Store} from '../store/store.ts';
import type {Targets} from './targets.ts';
import {every, type Upkeep} from './upkeep.ts';

const setting = 'sources.state';
const keepIntervalMillis = 5000;
/** So many targets that do not work are named one by one. */
const mostNamed = 100;

const stateSchema = z.object({
	/** Targets by source and state. */
	counts: z.array(z.object({source: z.string(), state: z.string(), targets: z.number()})),
	/** What does not work, and why. */
	troubles: z.array(z.object({source: z.string(), target: z.string(), state: z.string(), reason: z.string()})),
});

/** What the running bridge knows of its sources, for whoever asks from outside of its process. */
export type SourcesState = z.infer<typeof stateSchema>;

export function toSourcesState(targets: readonly TargetState[]): SourcesState {
	const groups = Map.groupBy(targets, ({source, state}) => `${source}\n${state}`);
	return {
		counts: [...groups.values()].flatMap(group =>
			group.slice(0, 1).map(({source, state}) => ({source, state, targets: group.length})),
		),
		troubles: targets.filter(({state}) => state !== 'working').slice(0, mostNamed),
	};
}

/** Written when it has changed, and once at the start: what an earlier run knew says nothing of now. */
export function keepSourcesState(targets: Targets, store: Pick<Store, 'write'>, upkeep: Pick<Upkeep, 'log' | 'stack'>): void {
	let kept = '';
	const keep = async () => {
		const text = JSON.stringify(toSourcesState(targets.list()));
		if (text === kept) return;
		await store.write(records => records.writeSetting(setting, text));
		kept = text;
	};
	every(keepIntervalMillis, 'the state of the sources could not be kept', keep, upkeep);
}

/** Undefined when nothing is stored, or nothing that can be read. True only while the bridge runs. */
export async function readSourcesState(read: {
	readSetting(name: string): Promise<string | undefined>;
}): Promise<SourcesState | undefined> {
	const text = await read.readSetting(setting);
	try {
		return text === undefined ? undefined : stateSchema.parse(JSON.parse(text));
	} catch {
		return undefined;
	}
}
