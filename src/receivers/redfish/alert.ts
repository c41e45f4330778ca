import {createHash} from 'node:crypto';
import {type Attributes, type HardwareEvent, Severity} from '../../event.ts';
import {type HardwareType, partIn} from '../../hardware.ts';
import {isObject, type Json, linkIn, textIn} from './client.ts';

export const digest = (parts: readonly unknown[]): string =>
	createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);

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
};

export function toEvent(told: Told, resource: Attributes, now: number): HardwareEvent {
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
		source: 'redfish',
	};
}

/** What makes an entry of a log itself: ids begin anew after a clear, and an entry that was resolved is news. */
export const entryKey = (entry: Json): string => digest([entry.Created, entry.Id, entry.Resolved === true]).slice(0, 12);

/**
An entry of a log. Undefined for what tells of no fault. What the service provider was notified of is kept and shown, and nobody
is called for it again.
*/
export function entryTold(entry: Json, log: string): Told | undefined {
	const state = entry.Resolved === true ? 'ok' : stateOfHealth(entry.Severity);
	if (state === undefined || (state === 'ok' && entry.Resolved !== true)) return undefined;
	const message = textIn(entry.Message) ?? textIn(entry.MessageId) ?? 'A log entry without words';
	const links = isObject(entry.Links) ? entry.Links : {};
	const origin = linkIn(links.OriginOfCondition)?.slice(0, 500);
	const part = partIn(message);
	const code = textIn(entry.MessageId)?.slice(0, 200);
	const created = Date.parse(textIn(entry.Created) ?? '');
	return {
		identity: ['log', log, entryKey(entry)],
		id: origin ?? (part ? `${part.type}/${part.place}` : `log/${code ?? digest([message])}`),
		type: (origin === undefined ? undefined : typeOfPath(origin)) ?? part?.type,
		state,
		message,
		...(created >= Date.UTC(2000, 0, 1) && {occurredAt: created}),
		attributes: {
			'redfish.log': log,
			...(code !== undefined && {'callhome.event.code': code, 'redfish.message_id': code}),
			...(entry.ServiceProviderNotified === true && {
				'redfish.service_provider_notified': true,
				...(state !== 'ok' && {'callhome.serviceable': false}),
			}),
		},
	};
}
