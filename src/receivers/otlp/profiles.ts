import {laterCodeIn} from '../../alert-words.ts';
import {type Attributes, type AttributeValue, Severity, textOf} from '../../event.ts';
import {partIn} from '../../hardware.ts';

/** Names the shape that a forwarded signal had, where it was not that of the semantic conventions. */
export const profileAttribute = 'callhome.profile';

/** What a forwarded signal says in the words of the semantic conventions. */
export type Profiled = {readonly attributes: Attributes; readonly resource: Attributes};

/** Older senders, such as MetricsHub before it followed the conventions, leave the prefix out. */
const legacyNames = {
	'hw.state': 'state',
	'hw.id': 'id',
	'hw.name': 'name',
	'hw.limit_type': 'limit_type',
	'hw.serial_number': 'serial_number',
} as const;

export function withPrefixedNames(attributes: Attributes): Attributes {
	const missing = Object.entries(legacyNames).filter(
		([name, legacy]) => !Object.hasOwn(attributes, name) && Object.hasOwn(attributes, legacy),
	);
	return {...attributes, ...Object.fromEntries(missing.map(([name, legacy]) => [name, attributes[legacy] ?? null]))};
}

const present = (attributes: Readonly<Record<string, AttributeValue | undefined>>): Attributes =>
	Object.fromEntries(Object.entries(attributes).filter((pair): pair is [string, AttributeValue] => pair[1] !== undefined));

/** The Collector's redfish receiver: kinds of parts, by the first word of the metric's name. */
const redfishTypes: Readonly<Record<string, string>> = {
	fan: 'fan',
	temperature: 'temperature',
	chassis: 'enclosure',
	system: 'enclosure',
};

/**
Its attributes have the part's kind as prefix, and the machine's name is one of them, as long as the machine is up and tells
it. Where its module is asked is always there.
*/
export function ofRedfishReceiver(metric: string, attributes: Attributes, resource: Attributes): Profiled {
	const kind = metric.split('.', 1)[0] ?? '';
	const name = textOf(attributes, `${kind}.name`, `${kind}.id`) ?? kind;
	const chassis = kind === 'system' ? undefined : textOf(attributes, 'chassis.id');
	const place = kind === 'chassis' ? textOf(attributes, 'chassis.id') : name;
	const address = URL.parse(textOf(attributes, 'base_url') ?? '')?.host;
	return {
		attributes: {
			...attributes,
			...present({
				'hw.id': [kind, kind === 'chassis' ? undefined : chassis, place].filter(word => word !== undefined).join('/'),
				'hw.name': name,
				'hw.type': redfishTypes[kind],
				'hw.parent': kind === 'chassis' ? undefined : chassis,
				'hw.model': textOf(attributes, `${kind}.model`),
				'hw.vendor': textOf(attributes, `${kind}.manufacturer`),
				'hw.serial_number': textOf(attributes, `${kind}.serial_number`),
			}),
			[profileAttribute]: 'redfish_receiver',
		},
		resource: {
			...resource,
			...present({'host.name': textOf(attributes, 'system.host_name'), 'server.address': address || undefined}),
		},
	};
}

/** Attributes that the Collector's syslog parser sets, and nobody else. */
export const syslogAttributes = ['appname', 'facility'] as const;

/** `0x806F010C-0401FFFF`. */
const immEventId = /\b(?:0x)?(8[01][0-9a-f]{6})-?([0-9a-f]{8})\b/i;
/** What is over is said in one of these ways. */
const over = /\b(deasserted|recovered|cleared|returned to normal|has been restored)\b/i;

/** EDAC's one letter, and what others write out. */
const errorTypes: readonly (readonly [string, RegExp])[] = [
	['uncorrected', /\b(uncorrected|uncorrectable|EDAC MC\d+: \d+ UE)\b/i],
	['corrected', /\b(corrected|correctable|EDAC MC\d+: \d+ CE)\b/i],
];

/**
A line of syslog from a management module or a kernel: the event's code, the part and its state, as far as the text names them.
The machine is the one that wrote the line, and not the one that relayed it.
*/
export function ofSyslog(body: string, severity: number, attributes: Attributes, resource: Attributes): Profiled {
	const text = textOf(attributes, 'message') ?? body;
	const host = textOf(attributes, 'hostname');
	const named = textOf(resource, 'callhome.system.serial_number') !== undefined;
	return {
		attributes: {...meaningOf(text.slice(0, 2000), severity), ...attributes, [profileAttribute]: 'syslog'},
		resource: host === undefined || named ? resource : {...resource, 'host.name': host},
	};
}

function meaningOf(text: string, severity: number): Attributes {
	const imm = immEventId.exec(text);
	const later = laterCodeIn(text);
	const code = imm ? `${imm[1]}${imm[2]}`.toUpperCase() : later?.code;
	const part = partIn(text.replace(imm?.[0] ?? later?.code ?? '', ''));
	const errorType = errorTypes.find(([, expression]) => expression.test(text))?.[0];
	const isOver = over.test(text);
	// An IMM's id tells the state itself: it is read from its digits.
	const fromSeverity = imm || errorType === 'corrected' ? undefined : severity >= Severity.error ? 'failed' : undefined;
	const state = isOver ? 'ok' : later ? later.state : fromSeverity;
	return present({
		'callhome.event.code': code,
		'hw.type': part?.type,
		'hw.name': part && [part.type, part.place].filter(word => word !== '').join(' '),
		'hw.state': state,
		'error.type': imm ? undefined : errorType,
		// Severity says nothing of a code whose letter says that nobody is needed.
		'callhome.serviceable': later && later.state === undefined && !isOver ? 'false' : undefined,
	});
}

/** A record of syslog that no attribute of the semantic conventions describes. */
export const isSyslog = (attributes: Attributes): boolean =>
	syslogAttributes.some(name => Object.hasOwn(attributes, name)) &&
	!['hw.id', 'hw.type', 'hw.name'].some(name => Object.hasOwn(attributes, name));
