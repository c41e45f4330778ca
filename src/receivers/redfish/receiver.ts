import {randomBytes} from 'node:crypto';
import type {Component} from '../../component.ts';
import type {SourceParts} from '../../source.ts';
import type {RedfishReceiverConfig, RedfishSystem} from './config.ts';
import {keepPayload} from './follow.ts';
import {keyOf} from './json.ts';
import {createListener} from './listener.ts';
import {createWatch} from './watch.ts';

/** What is being taken in at a shutdown may take this long. */
const drainMillis = 2000;

/** Watches each machine in turns of its own. One that refuses the login is left alone. */
export function createRedfishReceiver(config: RedfishReceiverConfig, parts: SourceParts): Component & {url(): URL | undefined} {
	const stop = new AbortController();
	const tokens = new Map<string, RedfishSystem>();
	const listener = config.listen && createListener(config.listen, take, parts.log);
	let running: Promise<unknown> | undefined;

	const watches = new Map(
		config.systems.map(system => [system, createWatch(system, {parts, config, stop: stop.signal, destination})]),
	);

	/** A module that is known by its path, and was looked at: before that nobody knows which machine it is of. */
	async function take(token: string, payload: unknown): Promise<boolean | undefined> {
		const system = tokens.get(token);
		if (!system) return undefined;
		const toEvents = watches.get(system)?.toEvents();
		if (!toEvents) throw new Error(`${system.url.host} was not looked at yet`);
		return keepPayload(payload, toEvents, parts);
	}

	/** The path is the module's proof that it was told it: it stays the same over restarts, for the subscription has it. */
	async function tokenOf(system: RedfishSystem): Promise<string> {
		const mark = `${keyOf(system)}/token`;
		const known = await parts.marks.read(mark);
		if (known !== undefined && /^[0-9a-f]{32}$/.test(known)) return known;
		const token = randomBytes(16).toString('hex');
		await parts.marks.write(mark, token);
		return token;
	}

	async function destination(system: RedfishSystem): Promise<URL | undefined> {
		if (!listener) return undefined;
		const base = config.listen?.destination_url ?? listener.url();
		return new URL(`redfish-events/${await tokenOf(system)}`, base.href.endsWith('/') ? base : `${base.href}/`);
	}

	return {
		name: 'Redfish receiver',
		async start() {
			for (const system of config.systems) tokens.set(await tokenOf(system), system);
			await listener?.start();
			if (listener) parts.log('info', `Redfish events are taken at ${listener.url().href}`);
			if (stop.signal.aborted) return void (await listener?.shutdown(0));
			running = Promise.all([...watches.values()].map(watch => watch.run()));
		},
		async shutdown() {
			stop.abort();
			await running;
			await listener?.shutdown(drainMillis);
		},
		url: () => listener?.url(),
	};
}
