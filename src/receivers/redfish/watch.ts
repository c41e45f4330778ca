import {setTimeout as pause} from 'node:timers/promises';
import {toError} from '../../errors.ts';
import {createRefusals, type Login, refusedAdvice} from '../../refused-login.ts';
import type {SourceParts, TargetState} from '../../source.ts';
import {type Client, openClient} from './client.ts';
import type {RedfishReceiverConfig, RedfishSystem} from './config.ts';
import {follow, streamOf} from './follow.ts';
import {keyOf} from './json.ts';
import {lookAt} from './look.ts';
import type {ToEvents} from './owners.ts';
import {createSession, LoginRefused} from './session.ts';
import {subscribe, unsubscribe} from './subscription.ts';

type Told = Pick<TargetState, 'state' | 'reason'>;

/** One machine: looked at in turns, and in between followed or subscribed to. */
export type Watch = {
	run(): Promise<void>;
	/** Undefined until it was looked at. */
	toEvents(): ToEvents | undefined;
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
/** So many looks to one that reads each log to its end. */
const looksUntilThorough = 10;
/** The first looks are spread over this time at the most. */
const mostSpreadMillis = 5000;
/** A module that does not answer does not hold up the end of the bridge. */
const logoutMillis = 3000;

export function createWatch(system: RedfishSystem, {parts, config, stop, destination}: WatchParts): Watch {
	const target = system.url.host;
	let session = createSession(system, parts);
	const refusals = createRefusals(parts.marks, config.refused_pause, parts.now ?? Date.now);
	const login: Login = {key: `${keyOf(system)}/refused`, username: system.username, password: system.password};
	const subscribedMark = `${keyOf(system)}/subscribed`;
	let toEvents: ToEvents | undefined;
	let last = '';
	let saidUnread = false;
	let looks = 0;
	const saidCut = new Set<string>();

	function tell(told: Told): void {
		const state = {source: 'redfish', target, ...told};
		if (JSON.stringify(state) !== last) parts.onTarget(state);
		last = JSON.stringify(state);
	}

	const tellRefused = (words: string): void =>
		tell({
			state: 'stopped',
			reason: `${words}: ${refusedAdvice}`,
		});

	/** Answers false when the login was refused. */
	async function attempt(work: () => Promise<Told>): Promise<boolean> {
		try {
			const told = await work();
			await refusals.accepted(login);
			if (!stop.aborted) tell(told);
		} catch (error) {
			if (stop.aborted) return true;
			if (!(error instanceof LoginRefused)) tell({state: 'failing', reason: toError(error).message});
			else {
				await refusals.refused(login);
				tellRefused(error.message);
				return false;
			}
		}
		return true;
	}

	const looked = (): Promise<Told> =>
		withClient(stop, async client => {
			const looked = await lookAt(client, system, parts, {
				isThorough: looks++ % looksUntilThorough === 0,
				recoveryMillis: config.recovery_delay,
				everyMillis: config.poll_interval,
			});
			toEvents = looked.toEvents;
			for (const [path, count] of looked.cut) sayCut(path, count);
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

	function sayCut(path: string, count: number): void {
		if (saidCut.has(path)) return;
		saidCut.add(path);
		const advice = 'only its oldest and its newest are watched: clear it';
		parts.log('warn', `Redfish ${target}: the log ${path} holds ${count} entries, too many to be read whole; ${advice}`);
	}

	async function withClient<T>(signal: AbortSignal, work: (client: Client) => Promise<T>) {
		const client = await openClient(system, {session, limits: config, signal});
		try {
			return await work(client);
		} finally {
			await client.close();
		}
	}

	/** True when the module has a stream. It ends when the module ends it. */
	async function followed(known: ToEvents, signal: AbortSignal): Promise<boolean> {
		return withClient(signal, async client => {
			const stream = await streamOf(client);
			if (stream !== undefined) await follow(client, stream, keyOf(system), known, parts);
			return stream !== undefined;
		});
	}

	async function subscribed(signal: AbortSignal): Promise<void> {
		const url = await destination(system);
		if (!url) return;
		// Before it is made, so that one that is half made is removed some day.
		if ((await parts.marks.read(subscribedMark)) !== url.href) await parts.marks.write(subscribedMark, url.href);
		const isSubscribed = await withClient(signal, client => subscribe(client, url));
		if (!isSubscribed && system.events === 'push') throw new Error('the module takes no subscriptions: it has no EventService');
	}

	/** What was subscribed to before events were asked for in another way would be sent for ever. */
	async function tidy(signal: AbortSignal): Promise<void> {
		const isWanted = system.events !== 'poll' && system.events !== 'sse' && (await destination(system)) !== undefined;
		const former = isWanted ? undefined : await parts.marks.read(subscribedMark);
		if (!former || !URL.canParse(former)) return;
		await withClient(signal, client => unsubscribe(client, new URL(former)));
		await parts.marks.write(subscribedMark, '');
		parts.log('info', `Redfish ${target}: the subscription of before is removed`);
	}

	/** One turn: follows the stream to its end, or sees to the subscription. Answers whether there was a stream. */
	async function listen(signal: AbortSignal): Promise<boolean> {
		const isFollowed = system.events !== 'push' && toEvents !== undefined && (await followed(toEvents, signal));
		if (!isFollowed && system.events !== 'sse') await subscribed(signal);
		return isFollowed;
	}

	/** Whatever fails here costs no event, only time: the next look finds in the logs what was not heard. */
	async function listenOn(signal: AbortSignal): Promise<void> {
		let wait = leastPauseMillis;
		let isRefused = false; // By what gives the events alone, or else the next look finds out.
		while (!signal.aborted && !isRefused && system.events !== 'poll') {
			const began = performance.now();
			const isFollowed = await listen(signal).catch(error => {
				if (error instanceof LoginRefused) isRefused = true;
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

	/** Until the login is refused, or the bridge ends. */
	async function watch(): Promise<void> {
		session = createSession(system, parts);
		if (!(await attempt(looked))) return;
		await tidy(stop).catch(error => {
			if (!stop.aborted) parts.log('warn', `Redfish ${target}: a subscription is left behind: ${toError(error).message}`);
		});
		const over = new AbortController();
		const signal = AbortSignal.any([stop, over.signal]);
		// A refused login ends both: nothing is asked of the module any more.
		await Promise.all([lookOn(signal).finally(() => over.abort()), listenOn(signal)]);
	}

	async function leave(): Promise<void> {
		const signal = AbortSignal.timeout(logoutMillis);
		await withClient(signal, client => client.logout()).catch(error =>
			parts.log('info', `Redfish ${target}: the session could not be ended: ${toError(error).message}`),
		);
	}

	return {
		toEvents: () => toEvents,
		async run() {
			if (system.url.protocol === 'http:') parts.log('warn', `Redfish ${target}: plain HTTP shows the password on the way`);
			const spread = (parts.random ?? Math.random)() * Math.min(config.poll_interval, mostSpreadMillis);
			await pause(spread, undefined, {signal: stop}).catch(() => {}); // A thousand modules are not asked at one moment.
			while (!stop.aborted) {
				if (!(await refusals.isHeld(login))) await watch();
				else {
					tellRefused(`the login of ${system.username} was refused before`);
					await pause(config.poll_interval, undefined, {signal: stop}).catch(() => {});
				}
			}
			await leave();
		},
	};
}
