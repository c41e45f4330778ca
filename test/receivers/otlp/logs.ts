import {deepStrictEqual} from 'node:assert/strict';
import {fromBinary} from '@bufbuild/protobuf';
import test from 'ava';
import fc from 'fast-check';
import {isBridgeError} from '../../../src/errors.ts';
import {createReaders, type Reading} from '../../../src/receivers/otlp/reading.ts';
import {type Selection, selectionSchema} from '../../../src/receivers/otlp/selection.ts';
import {jsonOf, protobufOf, rewritten} from '../../helpers/otlp/encodings.ts';
import {LogsDataSchema} from '../../helpers/otlp/logs_pb.ts';
import {expectedLogs} from '../../helpers/otlp/reference.ts';
import {logsRequest, receivedAt, selectionConfig} from '../../helpers/otlp/requests.ts';

const selection = selectionConfig.map(config => selectionSchema.parse(config));
const read = (rules: Selection, body: Uint8Array): Reading => createReaders(rules).logs.protobuf(body, receivedAt);

const withoutMessage = ({records, malformed, events}: Reading) => ({records, malformed, events});

test('skimming selects what decoding everything and filtering it does', t => {
	let selected = 0;
	fc.assert(
		fc.property(selection, logsRequest, (rules, request) => {
			const body = protobufOf(LogsDataSchema, request);
			const expected = expectedLogs(body, rules, receivedAt);
			selected += expected.events.length;
			deepStrictEqual(withoutMessage(read(rules, body)), expected);
		}),
		{numRuns: 500},
	);
	t.true(selected > 100, `only ${selected} records were selected: the property says little`);
});

test('reordered, repeated and unknown fields make no difference to what protobuf-es reads', t => {
	let selected = 0;
	fc.assert(
		fc.property(selection, logsRequest, fc.infiniteStream(fc.nat()), (rules, request, stream) => {
			const chance = (bound: number) => (bound === 0 ? 0 : (stream.next().value ?? 0) % bound);
			const body = rewritten(LogsDataSchema, protobufOf(LogsDataSchema, request), chance);
			const expected = expectedLogs(body, rules, receivedAt);
			selected += expected.events.length;
			deepStrictEqual(withoutMessage(read(rules, body)), expected);
		}),
		{numRuns: 400},
	);
	t.true(selected > 80, `only ${selected} records were selected: the property says little`);
});

test('protobuf and JSON of one request give the same events', t => {
	t.notThrows(() =>
		fc.assert(
			fc.property(selection, logsRequest, (rules, request) => {
				const {logs} = createReaders(rules);
				const fromProtobuf = logs.protobuf(protobufOf(LogsDataSchema, request), receivedAt);
				const fromJson = logs.json(jsonOf(LogsDataSchema, request), receivedAt);
				deepStrictEqual(withoutMessage(fromJson), withoutMessage(fromProtobuf));
			}),
			{numRuns: 300},
		),
	);
});

/** What came of it: the number of events, or the code of the error. */
function outcomeOf(reading: () => {readonly events: readonly unknown[]}): number | 'malformed' {
	try {
		return reading().events.length;
	} catch (error) {
		if (error instanceof RangeError || !isBridgeError(error, 'ERR_MALFORMED')) throw error;
		return 'malformed';
	}
}

function decodes(body: Uint8Array): boolean {
	try {
		fromBinary(LogsDataSchema, body);
		return true;
	} catch {
		return false;
	}
}

test('a request cut off anywhere is malformed, unless what is left is a request itself', t => {
	const rules = selectionSchema.parse(undefined);
	fc.assert(
		fc.property(logsRequest, request => {
			const body = protobufOf(LogsDataSchema, request).subarray(0, 1500);
			for (let length = 0; length < body.length; length++) {
				const part = body.slice(0, length);
				const expected = decodes(part) ? expectedLogs(part, rules, receivedAt).events.length : 'malformed';
				t.is(
					outcomeOf(() => read(rules, part)),
					expected,
				);
			}
		}),
		{numRuns: 20},
	);
});

test('changed bytes give a reading or ERR_MALFORMED, never anything else', t => {
	const readers = createReaders(
		selectionSchema.parse({logs: {all: {min_severity: 1}, any: {any_attribute: ['hw.id', 'state']}}}),
	).logs;
	const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), {minLength: 1, maxLength: 6});
	for (const [encoding, encode] of [
		['protobuf', protobufOf],
		['json', jsonOf],
	] as const) {
		fc.assert(
			fc.property(logsRequest, changes, (request, edits) => {
				const body = Buffer.from(encode(LogsDataSchema, request));
				for (const [at, byte] of edits) if (body.length > 0) body[at % body.length] = byte;
				const outcome = outcomeOf(() => {
					const reading = readers[encoding](body, receivedAt);
					t.true(reading.events.length + reading.malformed <= reading.records);
					t.is(reading.malformed > 0, reading.malformedMessage !== '');
					return reading;
				});
				t.true(outcome === 'malformed' || outcome >= 0);
			}),
			{numRuns: 1000},
		);
	}
});

test('random bytes give a reading or ERR_MALFORMED, for every signal and encoding', t => {
	const readers = createReaders(selectionSchema.parse(undefined));
	fc.assert(
		fc.property(
			fc.uint8Array({maxLength: 300}),
			fc.constantFrom('logs', 'metrics', 'traces'),
			fc.constantFrom('protobuf', 'json'),
			(body, signal, encoding) => {
				const outcome = outcomeOf(() => readers[signal][encoding](body, receivedAt));
				t.true(outcome === 'malformed' || outcome >= 0);
			},
		),
		{numRuns: 1000},
	);
});
