import type {IncomingMessage, ServerResponse} from 'node:http';
import {ignoringActs, perform, type Scene} from './acts.ts';
import type {Cases} from './cases.ts';
import {readBody, sendJson} from './http.ts';
import {
	bodySchemas,
	isServed,
	type Message,
	messageLimits,
	type Reading,
	readMessage,
	type SandboxEvent,
	serialNumbersOf,
} from './message.ts';
import type {Act, ModeSetting, Modes, Subject} from './modes.ts';
import type {Arrival, ReceivedRecord} from './record.ts';
import {type Receipt, replyTo, replyToMalformed, replyToUnknownKeys} from './reply.ts';

export type EventApiOptions = {
	readonly modes: Modes;
	readonly cases: Cases;
	readonly record: ReceivedRecord;
	acceptsKeys(apiKey: string, privateKey: string): boolean;
	/** By serial number. */
	readonly businessErrors: Readonly<Record<string, string>>;
	now(): number;
};

type Taken = Pick<Arrival, 'fate' | 'reason'> & {readonly reply: unknown};
type Surroundings = Pick<Scene, 'signal' | 'resetConnection'>;

/** What answers POST /connect/api/v1. */
export function createEventApi({modes, cases, record, acceptsKeys, businessErrors, now}: EventApiOptions) {
	async function answerMessage(request: IncomingMessage, response: ServerResponse, surroundings: Surroundings) {
		const refusal = refusalOf(request);
		if (refusal) return sendJson(response, 415, {error: refusal}, {connection: 'close'});
		const bytes = await readBody(request, messageLimits.bytes);
		if (!bytes)
			return sendJson(response, 413, {error: `a message has at most ${messageLimits.bytes} bytes`}, {connection: 'close'});

		const reading = readMessage(bytes);
		const {act, setting} = modes.actOn(subjectOf(reading));
		const {reply, ...taken} = takeIn(reading, act, setting);
		record.add({...taken, at: now(), mode: act, bytes: bytes.byteLength, kept: reading.kept});
		await perform[act]({response, reply, setting, ...surroundings});
	}

	function takeIn(reading: Reading, act: Act, setting: ModeSetting): Taken {
		if (ignoringActs.has(act)) return {fate: 'ignored', reason: '', reply: undefined};
		if (act === 'refused_message') return refused(setting.error, replyToMalformed(setting.error));
		const {message} = reading;
		if (!message) return refused(reading.fault, replyToMalformed(reading.fault));
		if (!acceptsKeys(message.api_key, message.private_key)) return refused('unknown keys', replyToUnknownKeys(message, now()));

		const receipts = message.events.map(event =>
			act === 'event_rejected'
				? {event, rc: 400, error: setting.error}
				: receive(event, message, act === 'business_error' ? setting : undefined),
		);
		const asked = message.events.flatMap(askedBy);
		const reply = replyTo(message, receipts, {asked, transactions: cases.find(asked)}, now());
		const reason = receipts.find(receipt => receipt.rc !== 200)?.error ?? '';
		return {fate: reason === '' ? 'accepted' : 'refused', reason, reply};
	}

	function receive(event: SandboxEvent, message: Message, refusing: ModeSetting | undefined): Receipt {
		const {event_id, event_type} = event.header;
		if (!isServed(event_type)) return {event, rc: 400, error: 'the sandbox does not serve this event type'};
		if (event_type === 'service') {
			const {code, test} = bodySchemas.service.parse(event.body);
			const report = {eventId: event_id, asset: message.asset, assetId: message.asset_id, code, test};
			cases.receive(report, refusing?.error ?? configuredRefusal({...message, events: [event]}));
		}
		if (event_type === 'confirm_response') cases.confirm(bodySchemas.confirm_response.parse(event.body).event_transaction_id);
		return {event, rc: 200};
	}

	function configuredRefusal(message: Message): string | undefined {
		const refused = serialNumbersOf(message).find(serialNumber => Object.hasOwn(businessErrors, serialNumber));
		return refused === undefined ? undefined : businessErrors[refused];
	}

	return answerMessage;
}
export type EventApi = ReturnType<typeof createEventApi>;

const refused = (reason: string, reply: unknown): Taken => ({fate: 'refused', reason, reply});

function refusalOf({headers}: IncomingMessage): string | undefined {
	const [type] = (headers['content-type'] ?? '').split(';');
	if (type?.trim().toLowerCase() !== 'application/json') return 'the content type must be application/json';
	return headers['content-encoding'] === undefined ? undefined : 'the event API takes no content encoding';
}

const subjectOf = ({message}: Reading): Subject => ({
	eventTypes: message?.events.map(event => event.header.event_type) ?? [],
	serialNumbers: message ? serialNumbersOf(message) : [],
});

/** The transactions whose answers a heartbeat wants. Without both fields it wants none. */
function askedBy({header, body}: SandboxEvent): readonly string[] {
	if (header.event_type !== 'last_contact') return [];
	const {enable_response_detail, enable_response_detail_filter = []} = bodySchemas.last_contact.parse(body);
	return enable_response_detail ? enable_response_detail_filter : [];
}
