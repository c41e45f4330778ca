import {hash} from 'node:crypto';
import {isInputLost, isPredicted, laterCodeIn, neededBy, needs} from '../../alert-words.ts';
import {type Attributes, type HardwareEvent, Severity} from '../../event.ts';
import {type HardwareType, partIn} from '../../hardware.ts';
import {isObject, type Json, linkIn, textIn} from './json.ts';

export const digest = (parts: readonly unknown[]): string => hash('sha256', JSON.stringify(parts)).slice(0, 32);

/** The collection or array that a part is in tells its kind. */
const typeOfSegment: Readonly<Record<string, HardwareType>> = {
	Processors: 'cpu',
	Memory: 'memory',
	Drives: 'physical_disk',
	Volumes: 'logical_disk',
	PowerSupplies: 'power_supply',
	Fans: 'fan',
	Temperatures: 'temperature',
	Voltages: 'voltage',
	Batteries: 'battery',
};

export function typeOfPath(path: string): HardwareType | undefined {
	const segment = path
		.slice(0, 1000)
		.split(/[/#]+/)
		.findLast(word => Object.hasOwn(typeOfSegment, word));
	return segment === undefined ? undefined : typeOfSegment[segment];
}

export type State = 'ok' | 'degraded' | 'failed' | 'predicted_failure';
export const stateOfHealth = (health: unknown): State | undefined =>
	health === 'OK' ? 'ok' : health === 'Warning' ? 'degraded' : health === 'Critical' ? 'failed' : undefined;

const severityOf = {
	ok: Severity.info,
	degraded: Severity.warn,
	predicted_failure: Severity.warn,
	failed: Severity.error,
} as const;

export type Told = {
	readonly identity: readonly unknown[];
	readonly id: string;
	readonly type?: HardwareType | undefined;
	readonly name?: string | undefined;
	readonly state: State;
	readonly message: string;
	readonly occurredAt?: number;
	readonly attributes?: Attributes;
	/** It is how a part stands, and not what a module says. */
	readonly isStanding?: boolean;
};

/** `source` is `redfish/log` for what a module says, and `redfish/health` for what its parts show. */
export function toEvent(told: Told, resource: Attributes, now: number, source = 'redfish/log'): HardwareEvent {
	const {state, id, type, name, occurredAt = now} = told;
	return {
		id: digest(['redfish', resource['server.address'], ...told.identity]),
		name: 'callhome.hardware.alert',
		occurredAt: Math.min(occurredAt, now), // A module's clock may be ahead.
		receivedAt: now,
		severity: severityOf[state],
		message: told.message.slice(0, 1000).toWellFormed(),
		resource,
		attributes: {
			'hw.id': id,
			'hw.state': state,
			...(type !== undefined && {'hw.type': type}),
			...(name !== undefined && {'hw.name': name.slice(0, 200)}),
			...told.attributes,
		},
		source,
		...(told.isStanding && {isStanding: true}),
	};
}

/** What makes an entry of a log itself: ids begin anew after a clear, and an entry that was resolved is news. */
export const entryKey = (entry: Json): string => digest([entry.Created, entry.Id, entry.Resolved === true]).slice(0, 12);

export const timeIn = (value: unknown): number | undefined => {
	const millis = Date.parse(textIn(value) ?? '');
	return millis >= Date.UTC(2000, 0, 1) ? millis : undefined;
};

/**
An occurrence, which a module may tell twice: as an event, and as an entry of its log. What both say alike is what makes it
itself, so that the second one is seen to be the first. Undefined for what tells of no fault. What the service provider was
notified of is kept and shown, and nobody is called for it again.
*/
function toldOf(occurrence: Json, {time, severity, origin, resolved}: Reported, place: string): Told | undefined {
	const message = textIn(occurrence.Message) ?? textIn(occurrence.MessageId) ?? 'A log entry without words';
	const part = partIn(message);
	const code = textIn(occurrence.MessageId)?.slice(0, 200);
	const type = (origin === undefined ? undefined : typeOfPath(origin)) ?? part?.type;
	const isTest = testCode.test(code ?? '') || testMessage.test(message);
	const said = resolved ? 'ok' : stateOfWords(severity, `${code ?? ''} ${message}`);
	const state = isTest && !resolved && (said ?? 'ok') === 'ok' ? 'degraded' : said;
	if (state === undefined || (state === 'ok' && !resolved)) return undefined;
	const notified = occurrence.ServiceProviderNotified === true;
	return {
		identity: ['said', time ?? [place, entryKey(occurrence)], code ?? '', message, origin ?? '', resolved],
		id: origin ?? (part ? `${part.type}/${part.place}` : `log/${code ?? digest([message])}`),
		type,
		state,
		message,
		...(time !== undefined && {occurredAt: time}),
		attributes: {
			'redfish.place': place,
			...(code !== undefined && {'callhome.event.code': code, 'redfish.message_id': code}),
			...(notified && {'redfish.service_provider_notified': true}),
			...(isTest ? {'callhome.test': true} : state !== 'ok' && wordsSay(message, code, type, state)),
			...(notified && state !== 'ok' && {'callhome.serviceable': false}),
		},
	};
}

/** What SubmitTestEvent of an EventService sends, and what modules send to try a subscription. */
const testCode = /(^|\.)\w*Test(Event|Message|Alert)$/i;
const testMessage = /^\W*(this is )?(a |an )?test (event|alert|message)\b/i;

/** A code that names its own severity knows better than the severity of the entry. */
function stateOfWords(severity: unknown, words: string): State | undefined {
	const state = stateOfHealth(severity);
	if (state === undefined || state === 'ok') return state;
	return isPredicted(words) ? 'predicted_failure' : (laterCodeIn(words)?.state ?? state);
}

/** Who is needed, as far as the words tell. */
function wordsSay(message: string, code: string | undefined, type: HardwareType | undefined, state: State): Attributes {
	const needed = neededBy(`${code ?? ''} ${message}`, type, state === 'degraded');
	if (needed) return needs[needed];
	return isInputLost(message, type) ? {'error.type': 'input_lost'} : {};
}

type Reported = {
	readonly time: number | undefined;
	readonly severity: unknown;
	readonly origin: string | undefined;
	readonly resolved: boolean;
};

/** An entry of a log. */
export function entryTold(entry: Json, log: string): Told | undefined {
	const links = isObject(entry.Links) ? entry.Links : {};
	const origin = linkIn(links.OriginOfCondition)?.slice(0, 500);
	const reported = {time: timeIn(entry.Created), severity: entry.Severity, origin, resolved: entry.Resolved === true};
	return toldOf(entry, reported, log);
}

/** A member of the `Events` of an event: older modules have other names for severity. */
export function eventTold(event: Json): Told | undefined {
	const origin = linkIn(event.OriginOfCondition)?.slice(0, 500);
	const severity = event.MessageSeverity ?? event.Severity;
	return toldOf(event, {time: timeIn(event.EventTimestamp), severity, origin, resolved: event.Resolved === true}, 'event');
}

/** Of what a module sends, whatever else is in it: undefined when it is no event at all. */
export function eventsTold(payload: unknown): readonly Told[] | undefined {
	if (!isObject(payload) || !Array.isArray(payload.Events)) return undefined;
	const events = payload.Events.filter(isObject).slice(0, mostEvents);
	return events.map(eventTold).filter(each => each !== undefined);
}

const mostEvents = 1000;
