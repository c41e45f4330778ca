import {hash} from 'node:crypto';
import {join} from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import test from 'ava';
import {verifyLedger} from '../../src/agent/verify-ledger.ts';
import {BridgeError} from '../../src/errors.ts';
import type {Connection, OutboundRequest} from '../../src/exporter.ts';
import {Secret} from '../../src/secret.ts';
import {recorded} from '../../src/sending/recorded.ts';
import {openStore} from '../../src/store/store.ts';
import {listen, temporaryDirectory} from '../helpers/listen.ts';
import {submissionOf} from '../helpers/submissions.ts';

const key = new Secret('key-"58b1"');
const request: OutboundRequest = {
	url: new URL('https://esupport.example:8443/connect'),
	method: 'POST',
	headers: {},
	body: JSON.stringify({api_key: key.reveal(), note: 'fan'}),
	secrets: [key],
};
const signal = new AbortController().signal;
const submission = submissionOf('hardware_alert');

const connectionOf = (send: Connection['send']): Connection => ({name: 'direct', send});

async function ledgerIn(t: Parameters<typeof temporaryDirectory>[0]) {
	const store = await openStore({directory: await temporaryDirectory(t), onFailure: () => {}, onSetAside: () => {}});
	t.teardown(() => store.close());
	return {
		attempts: () => store.read.attemptsOf('p1'),
		records: {
			begin: (attempt: Parameters<typeof store.read.beginAttempt>[0]) => store.write(records => records.beginAttempt(attempt)),
			end: (sequence: number, end: Parameters<typeof store.read.endAttempt>[1]) =>
				store.write(records => records.endAttempt(sequence, end)),
		},
	};
}

test('the request is on disk before it leaves, and the reply after it, without the keys in either', async t => {
	const {attempts, records} = await ledgerIn(t);
	let atSending: unknown;
	const connection = connectionOf(async () => {
		atSending = (await attempts())[0];
		return {statusCode: 200, headers: {}, body: JSON.stringify({echo: key.reveal()})};
	});
	let clock = 1000;
	const reply = await recorded(connection, submission, records, () => (clock += 20)).send(request, signal);
	t.is(reply.body, JSON.stringify({echo: key.reveal()}), 'who sent it gets the reply as it is');
	t.like(atSending, {destination: 'esupport.example:8443', connection: 'direct', duration: null, submission_id: 's1'});
	const [attempt] = await attempts();
	t.like(attempt, {status_code: 200, duration: 20, error_type: null, started_at: 1020});
	t.false(JSON.stringify(attempt).includes('58b1'));
	t.regex(attempt?.request ?? '', /fan/);
});

test('when the first byte reaches the server, the request is in the ledger on the disk, with the digest of what is kept', async t => {
	const directory = await temporaryDirectory(t);
	const store = await openStore({directory, onFailure: () => {}, onSetAside: () => {}});
	t.teardown(() => store.close());
	const rows = () => {
		using stranger = new DatabaseSync(join(directory, 'callhome.db'), {readOnly: true});
		return stranger.prepare('SELECT entry, request FROM ledger JOIN attempt ON attempt.sequence = ledger.attempt').all();
	};
	const seen: ReturnType<typeof rows>[] = [];
	const server = await listen(t, (_request, response) => {
		seen.push(rows());
		response.end('taken');
	});
	const connection = connectionOf(async ({body}) => {
		const response = await fetch(server, {method: 'POST', body});
		return {statusCode: response.status, headers: {}, body: await response.text()};
	});
	const records = {
		begin: (attempt: Parameters<typeof store.read.beginAttempt>[0]) => store.write(records => records.beginAttempt(attempt)),
		end: (sequence: number, end: Parameters<typeof store.read.endAttempt>[1]) =>
			store.write(records => records.endAttempt(sequence, end)),
	};
	const send = recorded(connection, submission, records);
	await Promise.all(Array.from({length: 8}, () => send.send(request, signal)));
	t.is(seen.length, 8);
	for (const [row] of seen) {
		t.like(JSON.parse(String(row?.entry)), {kind: 'request', text_sha256: hash('sha256', String(row?.request))});
		t.false(String(row?.request).includes('58b1'));
	}
	t.true(
		seen.every((rows, index) => rows.length > index),
		'each of them, before it arrived',
	);
	t.like(await verifyLedger(store.read), {entries: 16, breaks: {length: 0}}, 'eight at once make one chain');
});

test('a failure is on record with its code, and passes on as it was', async t => {
	const {attempts, records} = await ledgerIn(t);
	const failure = new BridgeError('ERR_CONNECTION_RESET', `reset after ${key.reveal()}`);
	const connection = connectionOf(() => Promise.reject(failure));
	t.is(await t.throwsAsync(recorded(connection, submission, records).send(request, signal)), failure);
	const [attempt] = await attempts();
	t.like(attempt, {error_type: 'ERR_CONNECTION_RESET', status_code: null, error: 'reset after [redacted]'});
});

test('what cannot be recorded does not leave', async t => {
	let sent = 0;
	const connection = connectionOf(async () => {
		sent++;
		return {statusCode: 200, headers: {}, body: ''};
	});
	const full = () => Promise.reject(new BridgeError('ERR_STORE_FULL', 'the disk is full'));
	await t.throwsAsync(recorded(connection, submission, {begin: full, end: full}).send(request, signal), {code: 'ERR_STORE_FULL'});
	t.is(sent, 0);
});

test('a reply that cannot be recorded is no failure of the connection, and is told once', async t => {
	const ends: unknown[] = [];
	const records = {
		begin: async () => 1,
		end: async (_: number, end: unknown) => {
			ends.push(end);
			throw new BridgeError('ERR_STORE_BUSY', 'locked');
		},
	};
	const good = connectionOf(async () => ({statusCode: 200, headers: {}, body: ''}));
	await t.throwsAsync(recorded(good, submission, records).send(request, signal), {code: 'ERR_STORE_BUSY'});
	t.is(ends.length, 1);
	const broken = connectionOf(() => Promise.reject(new BridgeError('ERR_CONNECTION_REFUSED', 'refused')));
	await t.throwsAsync(
		recorded(broken, submission, records).send(request, signal),
		{code: 'ERR_CONNECTION_REFUSED'},
		'the next connection gets its turn',
	);
});

test('a clock that was set back makes no negative duration', async t => {
	const {attempts, records} = await ledgerIn(t);
	const times = [5000, 1000];
	const connection = connectionOf(async () => ({statusCode: 200, headers: {}, body: ''}));
	await recorded(connection, submission, records, () => times.shift() ?? 0).send(request, signal);
	t.is((await attempts())[0]?.duration, 0);
});
