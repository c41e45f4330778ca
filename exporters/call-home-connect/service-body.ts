import {BridgeError} from '../../src/errors.ts';
import type {Submission, SubmissionContent} from '../../src/submission.ts';
import type {CallHomeConnectOptions, ServiceParties} from './config.ts';
import {assetOf, noVirtualId} from './ids.ts';
import {cut, oneLine, timeText} from './text.ts';

export type Fault = NonNullable<SubmissionContent['problem']>;

// IBM's limits, in characters.
const longestCode = 140;
const longestDescription = 10_000;

export function faultOf(submission: Submission): Fault {
	const {problem} = submission.content;
	if (problem) return problem;
	throw new BridgeError(
		'ERR_MALFORMED',
		`submission ${submission.id} (${submission.type}) carries no problem: it cannot be sent`,
	);
}

const testPrefix = 'TEST - please ignore: ';

/** The title of the case: the reference code, if the title does not say it, and the title. */
export function codeOf(fault: Fault, isTest: boolean): string {
	const code = fault.title.includes(fault.errorCode) ? '' : `${fault.errorCode} `;
	return oneLine(`${isTest ? testPrefix : ''}${code}${fault.title}`, longestCode);
}

/** The fault for a person to read. */
function summaryOf(fault: Fault, content: SubmissionContent): string {
	const {system} = content;
	const {component, part = {}} = fault;
	const lines = [
		fault.title,
		`System: ${system.name}, ${assetOf(system).asset}, serial number ${system.serialNumber}`,
		`Component: ${[component.type, component.id, component.name].filter(Boolean).join(', ')}`,
		...Object.entries({Vendor: part.vendor, Model: part.model, 'Serial number': part.serialNumber, Location: part.location})
			.filter(([, value]) => value)
			.map(([mark, value]) => `${mark} of the part: ${value}`),
		fault.errorCode && `Reference code: ${fault.errorCode}`,
		`Events: ${fault.count}, first ${timeText(fault.firstSeen)}, last ${timeText(fault.lastSeen)}`,
	];
	return [...lines.filter(Boolean).map(text => oneLine(text, 1000)), fault.note].join('\n');
}

/** Opens a case. `error_type: hardware` and the `hardware` block are modelled on what is known of software errors. */
export function serviceBody(submission: Submission, options: CallHomeConnectOptions, parties: ServiceParties) {
	const fault = faultOf(submission);
	const {system} = submission.content;
	const isTest = submission.type === 'test';
	const code = codeOf(fault, isTest);
	const summary = cut(summaryOf(fault, submission.content), longestDescription);
	const country = system.country ?? parties.location.country;
	return {
		description: code,
		customer: options.customer_number,
		country,
		error_type: 'hardware',
		routing_identifier: options.routing_identifier,
		product_code_identifier: options.product_code_identifier,
		record_type: 1,
		test: isTest,
		code,
		note: summary,
		...objectOf(submission.content, options),
		...submitterOf(options),
		...contactOf(parties),
		credentials: {mtsn: [{machine_type: system.machineType, serial_number: system.serialNumber, country}]},
		payload: {
			description: summary,
			error_code: oneLine(fault.errorCode, longestCode),
			hardware: hardwareOf(fault, submission.content),
		},
	};
}

/** The failing machine. */
function objectOf({system}: SubmissionContent, options: CallHomeConnectOptions) {
	const {asset, assetId} = assetOf(system);
	return {
		object_group: options.analytics_group,
		object_category: options.asset_type,
		object_type: asset,
		object_instance: assetId,
		object_instance_virtual_id: noVirtualId,
		object_version: options.software_level.vrmf,
		object_logical_name: oneLine(system.name, 255),
	};
}

/** The reporter is this bridge, on behalf of the machine. */
const submitterOf = (options: CallHomeConnectOptions) => ({
	submitter_group: options.analytics_group,
	submitter_category: 'callhome',
	submitter_type: options.software_level.name,
	submitter_instance: options.agent,
	submitter_instance_virtual_id: noVirtualId,
});

const optionalLine = (text: string | undefined) => (text ? oneLine(text, 255) : undefined);

function contactOf({contact, location}: ServiceParties) {
	const {street, postal_code, city, state, country} = location;
	return {
		contact_organization: optionalLine(contact.organization),
		contact_name: optionalLine(contact.name),
		contact_email: optionalLine(contact.email),
		contact_phone: optionalLine(contact.phone),
		contact_address: oneLine([street, postal_code, city, state, country].filter(Boolean).join(', '), 255),
	};
}

function hardwareOf(fault: Fault, {system}: SubmissionContent) {
	const {component, part = {}} = fault;
	return {
		machine_type: system.machineType,
		model: system.model,
		serial_number: system.serialNumber,
		reference_code: oneLine(fault.errorCode, longestCode),
		fru: [
			{
				type: oneLine(component.type, 255),
				id: oneLine(component.id, 255),
				name: oneLine(component.name, 255),
				serial_number: optionalLine(part.serialNumber),
				model: optionalLine(part.model),
				vendor: optionalLine(part.vendor),
				location: optionalLine(part.location),
			},
		],
		location: optionalLine(part.location) ?? '',
		severity: severityWord(fault.severity),
		diagnostic_provided: false,
	};
}

/** From an OTLP severity number. */
export function severityWord(severity: number): 'critical' | 'error' | 'warning' | 'information' {
	if (severity >= 21) return 'critical';
	if (severity >= 17) return 'error';
	return severity >= 13 ? 'warning' : 'information';
}
