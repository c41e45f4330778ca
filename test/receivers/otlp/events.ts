import test from 'ava';
import {toLogEvent} from '../../../src/receivers/otlp/events.ts';
import {resourceOf} from '../../../src/receivers/otlp/identity.ts';
import type {LogRecord} from '../../../src/receivers/otlp/record.ts';
import {receivedAt} from '../../helpers/otlp/requests.ts';

const nanosOf = (millis: number) => BigInt(millis) * 1_000_000n;

const record: LogRecord = {
	timeUnixNano: nanosOf(receivedAt - 5000),
	observedTimeUnixNano: nanosOf(receivedAt - 1000),
	severityNumber: 17,
	eventName: 'callhome.hardware.alert',
	body: 'Power supply 1 failed',
	attributes: {'hw.id': 'psu1', 'hw.type': 'power_supply', 'hw.name': 'PSU 1', 'hw.state': 'failed'},
	traceId: '0af7651916cd43dd8448eb211c80319c',
	spanId: 'b7ad6b7169203331',
	flags: 0x101,
};
const resource = resourceOf({'host.name': 'db01', site: 'zurich'});
const eventOf = (change: Partial<LogRecord> = {}, of = resource, at = receivedAt) => toLogEvent({...record, ...change}, of, at);
const withAttribute = (name: string, value: string) => ({attributes: {...record.attributes, [name]: value}});

test('an event is the record, with its resource and its trace', t => {
	const {id, ...event} = eventOf();
	t.regex(id, /^[0-9a-f]{32}$/);
	t.deepEqual(event, {
		name: 'callhome.hardware.alert',
		occurredAt: receivedAt - 5000,
		receivedAt,
		severity: 17,
		message: 'Power supply 1 failed',
		resource: {'host.name': 'db01', site: 'zurich'},
		attributes: record.attributes,
		source: 'otlp/logs',
		traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
	});
});

test('the id is the same when the record is delivered again', t => {
	const again = resourceOf({site: 'zurich', 'host.name': 'db01'});
	t.is(eventOf({}, again, receivedAt + 60_000).id, eventOf().id);
	t.is(eventOf({...withAttribute('collector', 'b'), observedTimeUnixNano: 1n}).id, eventOf().id);
});

test('the id differs when anything that makes the event differs', t => {
	const ids = [
		eventOf(),
		eventOf({timeUnixNano: record.timeUnixNano + 1n}),
		eventOf({eventName: 'other'}),
		eventOf({severityNumber: 18}),
		eventOf({body: 'Power supply 2 failed'}),
		eventOf({body: {text: 'Power supply 1 failed'}}),
		...['hw.id', 'hw.type', 'hw.name', 'hw.state'].map(name => eventOf(withAttribute(name, 'x'))),
		eventOf({}, resourceOf({'host.name': 'db02', site: 'zurich'})),
	].map(({id}) => id);
	t.is(new Set(ids).size, ids.length);
});

test('without a time of its own, a record is told apart by the time it was observed, else by the time it came', t => {
	const timeless = {timeUnixNano: 0n};
	t.is(eventOf(timeless).id, eventOf(timeless, resource, receivedAt + 1).id);
	t.not(eventOf(timeless).id, eventOf({...timeless, observedTimeUnixNano: nanosOf(receivedAt)}).id);
	const unobserved = {timeUnixNano: 0n, observedTimeUnixNano: 0n};
	t.not(eventOf(unobserved).id, eventOf(unobserved, resource, receivedAt + 1).id);
});

test('the producer’s own id is taken, and a very long one stands for itself by its digest', t => {
	t.is(eventOf(withAttribute('log.record.uid', '01J9ZK')).id, '01J9ZK');
	const long = eventOf(withAttribute('log.record.uid', 'x'.repeat(129))).id;
	t.regex(long, /^[0-9a-f]{32}$/);
	t.not(long, eventOf(withAttribute('log.record.uid', 'x'.repeat(130))).id);
	t.is(eventOf(withAttribute('log.record.uid', '')).id, eventOf().id);
});

test('a time that no working clock shows is kept as sent, and ours is used', t => {
	const day = 86_400_000;
	const original = (timeUnixNano: bigint, observedTimeUnixNano = 0n) => {
		const {occurredAt, attributes} = eventOf({timeUnixNano, observedTimeUnixNano});
		return [occurredAt - receivedAt, attributes['callhome.original_time_unix_nano']];
	};
	t.deepEqual(original(nanosOf(receivedAt + day)), [day, undefined]);
	t.deepEqual(original(nanosOf(receivedAt + day + 1)), [0, String(nanosOf(receivedAt + day + 1))]);
	t.deepEqual(original(nanosOf(Date.UTC(1999, 11, 31))), [0, String(nanosOf(Date.UTC(1999, 11, 31)))]);
	t.deepEqual(original(2n ** 64n - 1n), [0, '18446744073709551615']);
	t.deepEqual(original(-1n), [0, '-1']);
	t.deepEqual(original(0n, nanosOf(receivedAt - 7)), [-7, undefined]);
	t.deepEqual(original(0n, 5n), [0, '5']);
	t.deepEqual(original(0n), [0, undefined]);
});

test('the message is the body: its text, or JSON of it, and not without end', t => {
	t.is(eventOf({body: null}).message, '');
	t.is(eventOf({body: {b: [1, 9007199254740993n], a: null}}).message, '{"a":null,"b":[1,9007199254740993]}');
	t.is(eventOf({body: 'x'.repeat(10_001)}).message.length, 10_000);
	t.true(eventOf({body: `${'x'.repeat(9999)}😀`}).message.isWellFormed());
});

test('a trace without a span, or one of zeros, is no trace', t => {
	t.is(eventOf({spanId: ''}).traceparent, undefined);
	t.is(eventOf({traceId: '0'.repeat(32)}).traceparent, undefined);
	t.false('traceparent' in eventOf({traceId: ''}));
});

test('severities beyond OTLP’s range are read as its ends', t => {
	t.is(eventOf({severityNumber: 99}).severity, 24);
	t.is(eventOf({severityNumber: -3}).severity, 0);
});

test('an attribute called __proto__ is one like any other', t => {
	const attributes = Object.fromEntries([['__proto__', 'mine']]);
	const event = eventOf({attributes});
	t.true(Object.hasOwn(event.attributes, '__proto__'));
	t.is(Object.getPrototypeOf(event.attributes), Object.prototype);
});
