import {createHash} from 'node:crypto';
import {type Attributes, type AttributeValue, type HardwareEvent, Severity} from '../../event.ts';
import {type HardwareType, partIn} from '../../hardware.ts';
import type {Reading} from '../../source.ts';

export type NamedPart = {
	readonly type: HardwareType | undefined;
	/** Such as `memory/0/8`: the same from each source that tells of the part. */
	readonly id: string;
	readonly name: string;
};

export const partStates = ['ok', 'degraded', 'failed', 'predicted_failure'] as const;
export type PartState = (typeof partStates)[number];

/** What a source has found out about a part, before it is an event. */
export type Finding = {
	readonly part: NamedPart;
	/** Undefined for what is only told. */
	readonly state: PartState | undefined;
	readonly message: string;
	/** What makes it itself within its source: the same again when the same thing is read again. */
	readonly identity: readonly unknown[];
	/** Unix milliseconds; undefined when the source has no clock, or a clock that was never set. */
	readonly occurredAt?: number | undefined;
	readonly errorType?: string | undefined;
	/** Who is needed, where the source knows better than the state tells. */
	readonly verdict?: 'call_home' | 'serviceable' | 'never' | undefined;
	/** It is how the part stands, and not what happened to it. */
	readonly isStanding?: boolean;
	/** The source's own words and numbers. */
	readonly attributes?: Readonly<Record<string, AttributeValue | undefined>>;
};

export const digest = (parts: readonly unknown[]): string =>
	createHash('sha256')
		.update(JSON.stringify(parts, (_key, value) => (typeof value === 'bigint' ? String(value) : value)))
		.digest('hex')
		.slice(0, 32);

/** A text that came from outside, on one line and of bounded length. */
export const clean = (text: string, longest = 500): string =>
	text
		// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not pass.
		.replaceAll(/[\u0000-\u001f\u007f-\u009f]+/g, ' ')
		.replaceAll(/ {2,}/g, ' ')
		.trim()
		.slice(0, longest)
		.toWellFormed();

export const slugOf = (text: string): string =>
	text
		.slice(0, 200)
		.toLowerCase()
		.replaceAll(/[^a-z0-9]+/g, '-')
		.replaceAll(/^-+|-+$/g, '')
		.slice(0, 100);

/** The part that a text names. What the source knows of its kind goes before what the words suggest. */
export function namedPart(text: string, known?: HardwareType | undefined, otherwise = ''): NamedPart {
	const name = clean(text, 100);
	const part = partIn(name);
	const type = known ?? part?.type;
	const isOfType = part !== undefined && part.type === type && part.place !== '';
	return {type, id: `${type ?? 'part'}/${isOfType ? part.place : slugOf(name) || otherwise || 'unknown'}`, name};
}

const severityOf = {
	failed: Severity.error,
	predicted_failure: Severity.warn,
	degraded: Severity.warn,
	ok: Severity.info,
} as const;

/** The producer's flags, as the processors read them. */
const verdicts = {
	call_home: {'callhome.serviceable': true, 'callhome.call_home_candidate': true},
	serviceable: {'callhome.serviceable': true, 'callhome.call_home_candidate': false},
	never: {'callhome.serviceable': false},
} as const;

export const without = (entries: Readonly<Record<string, AttributeValue | undefined>>): Attributes =>
	Object.fromEntries(
		Object.entries(entries).filter(([, value]) => value !== undefined && value !== '' && value !== null),
	) as Attributes;

/** A machine's clock that is ahead must not hide a recovery, nor one that was never set move an event to 1970. */
const earliest = Date.UTC(2000, 0, 1);
const plausible = (at: number | undefined, now: number): number =>
	at !== undefined && at >= earliest && at <= now ? Math.floor(at) : now;

export function toEvent(source: string, finding: Finding, resource: Attributes, now: number): HardwareEvent {
	const {part, state, errorType, verdict} = finding;
	return {
		id: digest([source, resource['host.id'] ?? resource['host.name'], ...finding.identity]),
		name: 'callhome.hardware.alert',
		occurredAt: plausible(finding.occurredAt, now),
		receivedAt: now,
		severity: state ? severityOf[state] : Severity.info,
		message: clean(finding.message, 1000),
		resource,
		attributes: {
			...without({
				'hw.id': part.id,
				'hw.type': part.type,
				'hw.name': part.name,
				'hw.state': state,
				'error.type': errorType,
				...finding.attributes,
			}),
			...(verdict !== undefined && state !== 'ok' ? verdicts[verdict] : {}),
		},
		source,
		...(finding.isStanding && {isStanding: true}),
	};
}

const namesOf = ({type, id, name}: NamedPart): Attributes => without({'hw.id': id, 'hw.name': name, 'hw.type': type});

/** One reading for each state, as the semantic conventions want it. */
export const statusReadings = (part: NamedPart, state: PartState): Reading[] =>
	partStates.map(each => ({
		metric: 'hw.status',
		value: each === state ? 1 : 0,
		attributes: {...namesOf(part), 'hw.state': each},
	}));

export const reading = (metric: string, value: number | undefined, part: NamedPart, more: Attributes = {}): readonly Reading[] =>
	value === undefined || !Number.isFinite(value) ? [] : [{metric, value, attributes: {...namesOf(part), ...more}}];

export const errorReading = (part: NamedPart, errorType: string, value: number | undefined): readonly Reading[] =>
	reading('hw.errors', value, part, {'error.type': errorType});
