import {setTimeout as pause} from 'node:timers/promises';
import type {Backend} from './backend.ts';
import type {Bridge} from './bridge.ts';
import type {Load} from './load.ts';
import type {Random} from './random.ts';

export type Scene = {readonly bridge: Bridge; readonly load: Load; readonly backend: Backend; readonly random: Random};

/** How a life ended: by SIGKILL, by SIGTERM, or by itself, which it must not. */
export type End = {readonly how: 'killed' | 'stopped' | 'by itself'; readonly with: number | NodeJS.Signals};

/** Whatever a moment waits for, it does not wait longer. */
const patienceMillis = 3000;
const startMillis = 60_000;
const stopMillis = 30_000;

/** When a life ends. Each resolves at its moment, or earlier when the bridge has ended by itself. */
const moments = {
	/** While it starts: the store is opened, held problems are looked at, the first submissions go out. */
	async starting({random}: Scene) {
		await pause(random.between(20, 1500));
	},
	async serving({bridge, random}: Scene) {
		await isReady(bridge);
		await pause(random.waiting(250, 50, 800));
	},
	/** An answer has just been read: what it acknowledged has to be on disk. */
	async acknowledging({bridge, load, random}: Scene) {
		await isReady(bridge);
		await pause(random.between(0, 400));
		await Promise.race([load.acknowledgement(), pause(patienceMillis, undefined, {ref: false})]);
	},
	/** A case has just been opened: the bridge has the reply, or not yet, or has half written down what it means. */
	async opening({bridge, backend, random}: Scene) {
		await Promise.race([isReady(bridge), pause(random.between(0, 1500))]);
		await backend.nextCase(AbortSignal.timeout(patienceMillis));
		await pause(random.between(0, 30));
	},
	/** It was told to stop, and is killed while it finishes. */
	async stopping({bridge, random}: Scene) {
		await isReady(bridge);
		await pause(random.waiting(250, 50, 800));
		bridge.signal('SIGTERM');
		await pause(random.between(0, 80));
	},
} satisfies Record<string, (scene: Scene) => Promise<void>>;
export type Moment = keyof typeof moments;

/** As often as each is named. */
const kills: readonly [Moment, ...Moment[]] = [
	'serving',
	'serving',
	'serving',
	'opening',
	'opening',
	'opening',
	'acknowledging',
	'acknowledging',
	'starting',
	'starting',
	'stopping',
];

/** Not referenced: what is no longer waited for must not keep the campaign from its end. */
const isReady = ({ready}: Bridge) => Promise.race([ready, pause(startMillis, false, {ref: false})]);

/** Lives one life to its end. */
export async function endAtRandom(scene: Scene): Promise<End & {readonly moment: Moment | 'graceful'}> {
	const {bridge, random} = scene;
	if (random.chance(0.07)) return {...(await stopGracefully(scene)), moment: 'graceful'};
	const moment = random.pick(kills);
	await moments[moment](scene);
	if (!bridge.hasEnded()) bridge.signal('SIGKILL');
	const ended = await bridge.ended;
	const stopped = moment === 'stopping' && ended === 0;
	return {how: ended === 'SIGKILL' ? 'killed' : stopped ? 'stopped' : 'by itself', with: ended, moment};
}

async function stopGracefully(scene: Scene): Promise<End> {
	await moments.serving(scene);
	return stop(scene.bridge);
}

/** SIGTERM. A bridge that does not end by it is killed, and has failed. */
export async function stop(bridge: Bridge): Promise<End> {
	if (!bridge.hasEnded()) bridge.signal('SIGTERM');
	const patience = setTimeout(() => bridge.signal('SIGKILL'), stopMillis);
	const ended = await bridge.ended;
	clearTimeout(patience);
	return {how: ended === 0 ? 'stopped' : 'by itself', with: ended};
}
