import test from 'ava';
import {createReaders} from '../../../src/receivers/otlp/reading.ts';
import {selectionSchema} from '../../../src/receivers/otlp/selection.ts';
import {receivedAt} from '../../helpers/otlp/requests.ts';

const {logs, metrics, traces} = createReaders(selectionSchema.parse({logs: {all: {min_severity: 1}}}));
const read = (text: string) => logs.json(Buffer.from(text), receivedAt);
const requestWith = (record: string) => `{"resourceLogs":[{"scopeLogs":[{"logRecords":[${record}]}]}]}`;
const recordWith = (members: string) => requestWith(`{"severityNumber":17,${members}}`);
const attributeOf = (value: string) => read(recordWith(`"attributes":[{"key":"a","value":${value}}]`)).events[0]?.attributes.a;

test('integers are exact, as numbers and as strings', t => {
	t.is(attributeOf('{"intValue":9007199254740993}'), 9007199254740993n);
	t.is(attributeOf('{"intValue":"9007199254740993"}'), 9007199254740993n);
	t.is(attributeOf('{"intValue": -9223372036854775808}'), -(2n ** 63n));
	t.is(attributeOf('{"intValue":\n42}'), 42);
	t.is(attributeOf('{"intValue":"-42"}'), -42);
	t.is(attributeOf('{"doubleValue":12345678901234567890}'), 12345678901234567000);
	const [event] = read(recordWith('"timeUnixNano":1795435200123456789,"attributes":[]')).events;
	t.is(event?.occurredAt, 1795435200123);
});

test('digits within strings, fractions and keys are not taken for long integers', t => {
	t.is(
		attributeOf('{"stringValue":"a: 12345678901234567890, \\"12345678901234567890"}'),
		'a: 12345678901234567890, "12345678901234567890',
	);
	t.is(attributeOf('{"doubleValue":1234567890123456.5}'), 1234567890123456.5);
	t.is(attributeOf('{"doubleValue":-1234567890123456e2}'), -123456789012345600);
	t.throws(() => read('{"resourceLogs":[],"x":12345678901234567890 1}'), {code: 'ERR_MALFORMED'});
	t.is(read('{"resourceLogs":[],"x":[-12345678901234567890,12345678901234567890]}').records, 0);
});

test('values of all kinds are read', t => {
	t.is(attributeOf('{"stringValue":"9007199254740993"}'), '9007199254740993');
	t.is(attributeOf('{"doubleValue":"NaN"}'), Number.NaN);
	t.is(attributeOf('{"bytesValue":"_-8"}'), '/+8=');
	t.deepEqual(attributeOf('{"arrayValue":{"values":[{"boolValue":false},{},null]}}'), [false, null, null]);
	t.deepEqual(attributeOf('{"kvlistValue":{"values":[{"key":"k","value":{"intValue":1}},{"key":"k","value":{"intValue":2}}]}}'), {
		k: 2,
	});
	t.deepEqual(attributeOf('{"arrayValue":{}}'), []);
	t.is(attributeOf('{"futureValue":1}'), null);
});

test('names in snake_case, ids in upper case, names of severities and unknown members are understood', t => {
	const record = `{"time_unix_nano":"1795435200000000000","severity_number":"SEVERITY_NUMBER_ERROR2","event_name":"e","trace_id":"0AF7651916CD43DD8448EB211C80319C",
		"span_id":"B7AD6B7169203331","flags":1,"new":{"deep":[1]},"body":{"string_value":"b"},"attributes":null}`;
	const {events} = read(
		`{"resource_logs":[{"resource":{"attributes":[{"key":"r","value":{"int_value":1}}]},"scope_logs":[{"log_records":[${record}]}]}]}`,
	);
	t.like(events, [
		{
			occurredAt: 1795435200000,
			severity: 18,
			name: 'e',
			message: 'b',
			resource: {r: 1},
			traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
		},
	]);
});

test('an unreadable record is counted and named, and the others are read', t => {
	const bad: readonly [string, RegExp][] = [
		['"traceId":"abc"', /traceId is not 32/],
		['"timeUnixNano":"soon"', /timeUnixNano is not an integer/],
		['"timeUnixNano":1.5', /timeUnixNano is not an integer/],
		['"attributes":{}', /attributes is not an array/],
		['"attributes":["a"]', /an item of attributes is not an object/],
		['"body":{"stringValue":5}', /stringValue is not a string/],
		['"body":{"stringValue":"\\ud800"}', /not valid Unicode/],
		['"body":{"intValue":"9223372036854775808"}', /beyond 64 bits/],
		['"body":{"intValue":1,"boolValue":true}', /more than one value/],
		['"body":{"bytesValue":"%"}', /not base64/],
		[`"body":{"stringValue":"${'x'.repeat(256 * 1024)}"}`, /record larger than 256 KiB/],
	];
	const records = [
		...bad.map(([members]) => `{"severityNumber":17,${members}}`),
		'{"severityNumber":"LOUD"}',
		'7',
		'{"severityNumber":9}',
	];
	for (const [members, expected] of bad) t.regex(read(recordWith(members)).malformedMessage, expected);
	const {events, malformed, records: count} = read(requestWith(records.join(',')));
	t.deepEqual([events.length, malformed, count], [1, bad.length + 2, bad.length + 3]);
});

test('what is no request is ERR_MALFORMED', t => {
	const bodies = [
		'',
		'[]',
		'null',
		'{',
		'{"resourceLogs":{}}',
		'{"resourceLogs":[7]}',
		'{"resourceLogs":[{"scopeLogs":[null]}]}',
		'{"resourceLogs":[{"scopeLogs":[{"logRecords":"x"}]}]}',
	];
	for (const body of bodies) t.throws(() => read(body), {code: 'ERR_MALFORMED'}, body);
	t.throws(() => logs.json(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), receivedAt), {code: 'ERR_MALFORMED'});
});

test('an empty request is a good one', t => {
	for (const body of ['{}', '{"resourceLogs":null}', '{"resourceLogs":[]}', '\ufeff{"unknown":1}', requestWith('')]) {
		t.deepEqual(read(body), {records: 0, malformed: 0, malformedMessage: '', events: []});
	}
});

test('a request nested very deeply is ERR_MALFORMED, for either bracket, in every signal', t => {
	for (const [open, close] of [
		['[', ']'],
		['{"a":', '}'],
	] as const) {
		for (const long of ['', ',"big":12345678901234567']) {
			const bomb = Buffer.from(`{"bomb":${open.repeat(20_000)}1${close.repeat(20_000)}${long}}`);
			for (const {json} of [logs, metrics, traces]) t.throws(() => json(bomb, receivedAt), {code: 'ERR_MALFORMED'});
		}
	}
});

test('brackets and escaped quotes within strings are not nesting', t => {
	const body = JSON.stringify(`${'[{\\"'.repeat(1000)}\\`);
	t.is(read(recordWith(`"body":{"stringValue":${body}}`)).events[0]?.message, JSON.parse(body));
});

test('an attribute nested deeper than 64 costs its record only', t => {
	const list = (inner: string) => `{"arrayValue":{"values":[${inner}]}}`;
	const map = (inner: string) => `{"kvlistValue":{"values":[{"key":"k","value":${inner}}]}}`;
	for (const around of [list, map]) {
		let value = '{"boolValue":true}';
		for (let depth = 1; depth < 64; depth++) value = around(value);
		t.like(read(recordWith(`"body":${value}`)), {records: 1, malformed: 0});
		t.like(read(recordWith(`"body":${around(value)}`)), {records: 1, malformed: 1});
	}
});

test('metrics and spans in JSON, by their own names of things', t => {
	const point =
		'{"timeUnixNano":"1795435200000000000","asInt":"1","attributes":[{"key":"hw.state","value":{"stringValue":"failed"}}]}';
	const metric = (kind: string) =>
		`{"name":"hw.status","${kind}":{"dataPoints":[${point}],"aggregationTemporality":"AGGREGATION_TEMPORALITY_DELTA"}}`;
	const body = `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[${metric('sum')},${metric('histogram')},{"name":"hw.status"}]}]}]}`;
	t.like(metrics.json(Buffer.from(body), receivedAt), {
		records: 2,
		malformed: 0,
		events: [{name: 'hw.status', measurement: {value: 1}}],
	});
	const spans = traces.json(Buffer.from('{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"a"},{},5]}]}]}'), receivedAt);
	t.like(spans, {records: 3, malformed: 1, events: []});
});
