import type {Journal} from './journal.ts';
import {asObject, type Reading, type SandboxEvent} from './message.ts';
import type {Act} from './modes.ts';

/** `accepted`: taken in. `refused`: answered that it was not taken. `ignored`: a hostile mode struck first. */
export type Fate = 'accepted' | 'refused' | 'ignored';

/** One event as it came, or one message that was refused before there were events; then the event's fields are empty. */
export type ReceivedEvent = {
	/** Unix milliseconds. */
	readonly at: number;
	/** The mode that struck, or `normal`. */
	readonly mode: Act;
	readonly fate: Fate;
	/** Why it was refused; empty otherwise. */
	readonly reason: string;
	readonly eventType: string;
	readonly eventId: string;
	readonly asset: string;
	readonly assetId: string;
	readonly component: string;
	/** The message without its events and keys. */
	readonly envelope: Readonly<Record<string, unknown>>;
	readonly event: Partial<SandboxEvent>;
};

export type Arrival = {
	readonly at: number;
	readonly mode: Act;
	readonly fate: Fate;
	readonly reason: string;
	readonly bytes: number;
	/** The message without its keys, when it could be read so far. */
	readonly kept: Reading['kept'];
};

const limits = {events: 10_000, bytes: 16 * 1024 ** 2};

/** The last events in memory; every message in the journal. */
export function createRecord(journal: Journal) {
	const arrivals: {readonly bytes: number; readonly events: readonly ReceivedEvent[]}[] = [];
	let total = {events: 0, bytes: 0};

	return {
		add(arrival: Arrival) {
			const {kept, ...rest} = arrival;
			journal.append({...rest, message: kept});
			const events = eventsOf(arrival);
			arrivals.push({bytes: arrival.bytes, events});
			total = {events: total.events + events.length, bytes: total.bytes + arrival.bytes};
			while (arrivals.length > 1 && (total.events > limits.events || total.bytes > limits.bytes)) {
				const oldest = arrivals.shift();
				total = {events: total.events - (oldest?.events.length ?? 0), bytes: total.bytes - (oldest?.bytes ?? 0)};
			}
		},
		list: (): readonly ReceivedEvent[] => arrivals.flatMap(({events}) => events),
	};
}
export type ReceivedRecord = ReturnType<typeof createRecord>;

function eventsOf({kept, at, mode, fate, reason}: Arrival): ReceivedEvent[] {
	const {events, ...envelope} = asObject(kept);
	const listed: unknown[] = Array.isArray(events) && events.length > 0 ? events : [{}];
	return listed.map(event => {
		const {header, body} = asObject(event) as Partial<SandboxEvent>;
		return {
			at,
			mode,
			fate,
			reason,
			eventType: textIn(header, 'event_type'),
			eventId: textIn(header, 'event_id'),
			asset: textIn(envelope, 'asset'),
			assetId: textIn(envelope, 'asset_id'),
			component: textIn(body, 'component'),
			envelope,
			event: {...(header && {header}), ...(body && {body})},
		};
	});
}

function textIn(value: unknown, name: string): string {
	const text = asObject(value)[name];
	return typeof text === 'string' ? text : '';
}
