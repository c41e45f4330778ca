import {BinaryWriter, WireType} from '@bufbuild/protobuf/wire';
import test from 'ava';
import {createReaders} from '../../../src/receivers/otlp/reading.ts';
import {selectionSchema} from '../../../src/receivers/otlp/selection.ts';
import {protobufOf} from '../../helpers/otlp/encodings.ts';
import {LogsDataSchema} from '../../helpers/otlp/logs_pb.ts';
import {receivedAt} from '../../helpers/otlp/requests.ts';
import {TracesDataSchema} from '../../helpers/otlp/trace_pb.ts';

const {logs, metrics, traces} = createReaders(selectionSchema.parse({logs: {all: {min_severity: 17}}}));
const read = (body: Uint8Array) => logs.protobuf(body, receivedAt);

const message = (number: number, ...contents: readonly Uint8Array[]): Uint8Array =>
	new BinaryWriter().tag(number, WireType.LengthDelimited).bytes(Buffer.concat(contents)).finish();
const request = (...records: readonly Uint8Array[]) => message(1, message(2, ...records.map(record => message(2, record))));
const severity = (value: number) => Uint8Array.of(0x10, value);
const text = (value: string | Uint8Array) => message(1, typeof value === 'string' ? Buffer.from(value) : value);
const attribute = (key: string | Uint8Array, value: Uint8Array) => message(6, text(key), message(2, value));

const fine = Buffer.concat([severity(17), message(5, text('fine'))]);

/** The bad record is counted and named; the good one behind it is read. */
const costsItself = test.macro((t, bad: Uint8Array, expected: RegExp) => {
	const {records, malformed, malformedMessage, events} = read(request(bad, fine));
	t.deepEqual([records, malformed, events.map(event => event.message)], [2, 1, ['fine']]);
	t.regex(malformedMessage, expected);
	t.true(malformedMessage.startsWith('record 1: '));
});

const notUtf8 = Uint8Array.of(0x61, 0xff, 0x62);
test('invalid UTF-8 in a body', costsItself, Buffer.concat([severity(17), message(5, text(notUtf8))]), /not valid UTF-8/);
test(
	'invalid UTF-8 in an attribute key',
	costsItself,
	Buffer.concat([severity(17), attribute(notUtf8, text('x'))]),
	/not valid UTF-8/,
);
test(
	'a trace id of the wrong length',
	costsItself,
	Buffer.concat([severity(17), message(9, new Uint8Array(15))]),
	/trace_id has 15 bytes/,
);
test(
	'a span id of the wrong length',
	costsItself,
	Buffer.concat([severity(17), message(10, new Uint8Array(9))]),
	/span_id has 9 bytes/,
);
test('a field that reaches beyond its record', costsItself, Uint8Array.of(0x32, 0x05, 0x0a), /beyond the end/);
test('a fixed64 that reaches beyond its record', costsItself, Uint8Array.of(0x09, 1, 2), /beyond the end/);
test(
	'a double that reaches beyond its value',
	costsItself,
	Buffer.concat([severity(17), message(5, Uint8Array.of(0x21, 1, 2))]),
	/beyond the end/,
);
test('field number 0', costsItself, Uint8Array.of(0x02, 0x01, 0x00), /illegal field number/);
test('wire type 7', costsItself, Uint8Array.of(0x0f, 0x01), /illegal wire type 7/);
test('a varint of eleven bytes', costsItself, Uint8Array.of(0x10, ...new Array(10).fill(0xff), 1), /longer than 10 bytes/);
test('a group that ends before it began', costsItself, Uint8Array.of(0x0c), /did not begin/);
test('a group that ends as another', costsItself, Uint8Array.of(0x0b, 0x14), /did not begin/);
test('3000 nested groups', costsItself, new Uint8Array(3000).fill(0x0b), /groups nested deeper/);
test(
	'a record of more than 256 KiB',
	costsItself,
	Buffer.concat([severity(17), message(5, text('x'.repeat(256 * 1024)))]),
	/record larger than 256 KiB/,
);

const nested = (depth: number): Uint8Array => {
	let value = text('deep');
	for (let level = 1; level < depth; level++)
		value = level % 2 ? message(5, message(1, value)) : message(6, message(1, message(2, value)));
	return value;
};
test(
	'an attribute nested 3000 levels',
	costsItself,
	Buffer.concat([severity(17), attribute('a', nested(3000))]),
	/nested deeper than 64/,
);
test('a body nested 65 levels', costsItself, Buffer.concat([severity(17), message(5, nested(65))]), /nested deeper than 64/);

test('64 levels are read', t => {
	const {malformed, events} = read(request(Buffer.concat([severity(17), message(5, nested(64))])));
	t.deepEqual([malformed, events.length], [0, 1]);
});

test('a byte-order mark at the beginning of a text is part of it', t => {
	const [event] = read(request(Buffer.concat([severity(17), message(5, text('\ufeffa'))]))).events;
	t.is(event?.message, '\ufeffa');
});

test('what is not selected is not decoded', t => {
	const unread = Buffer.concat([
		severity(9),
		message(5, nested(3000)),
		attribute('a', text(notUtf8)),
		message(9, new Uint8Array(3)),
	]);
	t.like(read(request(unread)), {records: 1, malformed: 0, events: []});
});

test('a key of 64 KiB is a key like any other, and found when a rule names it', t => {
	const key = 'k'.repeat(64 * 1024);
	const record = Buffer.concat([severity(1), attribute(key, text('v')), attribute('hw.id', text('x'))]);
	const {logs: byKey} = createReaders(selectionSchema.parse({logs: {long: {any_attribute: [key]}}}));
	t.is(byKey.protobuf(request(record), receivedAt).events[0]?.attributes[key], 'v');
	t.is(byKey.protobuf(request(severity(1)), receivedAt).events.length, 0);
});

test('the last of a key counts, for the selection and for the event', t => {
	const codes = createReaders(selectionSchema.parse({logs: {code: {attributes: {code: 'E*'}}}})).logs;
	const record = (first: string, last: string) => Buffer.concat([attribute('code', text(first)), attribute('code', text(last))]);
	const {events} = codes.protobuf(request(record('E1', 'W1'), record('W2', 'E2')), receivedAt);
	t.deepEqual(
		events.map(event => event.attributes),
		[{code: 'E2'}],
	);
});

test('__proto__ is a key like any other, at any depth', t => {
	const map = message(6, message(1, text('__proto__'), message(2, text('inner'))));
	const [event] = read(request(Buffer.concat([severity(17), attribute('__proto__', map)]))).events;
	const attributes = event?.attributes ?? {};
	t.is(Object.getPrototypeOf(attributes), Object.prototype);
	t.is(JSON.stringify(attributes), '{"__proto__":{"__proto__":"inner"}}');
});

test('a resource is found behind its records, and costs those when it cannot be read', t => {
	const records = message(2, message(2, fine), message(2, severity(9)));
	const resource = (value: Uint8Array) => message(1, message(1, text('host.name'), message(2, value)));
	const good = message(1, records, resource(text('a')), resource(text('b')));
	const bad = message(1, records, resource(text(notUtf8)));
	const large = message(1, records, resource(text('x'.repeat(64 * 1024))));
	const {malformed, events, records: count} = read(Buffer.concat([good, bad, large]));
	t.deepEqual([count, malformed, events.map(event => event.resource)], [6, 2, [{'host.name': 'b'}]]);
	t.regex(read(large).malformedMessage, /resource larger than 64 KiB/);
});

test('a request that is garbage around its records is ERR_MALFORMED', t => {
	const bodies = [
		Uint8Array.of(0xff),
		Uint8Array.of(0x0a, 0x05, 1),
		message(1, Uint8Array.of(0x12, 0x7f)),
		message(1, message(2, Uint8Array.of(0x12))),
	];
	for (const {protobuf} of [logs, metrics, traces])
		for (const body of bodies) t.throws(() => protobuf(body, receivedAt), {code: 'ERR_MALFORMED'});
});

test('an empty body is a request without records', t => {
	for (const {protobuf} of [logs, metrics, traces]) t.like(protobuf(new Uint8Array(), receivedAt), {records: 0, malformed: 0});
});

test('a flood of unreadable records, or of events, refuses the request instead of working on it', t => {
	const flood = (record: Uint8Array, count: number) => {
		const one = message(2, record);
		return message(1, message(2, Buffer.concat(new Array<Uint8Array>(count).fill(one))));
	};
	t.is(read(flood(Uint8Array.of(0x12), 10_000)).malformed, 10_000);
	t.throws(() => read(flood(Uint8Array.of(0x12), 10_001)), {
		code: 'ERR_MALFORMED',
		message: /more than 10000 unreadable records/,
	});
	t.throws(() => read(flood(severity(17), 50_001)), {code: 'ERR_MALFORMED', message: /smaller batches/});
});

test('spans are counted, and one whose fields do not fit is counted as malformed', t => {
	const body = protobufOf(TracesDataSchema, {resourceSpans: [{scopeSpans: [{spans: [{name: 'a', kind: 2}, {name: 'b'}]}]}]});
	t.like(traces.protobuf(body, receivedAt), {records: 2, malformed: 0, events: []});
	t.like(traces.protobuf(request(Uint8Array.of(0x0a, 9), severity(1)), receivedAt), {records: 2, malformed: 1, events: []});
});

test('a view into a larger buffer is read as what it is', t => {
	const body = protobufOf(LogsDataSchema, {
		resourceLogs: [{scopeLogs: [{logRecords: [{severityNumber: 17, timeUnixNano: BigInt(receivedAt) * 1_000_000n}]}]}],
	});
	const larger = Buffer.concat([Buffer.alloc(7, 0xff), body, Buffer.alloc(9, 0xff)]);
	t.like(read(larger.subarray(7, 7 + body.length)), {records: 1, events: [{occurredAt: receivedAt}]});
});
