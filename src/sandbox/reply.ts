import {randomUUID} from 'node:crypto';
import {type Transaction, transactionLifeMillis} from './cases.ts';
import {asObject, type Message, type SandboxEvent} from './message.ts';

/** What became of one event of a message. */
export type Receipt = {readonly event: SandboxEvent; readonly rc: number; readonly error?: string};

/** The transactions that a message asked for. */
export type Found = {readonly asked: readonly string[]; readonly transactions: readonly Transaction[]};

/** Where the request ran. A reply to a malformed message is recognized by the namespace alone. */
const environment = (message: string) => ({
	activation_id: randomUUID().replaceAll('-', ''),
	action_name: 'call_home_connect_post',
	namespace: 'call-home-connect-service-sandbox',
	http_method: 'post',
	geo: 'sandbox',
	url: '/api/v1',
	stage: 'sandbox',
	message,
});

/** `YYYY-MM-DD HH:MM:SS` in UTC. */
const clockTimeOf = (millis: number): string => new Date(millis).toISOString().slice(0, 19).replace('T', ' ');

/**
The reply to a message of good form. The names are those seen in replies of the real service; what stands in `_id`,
`message_key_json`, `ien` and `idb` is conjecture.
*/
export function replyTo(message: Message, receipts: readonly Receipt[], found: Found, now: number, rc = 200) {
	return {
		service: 'ibm_callhome_connect',
		version: '1.0.0.4',
		transaction: transactionOf(message, receipts, rc),
		events: receipts.map(headerOf),
		response_available: found.transactions.length > 0,
		response_state: responseState(found, now),
		// Noise that the real service sends too: the error is set in a good reply.
		query_state: {},
		query_results_error: true,
		query_results_available: false,
	};
}

/** Nobody outside IBM knows how unknown keys are answered. That it is a return code in a reply of the usual shape is conjecture. */
export const replyToUnknownKeys = (message: Message, now: number) =>
	replyTo(message, [], {asked: [], transactions: []}, now, 401);

/** A malformed message gets another shape, with status 200, in which the service does not name itself. */
export const replyToMalformed = (fault: string) => ({body: {env: environment('Malformed Request'), error: fault}});

function transactionOf({events, private_key, ...envelope}: Message, receipts: readonly Receipt[], rc: number) {
	const key = messageKey(envelope);
	return {
		...envelope, // With the api_key, as the real service does.
		message_key: Object.values(key).join('_'),
		message_key_json: key,
		rc,
		events: receipts.filter(receipt => receipt.rc === 200).length,
		analytics_activation_id: randomUUID().replaceAll('-', ''),
		env: environment(rc === 200 ? 'Successful Request' : 'Unauthorized Request'),
		ien: 0,
		idb: 0,
	};
}

const messageKey = (envelope: Omit<Message, 'events' | 'private_key'>) => ({
	group: envelope.analytics_group ?? envelope.asset_vendor,
	category: envelope.analytics_category ?? envelope.asset_type,
	type: envelope.analytics_type ?? envelope.asset,
	instance: envelope.analytics_instance ?? envelope.asset_id,
	virtualid: envelope.analytics_virtual_id ?? envelope.asset_virtual_id,
});

const headerOf = ({event: {header, body}, rc, error}: Receipt) => ({
	header: {
		_id: header.event_id,
		rc,
		component: body.component ?? '',
		payload: body.payload !== undefined,
		context: asObject(body.context),
		...(error !== undefined && {error}),
	},
});

function responseState({asked, transactions}: Found, now: number) {
	const known = new Set(transactions.map(transaction => transaction.eventId));
	const missing = asked.filter(id => !known.has(id));
	return {
		transactions: Object.fromEntries(transactions.map(transaction => [transaction.eventId, transactionShape(transaction)])),
		version: '1.0.0.4',
		create_time: clockTimeOf(now),
		create_time_ms: now,
		update_time: clockTimeOf(now),
		update_time_ms: now,
		filter_redaction: asked.length > 0,
		filter_records_reviewed: transactions.length,
		filter_records_removed: 0,
		results: transactions.length,
		found: known.size,
		missing: missing.length,
		found_detail: [...known],
		...(asked.length > 0 &&
			known.size === 0 && {persistence_result: {found: 0, missing: missing.length, missing_detail: missing}}),
	};
}

const transactionShape = (transaction: Transaction) => ({
	confirmed: transaction.confirmed,
	complete: transaction.complete,
	event_transaction_id: transaction.eventId,
	event_type: 'service',
	time: clockTimeOf(transaction.at),
	time_ms: transaction.at,
	expiry: transaction.at + transactionLifeMillis,
	expiration_mark: false,
	unsolicted_request_type: '', // Both spellings occur.
	unsolicited_request_type: '',
	response_object: {
		...(transaction.caseNumber !== undefined && {problem_id: transaction.caseNumber}),
		...(transaction.error !== undefined && {error: transaction.error}),
		time_ms: transaction.at,
		expiry: transaction.at + 13 * 60_000, // It means nothing: the outer one counts.
	},
});
