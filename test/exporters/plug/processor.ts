import {setTimeout as pause} from 'node:timers/promises';
import {resourceFromAttributes} from '@opentelemetry/resources';
import type {LogRecordProcessor, ReadWriteLogRecord} from '@opentelemetry/sdk-logs';
import test from 'ava';
import fc from 'fast-check';
import {CallHomeLogRecordProcessor} from '../../../exporters/index.ts';
import {BridgeError} from '../../../src/errors.ts';
import type {HardwareEvent} from '../../../src/event.ts';
import {eventually} from '../../helpers/listen.ts';
import {alertOf, host, intakeWith, startLogger, storeFull} from '../../helpers/plug.ts';

/** A processor as somebody might put it behind ours. */
const changing = (change: (record: ReadWriteLogRecord) => void): LogRecordProcessor => ({
	onEmit: record => change(record),
	forceFlush: async () => {},
	shutdown: async () => {},
});

test('selects by the rules of the OTLP intake; the others never reach the bridge', async t => {
	const {callHome, drives, calls} = intakeWith();
	const {provider, logger} = startLogger(t, [new CallHomeLogRecordProcessor(callHome)]);
	logger.emit({body: 'started'});
	logger.emit({severityNumber: 17, body: 'a request failed'});
	logger.emit({severityNumber: 13, attributes: {'hw.id': 'too-mild'}});
	logger.emit({eventName: 'callhome.heartbeat', attributes: {'hw.id': 'another-event'}});
	await provider.forceFlush();
	t.deepEqual(calls, []);
	logger.emit({severityNumber: 17, attributes: {'hw.id': 'by-severity'}});
	logger.emit(alertOf('by-name', {severityNumber: 5}));
	logger.emit({attributes: {'event.name': 'callhome.hardware.alert', 'hw.id': 'by-attribute'}});
	await provider.forceFlush();
	t.deepEqual(drives(), ['by-severity', 'by-name', 'by-attribute']);
	t.deepEqual(calls, [3], 'what is emitted together is stored together');
});

test('takes the record as it was when it was emitted', async t => {
	const {callHome, taken} = intakeWith();
	const rename = changing(record => record.setAttribute('hw.id', 'renamed').setBody('changed').setEventName('other'));
	const {provider, logger} = startLogger(t, [new CallHomeLogRecordProcessor(callHome), rename]);
	const body = {slot: 3};
	const attributes = {'hw.id': 'drive-3', place: {bay: 1}};
	logger.emit(alertOf('drive-3', {body, attributes}));
	body.slot = 4;
	attributes.place.bay = 2;
	await provider.forceFlush();
	t.like(taken, {
		length: 1,
		0: {name: 'callhome.hardware.alert', message: '{"slot":3}', attributes: {'hw.id': 'drive-3', place: {bay: 1}}},
	});
});

test('takes what an earlier processor has put there', async t => {
	const {callHome, drives} = intakeWith();
	const enrich = changing(record => record.setAttribute('hw.id', `rack-7/${record.attributes['hw.id']}`));
	const {provider, logger} = startLogger(t, [enrich, new CallHomeLogRecordProcessor(callHome)]);
	logger.emit(alertOf('drive-1'));
	await provider.forceFlush();
	t.deepEqual(drives(), ['rack-7/drive-1']);
});

test("the bridge's own records are no events", async t => {
	const {callHome, calls} = intakeWith();
	const {provider, logger} = startLogger(t, [new CallHomeLogRecordProcessor(callHome)], {scope: 'callhome-bridge'});
	logger.emit(alertOf('drive-1'));
	await provider.forceFlush();
	t.deepEqual(calls, []);
});

test('forceFlush rejects while the store refuses; the events stay, in order, until it takes them', async t => {
	let full = true;
	const {callHome, drives} = intakeWith(() => {
		if (full) throw storeFull();
	});
	const processor = new CallHomeLogRecordProcessor(callHome);
	const {logger} = startLogger(t, [processor]);
	logger.emit(alertOf('drive-1'));
	await t.throwsAsync(processor.forceFlush(), {
		instanceOf: BridgeError,
		code: 'ERR_STORE_FULL',
		message: '1 hardware event(s) not on disk: the store cannot write: database or disk is full',
	});
	logger.emit(alertOf('drive-2'));
	await t.throwsAsync(processor.forceFlush(), {message: /^2 hardware event/});
	full = false;
	await processor.forceFlush();
	t.deepEqual(drives(), ['drive-1', 'drive-2']);
	await processor.forceFlush();
});

test('what was refused is tried again without being asked, with longer and longer pauses', async t => {
	const attempts: number[] = [];
	const {callHome, drives} = intakeWith(() => {
		attempts.push(performance.now());
		if (attempts.length <= 4) throw new BridgeError('ERR_STORE_BUSY', 'locked');
	});
	const options = {initialIntervalMillis: 40, maxIntervalMillis: 100};
	const {logger} = startLogger(t, [new CallHomeLogRecordProcessor(callHome, options)]);
	logger.emit(alertOf('drive-1'));
	await eventually(() => drives().length === 1);
	const pauses = attempts.slice(1).map((at, index) => at - (attempts[index] ?? 0));
	for (const [index, least] of [40, 80, 100, 100].entries()) t.true((pauses[index] ?? 0) >= least - 2, `${pauses}`);
});

test('no more than the bound waits: one more is lost, and forceFlush names how many', async t => {
	let full = true;
	const {callHome, drives} = intakeWith(() => {
		if (full) throw storeFull();
	});
	const processor = new CallHomeLogRecordProcessor(callHome);
	const {logger} = startLogger(t, [processor]);
	for (let index = 1; index <= 10_001; index++) logger.emit(alertOf(`drive-${index}`));
	const error = await t.throwsAsync(processor.forceFlush(), {code: 'ERR_STORE_FULL', message: /^10000 hardware event/});
	t.regex(error?.message ?? '', /; 1 hardware event\(s\) lost, the last because 10000 wait already/);
	full = false;
	logger.emit(alertOf('too-late'));
	await t.throwsAsync(processor.forceFlush(), {message: /^1 hardware event\(s\) lost/});
	t.is(drives().length, 10_000);
	t.is(drives().at(-1), 'drive-10000');
	logger.emit(alertOf('drive-10002'));
	await processor.forceFlush();
	t.is(drives().at(-1), 'drive-10002', 'a loss is told once');
});

test('a loss is told to every flush that waits for it', async t => {
	const {callHome} = intakeWith();
	const processor = new CallHomeLogRecordProcessor(callHome, {maxQueueSize: 1});
	const {logger} = startLogger(t, [processor]);
	logger.emit(alertOf('drive-1'));
	logger.emit(alertOf('drive-2'));
	const flushes = await Promise.allSettled([processor.forceFlush(), processor.forceFlush()]);
	t.deepEqual(
		flushes.map(({status}) => status),
		['rejected', 'rejected'],
	);
	await processor.forceFlush();
});

test('forceFlush does not wait longer than it is told, nor for what was emitted after it', async t => {
	const {promise: gate, resolve: open} = Promise.withResolvers<void>();
	let first = true;
	const {callHome, drives} = intakeWith(async () => {
		if (!first) throw storeFull();
		first = false;
		await gate;
	});
	const processor = new CallHomeLogRecordProcessor(callHome);
	const {logger} = startLogger(t, [processor]);
	logger.emit(alertOf('drive-1'));
	await t.throwsAsync(processor.forceFlush({timeoutMillis: 50}), {
		code: 'ERR_STORE_BUSY',
		message: '1 hardware event(s) not on disk: no answer from the store within 50 ms',
	});
	const flushing = processor.forceFlush();
	logger.emit(alertOf('drive-2'));
	open();
	await flushing;
	t.deepEqual(drives(), ['drive-1']);
});

test('one event that the bridge cannot cope with does not keep the others from the store', async t => {
	const {callHome, drives} = intakeWith(events => {
		if (events.some(({attributes}) => attributes['hw.id'] === 'poison')) throw new TypeError('cannot read it');
	});
	const processor = new CallHomeLogRecordProcessor(callHome);
	const {logger} = startLogger(t, [processor]);
	for (const drive of ['drive-1', 'poison', 'drive-2']) logger.emit(alertOf(drive));
	await t.throwsAsync(processor.forceFlush(), {
		instanceOf: BridgeError,
		message: '1 hardware event(s) not on disk: an event was not taken: cannot read it',
	});
	t.deepEqual(drives(), ['drive-1', 'drive-2']);
});

test('shutdown stores what waits, and then refuses', async t => {
	const {callHome, drives} = intakeWith();
	const processor = new CallHomeLogRecordProcessor(callHome);
	const {logger} = startLogger(t, [processor]);
	logger.emit(alertOf('drive-1'));
	const ending = processor.shutdown();
	t.is(processor.shutdown(), ending);
	await ending;
	t.deepEqual(drives(), ['drive-1']);
	await processor.forceFlush();
	logger.emit(alertOf('drive-2'));
	await t.throwsAsync(processor.forceFlush(), {code: 'ERR_SHUTTING_DOWN', message: /^1 hardware event\(s\) lost/});
	t.deepEqual(drives(), ['drive-1']);
});

test('shutdown rejects when the store refuses, and tries no more', async t => {
	const {callHome, calls} = intakeWith(() => {
		throw storeFull();
	});
	const processor = new CallHomeLogRecordProcessor(callHome, {initialIntervalMillis: 10});
	const {logger} = startLogger(t, [processor]);
	logger.emit(alertOf('drive-1'));
	await t.throwsAsync(processor.shutdown(), {code: 'ERR_STORE_FULL'});
	const attempts = calls.length;
	await pause(100);
	t.is(calls.length, attempts);
});

test('an alert waits for attributes of its resource that are still looked for', async t => {
	const {callHome, taken} = intakeWith();
	const {promise: hostId, resolve} = Promise.withResolvers<string>();
	const resource = resourceFromAttributes({...host, 'host.id': hostId});
	const rename = changing(record => record.setAttribute('hw.id', 'renamed'));
	const {provider, logger} = startLogger(t, [new CallHomeLogRecordProcessor(callHome), rename], {resource});
	logger.emit(alertOf('drive-1'));
	const flushing = provider.forceFlush();
	await pause(20);
	t.deepEqual(taken, []);
	resolve('4c4c4544');
	await flushing;
	t.like(taken, {length: 1, 0: {resource: {...host, 'host.id': '4c4c4544'}, attributes: {'hw.id': 'drive-1'}}});
});

test('attributes of the resource that never come do not keep an alert for ever', async t => {
	const {callHome, drives} = intakeWith();
	const resource = resourceFromAttributes({...host, 'host.id': new Promise<string>(() => {})});
	const {logger} = startLogger(t, [new CallHomeLogRecordProcessor(callHome)], {resource});
	logger.emit(alertOf('drive-1'));
	await eventually(() => drives().length === 1);
	t.deepEqual(drives(), ['drive-1']);
});

test('a body that cannot be read does not cost the alert', async t => {
	const {callHome, taken} = intakeWith();
	const {provider, logger} = startLogger(t, [new CallHomeLogRecordProcessor(callHome)]);
	const cyclic: Record<string, unknown> = {};
	cyclic.self = cyclic;
	const throwing = Object.defineProperty({}, 'slot', {
		enumerable: true,
		get() {
			throw {toString: () => Promise.reject};
		},
	});
	for (const [index, body] of [cyclic, throwing, 'x'.repeat(300_000)].entries())
		logger.emit(alertOf(`drive-${index}`, {body: body as string}));
	await provider.forceFlush();
	t.is(taken.length, 3);
	for (const {message} of taken) t.regex(message, /^the body of the record cannot be read: /);
});

test('an alert that cannot be read at all is counted as lost', async t => {
	const {callHome} = intakeWith();
	const processor = new CallHomeLogRecordProcessor(callHome);
	const {logger} = startLogger(t, [processor]);
	logger.emit(alertOf('drive-1', {attributes: {dump: 'x'.repeat(300_000)}}));
	await t.throwsAsync(processor.forceFlush(), {
		code: 'ERR_MALFORMED',
		message: /^1 hardware event\(s\) lost, the last because a log record cannot be read: .*record larger than 256 KiB$/,
	});
});

test('records of an older SDK, which lack fields, are read', async t => {
	const {callHome, taken} = intakeWith();
	const processor = new CallHomeLogRecordProcessor(callHome);
	const older = {
		hrTime: [Math.floor(Date.now() / 1000), 0],
		severityNumber: 17,
		body: 'Fan 3 stands still',
		resource: {attributes: host},
		instrumentationScope: {name: 'raid-watch'},
		attributes: {'hw.id': 'fan-3'},
	};
	processor.onEmit(older as unknown as ReadWriteLogRecord);
	await processor.forceFlush();
	t.like(taken, {length: 1, 0: {name: '', message: 'Fan 3 stands still', severity: 17, resource: host}});
});

test('whatever a record holds: onEmit does not throw, and what is flushed is an event or told as lost', async t => {
	const hostile = fc.anything({withBigInt: true, withDate: true, withMap: true, withNullPrototype: true, withTypedArray: true});
	const alert = fc.record({
		attributes: fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('hw.id', 'event.name', '__proto__')), hostile),
		body: hostile,
		severityNumber: fc.oneof(fc.constant(17), fc.integer(), fc.double()),
		eventName: fc.oneof(fc.constant('callhome.hardware.alert'), hostile),
	});
	await fc.assert(
		fc.asyncProperty(fc.array(alert, {maxLength: 5}), async records => {
			const {callHome, taken} = intakeWith();
			const processor = new CallHomeLogRecordProcessor(callHome);
			for (const fields of records) {
				const record = {
					...fields,
					hrTime: [1_795_435_200, 0],
					hrTimeObserved: [1_795_435_200, 0],
					resource: {attributes: host},
					instrumentationScope: {name: 'raid-watch'},
				};
				processor.onEmit(record as unknown as ReadWriteLogRecord);
			}
			await processor.forceFlush().catch(error => t.is(error.code, 'ERR_MALFORMED'));
			t.true(taken.every((event: HardwareEvent) => event.source === 'plug'));
		}),
		{numRuns: 300},
	);
});
