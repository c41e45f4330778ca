import {readFileSync} from 'node:fs';
import {IncomingMessage, ServerResponse} from 'node:http';
import {Socket} from 'node:net';
import {connect} from 'node:tls';
import test, {type ExecutionContext} from 'ava';
import {perform} from '../../src/sandbox/acts.ts';
import {createModes, modeSetting, type SandboxMode} from '../../src/sandbox/modes.ts';
import type {Sandbox} from '../../src/sandbox/server.ts';
import {eventually} from '../helpers/listen.ts';
import {clientOf, heartbeat, messageOf, serviceEvent, startSandbox} from '../helpers/sandbox.ts';

const anySubject = {eventTypes: ['service'], serialNumbers: ['J1A2B3C']};

/** The error with which undici reports that it got no whole reply. */
async function failureOf(t: ExecutionContext, attempt: Promise<unknown>): Promise<NodeJS.ErrnoException> {
	const error: NodeJS.ErrnoException | undefined = await t.throwsAsync(attempt);
	if (!error) throw new Error('the attempt did not fail');
	return error;
}

async function isWell(t: ExecutionContext, sandbox: Sandbox) {
	sandbox.setMode('normal');
	t.is((await clientOf(t, sandbox)(messageOf([]))).json.transaction.rc, 200, 'the sandbox lives on');
}

test('throttled: 429 with and without Retry-After, and nothing is taken in', async t => {
	const sandbox = await startSandbox(t, {mode: 'throttled', retry_after: '90s'});
	const post = clientOf(t, sandbox);
	const patient = await post(messageOf([serviceEvent('s1')]));
	t.is(patient.status, 429);
	t.is(patient.headers['retry-after'], '90');
	sandbox.setMode('throttled');
	const plain = await post(messageOf([serviceEvent('s1')]));
	t.is(plain.status, 429);
	t.is(plain.headers['retry-after'], undefined);
	t.is(sandbox.cases().length, 0);
	t.deepEqual(
		sandbox.received().map(({eventId, mode, fate}) => [eventId, mode, fate]),
		[
			['s1', 'throttled', 'ignored'],
			['s1', 'throttled', 'ignored'],
		],
	);
	await isWell(t, sandbox);
});

test('unavailable, server_error, captive_portal: answered without being taken in', async t => {
	const sandbox = await startSandbox(t);
	const post = clientOf(t, sandbox);
	sandbox.setMode('unavailable', {retryAfterSeconds: 3});
	const unavailable = await post(messageOf([serviceEvent('s1')]));
	t.is(unavailable.status, 503);
	t.is(unavailable.headers['retry-after'], '3');
	sandbox.setMode('server_error');
	t.is((await post(messageOf([serviceEvent('s1')]))).status, 500);
	sandbox.setMode('captive_portal');
	const portal = await post(messageOf([serviceEvent('s1')]));
	t.is(portal.status, 200);
	t.regex(String(portal.headers['content-type']), /^text\/html/);
	t.regex(portal.text, /^<!DOCTYPE html>/);
	t.is(sandbox.cases().length, 0);
});

test('truncated: fewer bytes than promised, after the case was opened', async t => {
	const sandbox = await startSandbox(t, {mode: 'truncated'});
	const {code} = await failureOf(t, clientOf(t, sandbox)(messageOf([serviceEvent('s1')])));
	t.is(code, 'UND_ERR_SOCKET');
	t.is(sandbox.cases().length, 1);

	const socket = connect({host: '127.0.0.1', port: Number(sandbox.url().port), ca: readFileSync(sandbox.caFile)});
	t.teardown(() => socket.destroy());
	socket.write('POST /connect/api/v1 HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}');
	let text = '';
	for await (const chunk of socket.setEncoding('utf8')) text += chunk;
	const [head = '', body = ''] = text.split('\r\n\r\n');
	t.true(body.length > 0 && body.length < Number(/content-length: (\d+)/i.exec(head)?.[1]));
	await isWell(t, sandbox);
});

test('slow: the reply comes late, the case at once', async t => {
	const sandbox = await startSandbox(t);
	sandbox.setMode('slow', {delayMillis: 400});
	const began = performance.now();
	let isAnswered = false;
	const reply = clientOf(
		t,
		sandbox,
	)(messageOf([serviceEvent('s1')])).finally(() => {
		isAnswered = true;
	});
	await eventually(() => sandbox.cases().length === 1);
	t.false(isAnswered);
	t.is((await reply).json.transaction.rc, 200);
	t.true(performance.now() - began >= 395);
});

test('slow: the wait itself ends with the sandbox', async t => {
	t.timeout(10_000);
	const closing = new AbortController();
	const response = new ServerResponse(new IncomingMessage(new Socket()));
	const setting = modeSetting('slow', {delayMillis: 300_000});
	const wait = perform.slow({response, reply: {}, setting, signal: closing.signal, resetConnection() {}});
	closing.abort();
	await t.notThrowsAsync(async () => wait);
	t.true(response.destroyed);
});

test('slow: shutdown does not wait for the reply', async t => {
	const sandbox = await startSandbox(t);
	sandbox.setMode('slow', {delayMillis: 60_000});
	const failure = failureOf(t, clientOf(t, sandbox)(messageOf([serviceEvent('s1')])));
	await eventually(() => sandbox.cases().length === 1);
	const began = performance.now();
	await sandbox.shutdown();
	t.is((await failure).code, 'UND_ERR_SOCKET');
	t.true(performance.now() - began < 5000);
});

test('reset: the connection is reset and nothing is taken in', async t => {
	const sandbox = await startSandbox(t, {mode: 'reset'});
	t.is((await failureOf(t, clientOf(t, sandbox)(messageOf([serviceEvent('s1')])))).code, 'ECONNRESET');
	t.is(sandbox.cases().length, 0);
	t.like(sandbox.received()[0], {eventId: 's1', fate: 'ignored', mode: 'reset'});
	await isWell(t, sandbox);
});

test('lost_acknowledgement: no reply, and a case that the client can ask for', async t => {
	const sandbox = await startSandbox(t, {case_delay: '0s'});
	sandbox.setMode('lost_acknowledgement', {count: 1});
	const post = clientOf(t, sandbox);
	t.is((await failureOf(t, post(messageOf([serviceEvent('s1')])))).code, 'UND_ERR_SOCKET');
	t.is(sandbox.cases().length, 1);
	const {transactions} = (await post(messageOf([heartbeat(['s1'])]))).json.response_state;
	t.is(transactions.s1?.response_object.problem_id, sandbox.cases()[0]?.caseNumber);
});

test('malformed_reply: 200 and JSON by name only, after the case was opened', async t => {
	const sandbox = await startSandbox(t, {mode: 'malformed_reply'});
	const {status, headers, text} = await clientOf(t, sandbox)(messageOf([serviceEvent('s1')]));
	t.is(status, 200);
	t.is(headers['content-type'], 'application/json');
	t.throws(() => JSON.parse(text), {instanceOf: SyntaxError});
	t.is(sandbox.cases().length, 1);
});

test('refused_message: a good message gets the reply of a malformed one', async t => {
	const sandbox = await startSandbox(t);
	sandbox.setMode('refused_message', {error: 'agent is not known'});
	const {status, json} = await clientOf(t, sandbox)(messageOf([serviceEvent('s1')]));
	t.is(status, 200);
	t.is(json.service, undefined);
	t.truthy(json.body.env.namespace);
	t.is(json.body.error, 'agent is not known');
	t.is(sandbox.cases().length, 0);
});

test('event_rejected: the message is accepted, its events are not', async t => {
	const sandbox = await startSandbox(t);
	sandbox.setMode('event_rejected', {error: 'unknown routing'});
	const {json} = await clientOf(t, sandbox)(messageOf([serviceEvent('s1')]));
	t.like(json.transaction, {rc: 200, events: 0});
	t.like(json.events[0]?.header, {rc: 400, error: 'unknown routing'});
	t.is(sandbox.cases().length, 0);
	t.like(sandbox.received()[0], {fate: 'refused', reason: 'unknown routing'});
});

test('business_error: refused in words, and the mended event is taken under the same id', async t => {
	const sandbox = await startSandbox(t, {case_delay: '0s'});
	sandbox.setMode('business_error', {error: 'no entitlement', serialNumbers: ['J1A2B3C'], count: 1});
	const post = clientOf(t, sandbox);
	await post(messageOf([serviceEvent('s0')], {asset_id: 'OTHER'}));
	await post(messageOf([heartbeat(['s0'])]));
	t.is(sandbox.cases().length, 1, 'another system is served, and a heartbeat does not use the count up');
	t.is((await post(messageOf([serviceEvent('s1')]))).json.events[0]?.header.rc, 200);
	const refused = (await post(messageOf([heartbeat(['s1'])]))).json.response_state.transactions.s1?.response_object;
	t.is(refused?.error, 'no entitlement');
	t.is(refused?.problem_id, undefined);
	await post(messageOf([serviceEvent('s1')]));
	const opened = (await post(messageOf([heartbeat(['s1'])]))).json.response_state.transactions.s1?.response_object;
	t.regex(opened?.problem_id ?? '', /^TS\d{9}$/);
	t.is(opened?.error, undefined);
});

test('expired_certificate: seen as such by every new connection, also by one that could resume its session', async t => {
	const sandbox = await startSandbox(t);
	const post = clientOf(t, sandbox);
	t.is((await post(messageOf([]))).status, 200);
	sandbox.setMode('expired_certificate');
	t.is((await failureOf(t, clientOf(t, sandbox)(messageOf([serviceEvent('s1')])))).code, 'CERT_HAS_EXPIRED');
	t.is((await failureOf(t, post(messageOf([serviceEvent('s1')])))).code, 'CERT_HAS_EXPIRED');
	t.false(sandbox.received().some(({eventId}) => eventId === 's1'));
	await isWell(t, sandbox);
});

test('expired_certificate: for the next connection only', async t => {
	const sandbox = await startSandbox(t);
	sandbox.setMode('expired_certificate', {count: 1});
	const post = clientOf(t, sandbox);
	t.is((await failureOf(t, post(messageOf([])))).code, 'CERT_HAS_EXPIRED');
	t.is((await post(messageOf([]))).status, 200);
});

test('a mode strikes as often as it was told, and only where it was told', async t => {
	const sandbox = await startSandbox(t);
	sandbox.setMode('unavailable', {count: 2, eventTypes: ['service']});
	const post = clientOf(t, sandbox);
	const statuses: number[] = [];
	for (const event of [heartbeat([]), serviceEvent('s1'), heartbeat([]), serviceEvent('s1'), serviceEvent('s1')]) {
		statuses.push((await post(messageOf([event]))).status);
	}
	t.deepEqual(statuses, [200, 503, 200, 503, 200]);
});

test('probability is compared with chance', t => {
	const chances = [0.29, 0.31, 0.0];
	const modes = createModes(modeSetting('unavailable', {probability: 0.3}), () => chances.shift() ?? 1);
	const acts = [1, 2].map(() => modes.actOn(anySubject).act);
	t.deepEqual(acts, ['unavailable', 'normal']);
});

test('chaos draws each mode from which a client recovers, and no final refusal', t => {
	let state = 1;
	const random = () => {
		state = (state * 48_271) % 2_147_483_647;
		return state / 2_147_483_647;
	};
	const modes = createModes(modeSetting('chaos', {probability: 0.8}), random);
	const drawn = new Map<string, number>();
	const count = (act: string) => drawn.set(act, (drawn.get(act) ?? 0) + 1);
	for (let round = 0; round < 5000; round++)
		count(modes.showsExpiredCertificate() ? 'expired_certificate' : modes.actOn(anySubject).act);
	const all: SandboxMode[] = [
		'normal',
		'throttled',
		'unavailable',
		'server_error',
		'captive_portal',
		'truncated',
		'slow',
		'reset',
	];
	t.deepEqual([...drawn.keys()].sort(), [...all, 'lost_acknowledgement', 'malformed_reply', 'expired_certificate'].sort());
	for (const times of drawn.values()) t.true(times > 250);
});

test('chaos keeps to the modes it is given', async t => {
	const sandbox = await startSandbox(t);
	sandbox.setMode('chaos', {among: ['throttled', 'unavailable']});
	const post = clientOf(t, sandbox);
	const statuses = new Set<number>();
	for (let round = 0; round < 40; round++) {
		const {status, headers} = await post(messageOf([serviceEvent('s1')]));
		statuses.add(status);
		t.is(headers.connection, 'close');
	}
	t.deepEqual([...statuses].sort(), [429, 503]);
	t.is(sandbox.cases().length, 0);
});

test('under chaos a client that repeats an event ends with one case', async t => {
	const sandbox = await startSandbox(t, {delay: '1ms'});
	sandbox.setMode('chaos', {probability: 0.7, delayMillis: 1});
	const post = clientOf(t, sandbox);
	for (let fault = 0; fault < 10; fault++) {
		await eventually(async () => (await post(messageOf([serviceEvent(`s${fault}`)]))).json.transaction.rc === 200, {
			intervalMillis: 1,
		});
	}
	t.is(sandbox.cases().length, 10);
	t.is(new Set(sandbox.cases().map(({eventId}) => eventId)).size, 10);
});
