import test from 'ava';
import {createCallHomeConnectExporter} from '../../../exporters/call-home-connect/exporter.ts';
import {BridgeError, errorCodes} from '../../../src/errors.ts';
import type {Connection, OutboundRequest, Reply} from '../../../src/exporter.ts';
import {keys, optionsOf, parties, submissionOf} from '../../helpers/submissions.ts';

const signal = new AbortController().signal;

/** A connection that answers from a list and keeps what it was given. */
function answering(...replies: readonly (Error | Partial<Reply>)[]) {
	const sent: OutboundRequest[] = [];
	const connection: Connection = {
		name: 'direct',
		async send(request) {
			const reply = replies[sent.push(request) - 1];
			if (!reply) throw new Error('asked more often than expected');
			if (reply instanceof Error) throw reply;
			return {statusCode: 200, headers: {}, body: '', ...reply};
		},
	};
	return {connection, sent};
}

const accepted = (transactions: object = {}) => ({
	body: JSON.stringify({service: 'ibm_callhome_connect', transaction: {rc: 200}, response_state: {transactions}}),
});
const eventTypes = (sent: readonly OutboundRequest[]) => sent.map(({body}) => JSON.parse(body).events[0].header.event_type);

const exporter = createCallHomeConnectExporter(optionsOf(), parties);
const alert = submissionOf('hardware_alert');
const uncertain = submissionOf('hardware_alert', {uncertain: true, attempts: 1});

test('a submission goes out as one POST, its keys named as secrets', async t => {
	const {connection, sent} = answering(accepted());
	t.deepEqual(await exporter(alert, connection, signal), {status: 'acknowledged', reference: alert.transactionId, answers: []});
	t.is(sent.length, 1);
	t.like(sent[0], {method: 'POST', headers: {accept: 'application/json', 'content-type': 'application/json'}});
	t.is(sent[0]?.url.href, 'https://esupport.ibm.com/connect/api/v1');
	t.deepEqual(
		sent[0]?.secrets.map(secret => secret.reveal()),
		Object.values(keys),
	);
});

test('without keys nothing is sent', async t => {
	const keyless = createCallHomeConnectExporter(optionsOf({private_key: undefined}), parties);
	const {connection, sent} = answering();
	const outcome = await keyless(alert, connection, signal);
	t.like(outcome, {status: 'deferred', error: {code: 'ERR_NOT_READY'}});
	t.is(sent.length, 0);
});

test('only where it is certain that nothing left, the next connection has its turn', async t => {
	const nothingLeft = new Set([
		'ERR_NOT_CONFIGURED',
		'ERR_PAC',
		'ERR_NAME_NOT_FOUND',
		'ERR_NAME_MISLEADING',
		'ERR_CONNECTION_REFUSED',
		'ERR_CONNECTION_TIMEOUT',
		'ERR_PROXY_AUTHENTICATION',
		'ERR_PROXY_REFUSED',
		'ERR_PROXY_BUSY',
		'ERR_CERTIFICATE',
		'ERR_CERTIFICATE_PIN',
		'ERR_TLS_INSPECTED',
		'ERR_TLS',
		'ERR_USAGE',
	]);
	for (const code of errorCodes) {
		const outcome = await exporter(alert, answering(new BridgeError(code, 'it failed')).connection, signal);
		t.is(outcome.status, nothingLeft.has(code) ? 'unreachable' : 'deferred', code);
		t.is('uncertain' in outcome, !nothingLeft.has(code), code);
	}
	const bug = await exporter(alert, answering(new TypeError('a bug after the bytes left')).connection, signal);
	t.like(bug, {status: 'deferred', uncertain: true});
});

test('an attempt that may have arrived is asked after, and not repeated when IBM knows it', async t => {
	const transactions = {[alert.transactionId]: {response_object: {problem_id: 'TS1'}}};
	const {connection, sent} = answering(accepted(transactions));
	t.deepEqual(await exporter(uncertain, connection, signal), {
		status: 'acknowledged',
		reference: alert.transactionId,
		answers: [{transactionId: alert.transactionId, caseNumber: 'TS1'}],
	});
	t.deepEqual(eventTypes(sent), ['last_contact']);
	const {header, body} = JSON.parse(sent[0]?.body ?? '').events[0];
	t.deepEqual(body.enable_response_detail_filter, [alert.transactionId]);
	t.not(header.event_id, alert.transactionId);
});

test('an attempt that IBM does not know is sent, with the same bytes as the first time', async t => {
	const {connection, sent} = answering(accepted({someone_elses: {response_object: {problem_id: 'TS9'}}}), accepted());
	t.is((await exporter(uncertain, connection, signal)).status, 'acknowledged');
	t.deepEqual(eventTypes(sent), ['last_contact', 'service']);
	const first = answering(accepted());
	await exporter(alert, first.connection, signal);
	t.is(sent[1]?.body, first.sent[0]?.body);
});

for (const [what, reply, status] of [
	['is put off', {statusCode: 503}, 'deferred'],
	['is refused', {body: '{"env": {"namespace": "n"}}'}, 'deferred'],
	['meets a portal', {body: '<title>Login</title>'}, 'unreachable'],
	['finds no way', new BridgeError('ERR_CONNECTION_REFUSED', 'refused'), 'unreachable'],
	['gets lost itself', new BridgeError('ERR_REPLY_TIMEOUT', 'no reply'), 'unreachable'],
	['cannot be recorded', new BridgeError('ERR_STORE_FULL', 'full'), 'deferred'],
] as const) {
	test(`when the question ${what}, the fault is not sent`, async t => {
		const {connection, sent} = answering(reply);
		const outcome = await exporter(uncertain, connection, signal);
		t.is(outcome.status, status);
		t.is('uncertain' in outcome, status === 'deferred');
		t.deepEqual(eventTypes(sent), ['last_contact']);
	});
}

test('each question has an id of its own', async t => {
	const ids: string[] = [];
	for (const attempts of [1, 2]) {
		const {connection, sent} = answering({statusCode: 503});
		await exporter({...uncertain, attempts}, connection, signal);
		ids.push(JSON.parse(sent[0]?.body ?? '').events[0].header.event_id);
	}
	t.is(new Set(ids).size, 2);
});

test('what opens no case is simply sent again', async t => {
	for (const type of ['heartbeat', 'status', 'case_query', 'confirmation'] as const) {
		const {connection, sent} = answering(accepted());
		await exporter(submissionOf(type, {uncertain: true}), connection, signal);
		t.is(sent.length, 1, type);
	}
});

test('a heartbeat whose reply gets lost on one connection has its turn on the next', async t => {
	const lost = answering(new BridgeError('ERR_REPLY_TIMEOUT', 'no whole reply')).connection;
	t.is((await exporter(submissionOf('heartbeat'), lost, signal)).status, 'unreachable');
	const refused = answering({statusCode: 503, body: '{"service":"ibm_callhome_connect"}'}).connection;
	t.is((await exporter(submissionOf('heartbeat'), refused, signal)).status, 'deferred');
});

test('a submission without a fault in it is refused, not thrown over', async t => {
	const empty = {system: alert.content.system, createdAt: alert.content.createdAt};
	for (const type of ['hardware_alert', 'test', 'status'] as const) {
		const {connection, sent} = answering();
		t.is((await exporter(submissionOf(type, {content: empty}), connection, signal)).status, 'rejected');
		t.is(sent.length, 0);
	}
});

test('the time for a message is bounded', async t => {
	const impatient = createCallHomeConnectExporter(optionsOf({timeout: '50ms'}), parties);
	const silent: Connection = {
		name: 'silent',
		send: (_request, limit) =>
			new Promise((_resolve, reject) => {
				limit.addEventListener('abort', () => reject(new BridgeError('ERR_REPLY_TIMEOUT', 'no reply')));
			}),
	};
	const alive = setTimeout(() => {}, 10_000);
	t.teardown(() => clearTimeout(alive));
	t.like(await impatient(alert, silent, signal), {status: 'deferred', uncertain: true});
});
