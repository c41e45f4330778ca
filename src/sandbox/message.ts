import {z} from 'zod';
import {redact, type Secret} from '../secret.ts';
import {keysIn, withoutKeys} from './keys.ts';

export const messageLimits = {bytes: 4 * 1024 ** 2, depth: 64, events: 1000};

const text = z.string().min(1).max(512);
/** No zone in it: the millisecond field beside it is what counts. */
const clockTime = z.string().regex(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/, 'must be YYYY-MM-DD HH:MM:SS');
const shortSentence = z.string().max(10_000);
const optionalText = z.string().max(512).optional();

const eventSchema = z.looseObject({
	header: z.looseObject({event_type: text, event_id: text, event_time: clockTime, event_time_ms: z.number()}),
	body: z.looseObject({}),
});
export type SandboxEvent = z.output<typeof eventSchema>;

const envelopeSchema = z.looseObject({
	agent: text,
	// Absent keys are no malformed message, they are keys that are not accepted.
	api_key: z.string().default(''),
	private_key: z.string().default(''),
	target_space: z.enum(['prod', 'dev', 'test', 'staging']),
	asset: text,
	asset_id: text,
	asset_type: text,
	asset_vendor: text,
	asset_virtual_id: text,
	country_code: z.string().regex(/^(?:[A-Z]{2})?$/, 'must be two capital letters, or empty'),
	event_id: text,
	event_time: clockTime,
	event_time_ms: z.number(),
	local_event_time: optionalText,
	software_level: z.looseObject({name: text, vrmf: z.string()}),
	type: z.literal('eccnext_apisv1s'),
	version: z.literal('1.0.0.1'),
	analytics_event_source_type: optionalText,
	analytics_type: optionalText,
	analytics_instance: optionalText,
	analytics_virtual_id: optionalText,
	analytics_group: optionalText,
	analytics_category: optionalText,
	events: z.array(eventSchema).max(messageLimits.events),
});
export type Message = z.output<typeof envelopeSchema>;

const context = z
	.looseObject({origin: z.literal(2), timestamp: z.number(), transid: z.number(), messagetype: z.literal(1).optional()})
	.optional();
const generic = {component: text, description: shortSentence, context};

/** The limit is on the text, whether the payload carries it as one string or as a list. */
const longText = z
	.union([z.string(), z.array(z.unknown())])
	.refine(
		value => (typeof value === 'string' ? value : JSON.stringify(value)).length <= 10_000,
		'must not be longer than 10,000 characters',
	);

const objectNames = ['group', 'category', 'type', 'instance', 'instance_virtual_id', 'version', 'logical_name'];
const named = Object.fromEntries(
	['object', 'submitter'].flatMap(prefix => objectNames.map(name => [`${prefix}_${name}`, optionalText])),
);

const service = z.looseObject({
	...generic,
	...named,
	customer: z.string().regex(/^[A-Za-z0-9]{7}$/, 'must be seven letters or digits'),
	country: z.string().regex(/^[A-Z]{2}$/, 'must be two capital letters'),
	error_type: text,
	record_type: z.literal(1),
	test: z.boolean(),
	code: z.string().min(1).max(140),
	note: z.string(),
	routing_identifier: optionalText,
	product_code_identifier: optionalText,
	payload: z.looseObject({description: longText.optional()}),
});
export type ServiceBody = z.output<typeof service>;

const slot = z.string();
const performance = z.looseObject({
	...generic,
	payload: z.looseObject({
		perfstats: z.looseObject({
			perfstats: z.looseObject({
				file_stamp: text,
				file_stamp_ms: z.number(),
				nd_stats: slot,
				ng_stats: slot,
				nm_stats: slot,
				nn_stats: slot,
				nv_stats: slot,
				node_number: z.number(),
				nodes_in_cluster: z.number(),
			}),
		}),
	}),
});

export const bodySchemas = {
	last_contact: z.looseObject({
		...generic,
		enable_response_detail: z.boolean().optional(),
		enable_response_detail_filter: z.array(text).optional(),
	}),
	inventory: z.looseObject({
		...generic,
		payload: z.looseObject({content: z.looseObject({inventory: z.looseObject({})})}),
	}),
	status: z.looseObject({...generic, event_transaction_id: text, state: text, complete: z.boolean()}),
	performance,
	service,
	confirm_response: z.looseObject({...generic, component: optionalText, event_transaction_id: text, event_type: text}),
};

/** Event types that the sandbox serves. The others in the wire format are orders for software, which it does not have. */
export const isServed = (type: string): type is keyof typeof bodySchemas => Object.hasOwn(bodySchemas, type);

/** `kept` is what may be written down: the message without its keys. */
export type Reading =
	| {readonly message: Message; readonly kept: unknown; readonly fault?: undefined}
	| {readonly message?: undefined; readonly kept?: unknown; readonly fault: string};

/** Reads a message and checks all that is known of its form. Whatever the bytes are, it does not throw. */
export function readMessage(bytes: Uint8Array): Reading {
	const value = parseJson(bytes);
	if (value === undefined) return {fault: 'the message is not JSON in UTF-8'};
	if (isDeeperThan(value, messageLimits.depth)) return {fault: `the message is nested deeper than ${messageLimits.depth} levels`};
	const keys = keysIn(value);
	const kept = withoutKeys(value, keys);
	const envelope = envelopeSchema.safeParse(value);
	if (!envelope.success) return {kept, fault: faultsOf(envelope.error, [])};
	const faults = envelope.data.events.map(bodyFaults).filter(fault => fault !== '');
	if (carriesKey(envelope.data, keys))
		return {kept, fault: 'a key stands in a field that is written down: it belongs in api_key and private_key alone'};
	if (faults.length > 0) return {kept, fault: faults.slice(0, 5).join('; ')};
	return {message: envelope.data, kept};
}

function parseJson(bytes: Uint8Array): unknown {
	try {
		return JSON.parse(new TextDecoder('utf-8', {fatal: true}).decode(bytes));
	} catch {
		return undefined;
	}
}

/** Level by level, so that no depth can exhaust the stack. */
function isDeeperThan(value: unknown, depth: number): boolean {
	let level = [value];
	for (let reached = 0; level.length > 0; reached++) {
		if (reached > depth) return true;
		level = level.flatMap(item => (typeof item === 'object' && item !== null ? Object.values(item) : []));
	}
	return false;
}

function bodyFaults({header, body}: SandboxEvent, index: number): string {
	if (!isServed(header.event_type)) return '';
	const {error} = bodySchemas[header.event_type].safeParse(body);
	return error ? faultsOf(error, ['events', index, 'body']) : '';
}

/** The fields that the sandbox keeps as they are, because it finds transactions and cases by them. */
function carriesKey(message: Message, keys: readonly Secret[]): boolean {
	const fields = [message.asset, message.asset_id, ...message.events.flatMap(({header, body}) => [header.event_id, body.code])];
	return fields.some(field => typeof field === 'string' && redact(field, keys) !== field);
}

const faultsOf = (error: z.ZodError, parents: readonly PropertyKey[]): string =>
	error.issues
		.slice(0, 5)
		.map(issue => `${[...parents, ...issue.path].join('.') || 'message'}: ${issue.message}`)
		.join('; ');

/** The systems that an event names: the reporting one and, in a service event, the failing one. */
export function serialNumbersOf(message: Message): string[] {
	const named = message.events.flatMap(({body}) => [body.object_instance, serialInPayload(body.payload)]);
	return [message.asset_id, ...named].filter(name => typeof name === 'string');
}

function serialInPayload(payload: unknown): unknown {
	const {hardware} = asObject(payload);
	return asObject(hardware).serial_number;
}

export const asObject = (value: unknown): {readonly [name: string]: unknown} =>
	typeof value === 'object' && value !== null ? {...value} : {};
