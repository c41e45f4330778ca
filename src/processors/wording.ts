import {type HardwareEvent, textOf} from '../event.ts';
import type {HoldReason, Problem, System} from '../problem.ts';
import type {SubmissionContent} from '../submission.ts';
import {componentOf, systemName} from './identify.ts';

const longestTitle = 200;

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim().slice(0, longestTitle);

/** The producer's own words, or else the part and its state. */
export function titleOf(event: HardwareEvent): string {
	const said = oneLine(event.message);
	if (said !== '' && !event.measurement) return said;
	const {type, name, id} = componentOf(event);
	const part = [type || 'hardware', name || id].filter(word => word !== '').join(' ');
	const state = textOf(event.attributes, 'hw.state', 'state')?.replaceAll('_', ' ') ?? (said || 'fault');
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
		below_repeat_count: 'an event of this class calls home when it repeats',
		storm: 'many faults of one system are collected and sent as one problem',
		no_consent: 'consent.cases is not true, so nothing may be sent to IBM',
		no_credentials: 'exporter.call_home_connect has no customer_number, api_key_file and private_key_file',
		unanswered: 'no answer for 30 days',
	};
	return explanations[reason] ?? reason;
}

function unknownSystemHint(event: HardwareEvent): string {
	const [name, value] = Object.entries(event.resource).find(([key]) => key.startsWith('host.')) ??
		Object.entries(event.resource)[0] ?? ['host.name', '...'];
	return (
		`the machine type, model and serial number are not known. Add under systems: ` +
		`- match: {${name}: ${JSON.stringify(String(value))}}, machine_type, model, serial_number. Or set callhome.system.type, ` +
		`callhome.system.model and callhome.system.serial_number on the resource`
	);
}

const partAttributes = {
	serialNumber: 'hw.serial_number',
	model: 'hw.model',
	vendor: 'hw.vendor',
	location: 'hw.sensor_location',
} as const;

function partOf(event: HardwareEvent) {
	const named = Object.entries(partAttributes).flatMap(([key, attribute]) => {
		const text = textOf(event.attributes, attribute);
		return text === undefined ? [] : [[key, text]];
	});
	return Object.fromEntries(named) as NonNullable<SubmissionContent['problem']>['part'];
}

/** What is said to the backend about a problem. */
export function contentOf(problem: Problem & {system: System}, event: HardwareEvent, at: number): SubmissionContent {
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
			...(partOf(event) ? {part: partOf(event)} : {}),
		},
	};
}

/** The event's own words, then its `hw.*` attributes. Nothing else of the event leaves (G5). */
function noteOf(problem: Problem, event: HardwareEvent): string {
	const facts = Object.entries(event.attributes)
		.filter(([name]) => name.startsWith('hw.') || name === 'error.type')
		.map(([name, value]) => `${name}: ${String(value).slice(0, 500)}`);
	return [event.message.slice(0, 4000) || problem.title, ...facts].join('\n').slice(0, 8000);
}
