import {type AttributeValue, type HardwareEvent, textOf} from '../event.ts';
import type {HoldReason, Problem, System} from '../problem.ts';
import type {SubmissionContent} from '../submission.ts';
import {componentOf, namingAttributes, systemName} from './identify.ts';

const longestTitle = 200;
const longestNote = 8000;

/** Never half a character: what is not well-formed text, a reader of JSON may refuse. */
const cut = (text: string, longest: number): string => text.slice(0, longest).toWellFormed();
const oneLine = (text: string): string => cut(text.replaceAll(/\s+/g, ' ').trim(), longestTitle);

/** The producer's own words, or else the part and its state. */
export function titleOf(event: HardwareEvent): string {
	const said = oneLine(event.message);
	if (said !== '' && !event.measurement) return said;
	const {type, name, id} = componentOf(event);
	const part = [type || 'hardware', name || id].filter(word => word !== '').join(' ');
	const state = textOf(event.attributes, 'hw.state')?.replaceAll('_', ' ') ?? (said || 'fault');
	return oneLine(event.measurement?.metric === 'hw.errors' ? `${part}: errors are growing` : `${part}: ${state}`);
}

export const stormTitleOf = (system: System | undefined, event: HardwareEvent): string =>
	`Storm: many hardware faults on ${system?.name ?? systemName(event.resource)}`;

/** What a hold waits for, and the way out. */
export function explainHold(reason: HoldReason | string, event: HardwareEvent): string {
	const explanations: Record<string, string> = {
		unknown_system: unknownSystemHint(event),
		not_serviceable: 'nobody is needed at the machine for an event of this class (processors.serviceability changes that)',
		customer_serviceable: 'serviceable by the customer, not a call-home candidate (processors.serviceability changes that)',
		excluded: 'the configuration excludes it (processors.exclude)',
		maintenance: 'the machine is worked at (processors.maintenance); it is sent at the end when the fault still lasts',
		awaiting_approval: 'a person decides: callhome problem release sends it, callhome problem close ends it',
		below_repeat_count: 'an event of this class calls home when it repeats',
		storm: 'many faults of one system are collected and sent as one problem',
		no_consent: 'consent.cases is not true, so nothing may be sent to IBM',
		no_credentials: 'exporter.call_home_connect has no customer_number, api_key_file and private_key_file',
		unanswered:
			'IBM did not answer for as long as exporter.retry_on_failure.park_after; a further event, a restart or the end of an outage sends it again',
	};
	return explanations[reason] ?? reason;
}

/** Names only attributes that name a machine: any other one may match many, or hold what is not to be shown. */
function unknownSystemHint({resource}: HardwareEvent): string {
	const name = namingAttributes.find(attribute => textOf(resource, attribute) !== undefined);
	const value = name && JSON.stringify(textOf(resource, name));
	return (
		`the machine type, model and serial number are not known. Add under systems: ` +
		`- match: {${name ?? 'host.name'}: ${value ?? '...'}}, machine_type, model, serial_number. Or set callhome.system.type, ` +
		`callhome.system.model and callhome.system.serial_number on the resource`
	);
}

const partAttributes = {
	serialNumber: 'hw.serial_number',
	model: 'hw.model',
	vendor: 'hw.vendor',
	location: 'hw.sensor_location',
} as const;

function partOf(event: HardwareEvent): NonNullable<SubmissionContent['problem']>['part'] {
	const named = Object.entries(partAttributes).flatMap(([key, attribute]) => {
		const text = textOf(event.attributes, attribute);
		return text === undefined ? [] : [[key, text]];
	});
	return named.length > 0 ? Object.fromEntries(named) : undefined;
}

/** What is said to the backend about a problem. */
export function contentOf(problem: Problem & {system: System}, event: HardwareEvent, at: number): SubmissionContent {
	const part = partOf(event);
	return {
		system: problem.system,
		createdAt: at,
		problem: {
			title: problem.title,
			note: noteOf(problem, event),
			severity: problem.severity,
			errorCode: textOf(event.attributes, 'callhome.event.code', 'error.type') ?? problem.title,
			count: problem.count,
			firstSeen: problem.firstSeen,
			lastSeen: problem.lastSeen,
			component: problem.component,
			recovered: problem.recoveredAt !== undefined,
			...(part ? {part} : {}),
		},
	};
}

/** The event's own words, then its `hw.*` attributes. Nothing else of the event leaves (G5). */
function noteOf(problem: Problem, event: HardwareEvent): string {
	const facts = Object.entries(event.attributes)
		.filter(([name]) => name.startsWith('hw.') || name === 'error.type')
		.map(([name, value]) => `${name}: ${printed(value).slice(0, 500)}`);
	return cut([cut(event.message, 4000) || problem.title, ...facts].join('\n'), longestNote);
}

const printed = (value: AttributeValue): string =>
	typeof value === 'object'
		? JSON.stringify(value, (_key, item) => (typeof item === 'bigint' ? item.toString() : item))
		: String(value);

/** What a storm was made of: each fault once, the most frequent first. */
export function stormNoteOf(events: readonly HardwareEvent[]): string {
	const counts = new Map<string, number>();
	for (const title of events.map(titleOf)) counts.set(title, (counts.get(title) ?? 0) + 1);
	const lines = [...counts].sort(([, one], [, other]) => other - one).map(([title, count]) => `${count} x ${title}`);
	return cut([`${counts.size} different events of one system:`, ...lines].join('\n'), longestNote);
}
