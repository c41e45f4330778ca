import test from 'ava';
import {BridgeError} from '../../../src/errors.ts';
import type {Decision} from '../../../src/event.ts';
import {bodyOf, post, type Reply, startIntake} from '../../helpers/otlp-intake.ts';

const protobuf = 'application/x-protobuf';
const json = 'application/json';

/** google.rpc.Status by hand: field 1 is a varint below 128, field 2 a string with a length below 2 ** 14. */
function statusOf({headers, body}: Reply): {code: number; message: string} {
	if (headers['content-type'] === json) return JSON.parse(body.toString());
	if (body[0] !== 0x08 || body[2] !== 0x12) throw new Error(`not a Status: ${body.toString('hex')}`);
	const isLong = (body[3] ?? 0) >= 0x80;
	const length = isLong ? ((body[3] ?? 0) & 0x7f) + (body[4] ?? 0) * 0x80 : body[3];
	const text = body.subarray(isLong ? 5 : 4);
	if (text.length !== length) throw new Error(`length ${length}, but ${text.length} bytes follow`);
	return {code: body[1] ?? 0, message: text.toString()};
}

for (const path of ['/v1/logs', '/v1/metrics', '/v1/traces']) {
	for (const type of [protobuf, json]) {
		test(`POST ${path} as ${type} is answered 200 with an unset partial success`, async t => {
			const {url, consumed, counted} = await startIntake(t);
			const reply = await post(url, {path, type, body: bodyOf({selected: ['a', 'b'], filtered: 3})});
			t.is(reply.statusCode, 200);
			t.is(reply.headers['content-type'], type);
			t.is(reply.body.toString(), type === json ? '{}' : '');
			t.deepEqual(consumed, ['a', 'b']);
			const signal = path.slice('/v1/'.length);
			t.deepEqual(counted, {[`${signal} accepted`]: 2, [`${signal} filtered`]: 3});
		});

		test(`an empty POST ${path} as ${type} is a success`, async t => {
			const {url, consumed} = await startIntake(t);
			const reply = await post(url, {path, type});
			t.is(reply.statusCode, 200);
			t.is(reply.body.toString(), type === json ? '{}' : '');
			t.deepEqual(consumed, []);
		});
	}
}

test('parameters and capitals in the Content-Type do not matter, and are not repeated in the answer', async t => {
	const {url} = await startIntake(t);
	for (const type of ['application/json; charset=utf-8', 'Application/JSON', 'application/json ;x=y']) {
		const reply = await post(url, {type, body: bodyOf({})});
		t.is(reply.statusCode, 200, type);
		t.is(reply.headers['content-type'], json);
	}
});

test('malformed records are a partial success in JSON, and the others are kept', async t => {
	const {url, consumed, counted} = await startIntake(t);
	const reply = await post(url, {body: bodyOf({selected: ['a'], filtered: 1, malformed: 2})});
	t.is(reply.statusCode, 200);
	t.deepEqual(JSON.parse(reply.body.toString()), {
		partialSuccess: {rejectedLogRecords: '2', errorMessage: 'the first has no value'},
	});
	t.deepEqual(consumed, ['a']);
	t.deepEqual(counted, {'logs accepted': 1, 'logs filtered': 1, 'logs rejected': 2});
});

test('malformed records are a partial success in protobuf', async t => {
	const {url} = await startIntake(t);
	const reply = await post(url, {path: '/v1/metrics', type: protobuf, body: bodyOf({malformed: 300})});
	t.is(reply.statusCode, 200);
	// partial_success (1) {rejected_data_points (1): 300, error_message (2): 22 characters}
	t.is(reply.body.toString('hex'), `0a1b08ac021216${Buffer.from('the first has no value').toString('hex')}`);
});

test('the names of what was rejected follow the signal', async t => {
	const {url} = await startIntake(t);
	const names: string[] = [];
	for (const path of ['/v1/logs', '/v1/metrics', '/v1/traces']) {
		const reply = await post(url, {path, body: bodyOf({malformed: 1})});
		names.push(...Object.keys(JSON.parse(reply.body.toString()).partialSuccess));
	}
	t.deepEqual(
		names.filter(name => name !== 'errorMessage'),
		['rejectedLogRecords', 'rejectedDataPoints', 'rejectedSpans'],
	);
});

test('each decision is counted as one outcome', async t => {
	const given: Decision[] = ['first', 'worse', 'held', 'repeated', 'unchanged', 'nothing_open', 'recovered'];
	const {url, counted} = await startIntake(t, {}, {consume: async () => given});
	t.is((await post(url, {body: bodyOf({selected: given})})).statusCode, 200);
	t.deepEqual(counted, {'logs accepted': 4, 'logs duplicate': 1, 'logs filtered': 2});
});

for (const type of [protobuf, json]) {
	test(`400 for what is not a request, as a Status in ${type}`, async t => {
		const {url, consumed, counted} = await startIntake(t);
		const reply = await post(url, {type, body: 'garbage'});
		t.is(reply.statusCode, 400);
		t.is(reply.headers['content-type'], type);
		t.deepEqual(statusOf(reply), {code: 3, message: 'not a request'});
		t.deepEqual([consumed, counted], [[], {}]);
	});

	test(`401 without the bearer token, as a Status in ${type}`, async t => {
		const {url, consumed} = await startIntake(t, {bearer_token: 'correct-horse'});
		for (const authorization of ['', 'Bearer wrong', 'Bearer correct', 'Basic correct-horse', 'Bearer correct-horse x']) {
			const reply = await post(url, {type, headers: {authorization}, body: bodyOf({selected: ['a']})});
			t.is(reply.statusCode, 401, authorization);
			t.is(reply.headers['www-authenticate'], 'Bearer');
			t.is(statusOf(reply).code, 16);
		}
		t.deepEqual(consumed, []);
	});

	for (const [code, retryAfter] of [
		['ERR_STORE_FULL', '30'],
		['ERR_STORE_BUSY', '5'],
		['ERR_SHUTTING_DOWN', '5'],
		['ERR_CONNECTION_REFUSED', '30'],
	] as const) {
		test(`503 when consume rejects with ${code}, as a Status in ${type}`, async t => {
			const consume = () => Promise.reject(new BridgeError(code, 'no room'));
			const {url, counted} = await startIntake(t, {}, {consume});
			const reply = await post(url, {type, body: bodyOf({selected: ['a', 'b'], filtered: 5, malformed: 1})});
			t.is(reply.statusCode, 503);
			t.is(reply.headers['retry-after'], retryAfter);
			t.is(reply.headers['content-type'], type);
			t.is(statusOf(reply).code, 14);
			t.deepEqual(counted, {'logs refused': 2});
		});
	}
}

test('a long error message is cut and stays decodable', async t => {
	const reader = () => {
		throw new BridgeError('ERR_MALFORMED', 'é'.repeat(100_000));
	};
	const both = {protobuf: reader, json: reader};
	const {url} = await startIntake(t, {}, {readers: {logs: both, metrics: both, traces: both}});
	const reply = await post(url, {type: protobuf, body: 'x'});
	t.is(reply.statusCode, 400);
	t.is(statusOf(reply).message, 'é'.repeat(1000));
});

test('a fault of the bridge itself is 503 too, tells the producer nothing about it, and is logged as an error', async t => {
	const consume = () => Promise.reject(new TypeError('secret internals'));
	const {url, logged} = await startIntake(t, {}, {consume});
	const reply = await post(url, {body: bodyOf({selected: ['a']})});
	t.is(reply.statusCode, 503);
	t.is(reply.headers['retry-after'], '30');
	t.false(reply.body.toString().includes('secret'));
	t.true(logged.some(text => text.startsWith('error:') && text.includes('TypeError: secret internals')));
});

test('a reader that breaks is 503, not 400: the records may be good', async t => {
	const reader = () => {
		throw new RangeError('bug');
	};
	const both = {protobuf: reader, json: reader};
	const {url} = await startIntake(t, {}, {readers: {logs: both, metrics: both, traces: both}});
	t.is((await post(url, {body: 'x'})).statusCode, 503);
});

test('the right bearer token is let in, however the scheme is written', async t => {
	const {url, consumed} = await startIntake(t, {bearer_token: 't0ken'});
	for (const authorization of ['Bearer t0ken', 'bearer t0ken', 'BEARER  t0ken']) {
		const reply = await post(url, {headers: {authorization}, body: bodyOf({selected: [authorization]})});
		t.is(reply.statusCode, 200, authorization);
	}
	t.is(consumed.length, 3);
});

test('404 beside the three paths, in plain text', async t => {
	const {url} = await startIntake(t);
	for (const path of ['/', '/v1/log', '/v1/logs/', '/V1/LOGS', '/v1/profiles', '/v1/%E0%A4%A']) {
		const reply = await post(url, {path, body: bodyOf({selected: ['a']})});
		t.is(reply.statusCode, 404, path);
		t.regex(String(reply.headers['content-type']), /^text\/plain/);
	}
});

test('405 for other methods, in plain text, and none of them allows CORS', async t => {
	const {url} = await startIntake(t);
	for (const method of ['GET', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
		const reply = await post(url, {method, headers: {origin: 'https://example.com'}});
		t.is(reply.statusCode, 405, method);
		t.is(reply.headers.allow, 'POST');
		t.regex(String(reply.headers['content-type']), /^text\/plain/);
		t.is(reply.headers['access-control-allow-origin'], undefined);
	}
	t.is((await post(url, {method: 'HEAD'})).statusCode, 405);
});

test('415 for another Content-Type names the two', async t => {
	const {url} = await startIntake(t);
	for (const type of ['text/plain', 'application/protobuf', 'application/x-www-form-urlencoded', '']) {
		const reply = await post(url, {type, body: bodyOf({selected: ['a']})});
		t.is(reply.statusCode, 415, type);
		t.regex(reply.body.toString(), /application\/x-protobuf.*application\/json/);
	}
});

test('415 for another Content-Encoding names what is accepted', async t => {
	const {url, consumed} = await startIntake(t);
	for (const coding of ['br', 'snappy', 'gzip, gzip', 'constructor']) {
		const reply = await post(url, {headers: {'content-encoding': coding}, body: bodyOf({selected: ['a']})});
		t.is(reply.statusCode, 415, coding);
		t.regex(reply.body.toString(), /gzip.*zstd/);
		t.is(reply.headers['accept-encoding'], 'gzip, zstd');
	}
	t.deepEqual(consumed, []);
});

test('the 200 does not come before consume has resolved', async t => {
	const {promise, resolve} = Promise.withResolvers<readonly Decision[]>();
	const called = Promise.withResolvers<void>();
	const consume = () => {
		called.resolve();
		return promise;
	};
	const {url} = await startIntake(t, {}, {consume});
	let isAnswered = false;
	const reply = post(url, {body: bodyOf({selected: ['a']})}).finally(() => {
		isAnswered = true;
	});
	await called.promise;
	await post(url, {body: bodyOf({filtered: 1})}); // Another one passes meanwhile.
	t.false(isAnswered);
	resolve(['first']);
	t.is((await reply).statusCode, 200);
});

test('a request sent again is answered 200 again and counted as a duplicate', async t => {
	const kept = new Set<string>();
	const {url, counted} = await startIntake(
		t,
		{},
		{
			consume: async events =>
				events.map(({id}) => {
					const decision = kept.has(id) ? 'repeated' : 'first';
					kept.add(id);
					return decision;
				}),
		},
	);
	const body = bodyOf({selected: ['a']});
	t.is((await post(url, {body})).statusCode, 200);
	t.is((await post(url, {body})).statusCode, 200);
	t.deepEqual(counted, {'logs accepted': 1, 'logs duplicate': 1});
});
