import test from 'ava';
import fc from 'fast-check';
import {readReply} from '../../../exporters/call-home-connect/reply.ts';
import {isBridgeError} from '../../../src/errors.ts';
import type {Reply} from '../../../src/exporter.ts';
import type {Outcome} from '../../../src/outcome.ts';
import {Secret} from '../../../src/secret.ts';

const now = Date.UTC(2026, 10, 23, 12, 0, 0);
const asked = {transactionId: 'service_1', destination: 'esupport.example', secrets: [new Secret('hunter2')], now};

const read = (body: unknown, {statusCode = 200, headers = {}}: Partial<Reply> = {}): Outcome =>
	readReply({statusCode, headers, body: typeof body === 'string' ? body : JSON.stringify(body)}, asked);

const message = (outcome: Outcome) => ('error' in outcome ? outcome.error.message : '');
const code = (outcome: Outcome) => ('error' in outcome && isBridgeError(outcome.error) ? outcome.error.code : undefined);

const accepted = {
	service: 'ibm_callhome_connect',
	version: '1.0.0.4',
	transaction: {rc: 200, api_key: 'hunter2', events: 1, env: {namespace: 'inner', message: 'Successful Request'}},
	events: [{header: {rc: 200, component: 'system'}}],
	response_available: true,
	response_state: {transactions: {}},
	query_results_error: true,
};
const withTransactions = (transactions: unknown) => ({...accepted, response_state: {transactions}});

test('accepted is not yet a case', t => {
	t.deepEqual(read(accepted), {status: 'acknowledged', reference: 'service_1', answers: []});
});

test('answers to this and to earlier transactions are read', t => {
	const transactions = {
		service_1: {expiry: 1_800_000_000_000, response_object: {problem_id: 'TS012345678', expiry: 5}},
		service_0: {complete: false, response_object: {updates: [{error: 'no entitlement'}]}},
		service_9: {response_object: {}},
	};
	t.deepEqual(read(withTransactions(transactions)), {
		status: 'acknowledged',
		reference: 'service_1',
		answers: [
			{transactionId: 'service_1', caseNumber: 'TS012345678', expiresAt: 1_800_000_000_000},
			{transactionId: 'service_0', error: 'no entitlement'},
			{transactionId: 'service_9'},
		],
	});
});

for (const [what, problemId, caseNumber] of [
	['of today', 'TS000599999', 'TS000599999'],
	['of the days of PMRs', '34143.055.724', '34143.055.724'],
	['with blanks around it', ' T1234 ', 'T1234'],
	['that is a number', 1234567, '1234567'],
	['that nobody can read', 'TS\u0000\u001b[2J', undefined],
	['that is too long', 'T'.repeat(65), undefined],
	['that is empty', '', undefined],
	['that is an object', {id: 'TS1'}, undefined],
] as const) {
	test(`a case number ${what}`, t => {
		const outcome = read(withTransactions({service_1: {response_object: {problem_id: problemId}}}));
		t.deepEqual(outcome.status === 'acknowledged' && outcome.answers[0]?.caseNumber, caseNumber);
	});
}

test("an answer's error is bounded, on one line, and without the keys", t => {
	const error = `bad\nkey hunter2 ${'x'.repeat(5000)}`;
	const outcome = read(withTransactions({service_1: {response_object: {deep: [[{error: {message: error}}]]}}}));
	const text = (outcome.status === 'acknowledged' && outcome.answers[0]?.error) || '';
	t.true(text.startsWith('bad key [redacted] xxx'));
	t.true(text.length <= 1000);
});

const portal = '<!DOCTYPE html><html><head><title class="t">\n Log&shy;in hunter2 </title></head><body>…</body></html>';

test('a page in place of IBM is not IBM, even with 200, and the message names it', t => {
	const outcome = read(portal, {headers: {'content-type': 'text/html', server: 'portal/1'}});
	t.is(outcome.status, 'unreachable');
	t.is(code(outcome), 'ERR_NOT_IBM');
	for (const fact of ['titled "Log&shy;in [redacted]"', 'status 200', 'text/html', 'portal/1', 'esupport.example']) {
		t.true(message(outcome).includes(fact), `${fact} in: ${message(outcome)}`);
	}
});

test('JSON of another service, an empty reply and a redirect are not IBM', t => {
	for (const outcome of [
		read({service: 'other', transaction: {rc: 200}}),
		read(['ibm_callhome_connect']),
		read('null'),
		read(''),
		read('moved', {statusCode: 302, headers: {location: 'https://portal.example/login?session=hunter2'}}),
	]) {
		t.is(outcome.status, 'unreachable');
		t.is(code(outcome), 'ERR_NOT_IBM');
	}
	const moved = message(read('', {statusCode: 302, headers: {location: 'https://portal.example/login?session=1'}}));
	t.true(moved.includes('a redirect to portal.example'));
	t.false(moved.includes('session'));
});

test('a page never makes a fault be rejected for good, whatever its status', t => {
	for (let statusCode = 200; statusCode <= 599; statusCode++) {
		const isNotNow = statusCode === 408 || statusCode === 429 || statusCode >= 500;
		for (const body of [portal, '', '{"error": "blocked by policy"}', '"x"']) {
			t.is(read(body, {statusCode}).status, isNotNow ? 'deferred' : 'unreachable', `${statusCode} ${body}`);
		}
	}
});

test('a reply with env.namespace was reached, and the message refused', t => {
	const outcome = read({env: {namespace: 'call-home-connect-service'}, error: 'event_id hunter2 missing'});
	t.is(outcome.status, 'rejected');
	t.is(code(outcome), 'ERR_SUBMISSION_REJECTED');
	t.true(message(outcome).includes('event_id [redacted] missing'));
	t.is(read({...accepted, env: {namespace: 'call-home-connect-service'}}).status, 'rejected');
	t.is(read({env: {namespace: ''}}).status, 'unreachable');
});

for (const [what, transaction, status] of [
	['400', {rc: 400}, 'rejected'],
	['499', {rc: 499}, 'rejected'],
	['500', {rc: 500}, 'deferred'],
	['"503"', {rc: '503'}, 'deferred'],
	['"200"', {rc: '200'}, 'acknowledged'],
	['that is missing', {}, 'rejected'],
	['[200]', {rc: [200]}, 'rejected'],
	['that is an object which looks like a number', {rc: {valueOf: 200, toString: 200}}, 'rejected'],
] as const) {
	test(`a return code ${what} of the transaction is ${status}`, t => {
		t.is(read({...accepted, transaction}).status, status);
	});
}

test('the return code of the event counts as well', t => {
	const rcOf = (rc: unknown) => read({...accepted, events: [{header: {rc}}]});
	t.is(rcOf(400).status, 'rejected');
	t.true(message(rcOf(400)).includes('return code 400'));
	t.is(rcOf(503).status, 'deferred');
	t.is(read({...accepted, events: []}).status, 'acknowledged');
	t.is(read({...accepted, events: [{header: {}}]}).status, 'acknowledged');
});

test("a refusal shows IBM's reason, not the answers to other transactions", t => {
	const answers = {transactions: {other: {response_object: {error: 'not about this'}}}};
	t.false(message(read({...accepted, transaction: {rc: 400}, response_state: answers})).includes('not about this'));
	t.true(message(read({...accepted, transaction: {rc: 400, error: 'country unknown'}})).includes('country unknown'));
});

test('IBM refusing with 4xx is final, with 408, 429 or 5xx is not', t => {
	for (const statusCode of [400, 401, 403, 404, 422]) t.is(read(accepted, {statusCode}).status, 'rejected');
	for (const statusCode of [408, 429, 500, 502, 503, 504]) {
		const outcome = read(accepted, {statusCode});
		t.is(outcome.status, 'deferred');
		t.is(code(outcome), 'ERR_SUBMISSION_DEFERRED');
	}
});

test('after a 5xx it is not known whether IBM took the message; after a 429 it is', t => {
	t.like(read('', {statusCode: 504}), {status: 'deferred', uncertain: true});
	t.false('uncertain' in read('', {statusCode: 429}));
});

for (const [header, millis] of [
	['120', 120_000],
	['0', 0],
	['999999', 86_400_000],
	['Mon, 23 Nov 2026 12:10:00 GMT', 600_000],
	['Mon, 23 Nov 2026 11:00:00 GMT', 0],
	['Sun, 23 Nov 2036 12:00:00 GMT', 86_400_000],
	['-5', undefined],
	['soon', undefined],
	['2027', 2_027_000],
	['', undefined],
] as const) {
	test(`Retry-After "${header}" is ${millis} ms`, t => {
		const outcome = read('', {statusCode: 503, headers: {'retry-after': header}});
		t.is(outcome.status === 'deferred' ? outcome.retryAfterMillis : -1, millis);
	});
}

test("IBM's own reply without its end leaves open whether the message was taken", t => {
	const whole = JSON.stringify(accepted);
	const outcome = read(whole.slice(0, -20));
	t.like(outcome, {status: 'deferred', uncertain: true});
	t.is(code(outcome), 'ERR_REPLY_TRUNCATED');
});

test('hostile JSON gives an outcome, never an exception', t => {
	const wrong = fc.oneof(
		{depthSize: 'small'},
		fc.anything({withBigInt: false, withNullPrototype: true}),
		fc.json().map(text => JSON.parse(text)),
	);
	const shape = fc.record(
		{
			service: fc.oneof(fc.constant('ibm_callhome_connect'), wrong),
			env: fc.oneof(fc.record({namespace: wrong}), wrong),
			transaction: fc.oneof(fc.record({rc: fc.oneof(fc.constant(200), wrong), error: wrong}), wrong),
			events: fc.oneof(fc.array(fc.record({header: fc.oneof(fc.record({rc: wrong}), wrong)})), wrong),
			response_state: fc.oneof(
				fc.record({
					transactions: fc.oneof(
						fc.dictionary(
							fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'toString')),
							fc.oneof(
								fc.record({expiry: wrong, response_object: fc.oneof(fc.record({problem_id: wrong, error: wrong}), wrong)}),
								wrong,
							),
						),
						wrong,
					),
				}),
				wrong,
			),
		},
		{requiredKeys: []},
	);
	fc.assert(
		fc.property(shape, fc.integer({min: 100, max: 599}), fc.string(), (body, statusCode, header) => {
			const outcome = read(JSON.stringify(body) ?? '', {statusCode, headers: {'retry-after': header, location: header}});
			t.true(['acknowledged', 'deferred', 'rejected', 'unreachable'].includes(outcome.status));
			t.true(message(outcome).length < 5000);
		}),
		{numRuns: 3000},
	);
	fc.assert(
		fc.property(fc.string({unit: 'binary'}), fc.integer({min: 100, max: 599}), (body, statusCode) => {
			t.not(read(body, {statusCode}).status, 'rejected');
		}),
		{numRuns: 2000},
	);
});

test('depth, size and prototypes in a reply are the sender’s trouble', t => {
	const text = (inner: string) =>
		`{"service":"ibm_callhome_connect","transaction":{"rc":200},"response_state":{"transactions":{"service_1":${inner}}}}`;
	const depth = 200_000;
	const deep = read(text(`{"response_object":${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}}`));
	t.like(deep, {status: 'acknowledged', answers: [{transactionId: 'service_1'}]});
	const wide = read(text(`{"response_object":{"a":[${'{},'.repeat(400_000)}{"error":"late"}]}}`));
	t.is(wide.status, 'acknowledged');
	const proto = read(text('{"__proto__":{"response_object":{"problem_id":"TS1"}}}'));
	t.deepEqual(proto.status === 'acknowledged' && proto.answers, [{transactionId: 'service_1'}]);
	t.is(Object.hasOwn(Object.prototype, 'response_object'), false);
	const named = read('{"__proto__":{"service":"ibm_callhome_connect","transaction":{"rc":200}}}');
	t.is(named.status, 'unreachable');
	const keyed = read(
		'{"service":"ibm_callhome_connect","transaction":{"rc":200},"response_state":{"transactions":{"__proto__":{"response_object":{"problem_id":"TS1"}}}}}',
	);
	t.deepEqual(keyed.status === 'acknowledged' && keyed.answers, [{transactionId: '__proto__', caseNumber: 'TS1'}]);
	t.is(
		read(text(`{"response_object":{"problem_id":"${'T'.repeat(3_000_000)}","error":"${'e'.repeat(900_000)}"}}`)).status,
		'acknowledged',
	);
});
