import {setTimeout as pause} from 'node:timers/promises';
import {toError} from '../../errors.ts';
import type {Attributes} from '../../event.ts';
import type {SourceParts, TargetState} from '../../source.ts';
import {LoginRefused, openClient} from './client.ts';
import type {RedfishReceiverConfig, RedfishSystem} from './config.ts';
import {follow, streamOf} from './follow.ts';
import {lookAt} from './look.ts';
import {subscribe} from './subscription.ts';

export const keyOf = ({url}: RedfishSystem): string => `redfish/${url.host}`;

type Told = Pick<TargetState, 'state' | 'reason'>;

/** One machine: looked at in turns, and in between followed or subscribed to. */
export type Watch = {
	run(): Promise<void>;
	/** Who it is, once it was looked at. */
	resource(): Attributes | undefined;
};

export type WatchParts = {
	readonly parts: SourceParts;
	readonly config: RedfishReceiverConfig;
	readonly stop: AbortSignal;
	/** Where this module is to send its events; undefined where nothing listens. */
	readonly destination: (system: RedfishSystem) => Promise<URL | undefined>;
};

/** A stream that ends is opened again, at first soon, and ever later while it keeps ending. */
const leastPauseMillis = 1000;

export function createWatch(system: RedfishSystem, {parts, config, stop, destination}: WatchParts): Watch {
	const target = system.url.host;
	let resource: Attributes | undefined;
	let last = '';
	let saidUnread = false;

	/** Answers false when there is nothing more to be done until a person does something. */
	async function attempt(work: () => Promise<Told>): Promise<boolean> {
		const told = await work().catch((error): Told => {
			if (error instanceof LoginRefused)
				return {state: 'stopped', reason: `${error.message}: correct username and password, then restart`};
			return {state: 'failing', reason: toError(error).message};
		});
		if (stop.aborted) return false;
		const state = {source: 'redfish', target, ...told};
		if (JSON.stringify(state) !== last) parts.onTarget(state);
		last = JSON.stringify(state);
		return told.state !== 'stopped';
	}

	const looked = (): Promise<Told> =>
		withClient(stop, async client => {
			resource = await lookAt(client, system, parts);
			const unread = client.unread();
			if (unread.length > 0 && !saidUnread) {
				saidUnread = true;
				const what = unread.slice(0, 5).join(', ');
				parts.log(
					'warn',
					`Redfish ${target} does not let ${system.username} read ${what}: a role may be missing. The rest is read.`,
				);
			}
			return {state: 'working', reason: ''};
		});

	async function withClient<T>(signal: AbortSignal, work: (client: Awaited<ReturnType<typeof openClient>>) => Promise<T>) {
		const client = await openClient(system, config, signal);
		try {
			return await work(client);
		} finally {
			await client.close();
		}
	}

	/** True when the module has a stream. It ends when the module ends it. */
	async function followed(known: Attributes, signal: AbortSignal): Promise<boolean> {
		return withClient(signal, async client => {
			const stream = await streamOf(client);
			if (stream !== undefined) await follow(client, stream, keyOf(system), known, parts);
			return stream !== undefined;
		});
	}

	async function subscribed(signal: AbortSignal): Promise<void> {
		const url = await destination(system);
		if (!url) return;
		const isSubscribed = await withClient(signal, client => subscribe(client, url));
		if (!isSubscribed && system.events === 'push') throw new Error('the module takes no subscriptions: it has no EventService');
	}

	/** One turn: follows the stream to its end, or sees to the subscription. Answers whether there was a stream. */
	async function listen(signal: AbortSignal): Promise<boolean> {
		const isFollowed = system.events !== 'push' && resource !== undefined && (await followed(resource, signal));
		if (!isFollowed && system.events !== 'sse') await subscribed(signal);
		return isFollowed;
	}

	/** Whatever fails here costs no event, only time: the next look finds in the logs what was not heard. */
	async function listenOn(signal: AbortSignal): Promise<void> {
		let wait = leastPauseMillis;
		while (!signal.aborted && system.events !== 'poll') {
			const began = performance.now();
			const isFollowed = await listen(signal).catch(error => {
				if (!signal.aborted) parts.log('info', `Redfish ${target}: no events for now: ${toError(error).message}`);
				return false;
			});
			const isLasting = isFollowed && performance.now() - began > wait;
			wait = isLasting ? leastPauseMillis : Math.min(2 * wait, config.poll_interval);
			await pause(isFollowed ? wait : config.poll_interval, undefined, {signal}).catch(() => {});
		}
	}

	async function lookOn(signal: AbortSignal): Promise<void> {
		while (!signal.aborted) {
			const spread = 0.9 + 0.2 * (parts.random ?? Math.random)();
			await pause(config.poll_interval * spread, undefined, {signal}).catch(() => {});
			if (!signal.aborted && !(await attempt(looked))) return;
		}
	}

	return {
		resource: () => resource,
		async run() {
			if (system.url.protocol === 'http:') parts.log('warn', `Redfish ${target}: plain HTTP shows the password on the way`);
			if (!(await attempt(looked))) return;
			const over = new AbortController();
			const signal = AbortSignal.any([stop, over.signal]);
			// A refused login ends both: nothing is asked of the module any more.
			await Promise.all([lookOn(signal).finally(() => over.abort()), listenOn(signal)]);
		},
	};
}
