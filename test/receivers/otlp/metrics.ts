import {deepStrictEqual} from 'node:assert/strict';
import test from 'ava';
import fc from 'fast-check';
import type {HardwareEvent} from '../../../src/event.ts';
import {createReaders} from '../../../src/receivers/otlp/reading.ts';
import {selectionSchema} from '../../../src/receivers/otlp/selection.ts';
import {jsonOf, protobufOf, rewritten} from '../../helpers/otlp/encodings.ts';
import {MetricsDataSchema} from '../../helpers/otlp/metrics_pb.ts';
import {expectedPoints} from '../../helpers/otlp/reference.ts';
import {metricsRequest, receivedAt, selectionConfig} from '../../helpers/otlp/requests.ts';

const selection = selectionConfig.map(config => selectionSchema.parse(config));

/** The part of an event that the reference works out on its own. */
function comparable({name, resource, attributes, measurement}: HardwareEvent) {
	const {'callhome.original_time_unix_nano': _, ...rest} = attributes;
	return {
		name,
		resource,
		attributes: rest,
		measurement: {metric: measurement?.metric, value: measurement?.value, kind: measurement?.kind},
	};
}

test('points are selected as decoding everything and filtering it does, however the request is written', t => {
	let selected = 0;
	fc.assert(
		fc.property(selection, metricsRequest, fc.boolean(), fc.infiniteStream(fc.nat()), (rules, request, usual, stream) => {
			const chance = (bound: number) => (bound === 0 ? 0 : (stream.next().value ?? 0) % bound);
			const written = protobufOf(MetricsDataSchema, request);
			const body = usual ? written : rewritten(MetricsDataSchema, written, chance);
			const {records, malformed, events} = createReaders(rules).metrics.protobuf(body, receivedAt);
			const expected = expectedPoints(body, rules);
			selected += expected.events.length;
			deepStrictEqual({records, malformed, events: events.map(comparable)}, expected);
		}),
		{numRuns: 600},
	);
	t.true(selected > 50, `only ${selected} points were selected: the property says little`);
});

test('protobuf and JSON of one request give the same events', t => {
	t.notThrows(() =>
		fc.assert(
			fc.property(selection, metricsRequest, (rules, request) => {
				const {metrics} = createReaders(rules);
				const fromProtobuf = metrics.protobuf(protobufOf(MetricsDataSchema, request), receivedAt);
				deepStrictEqual(metrics.json(jsonOf(MetricsDataSchema, request), receivedAt), fromProtobuf);
			}),
			{numRuns: 300},
		),
	);
});

const text = (value: string) => ({value: {case: 'stringValue' as const, value}});
const time = BigInt(receivedAt) * 1_000_000n;

type PointInit = {readonly attributes: Record<string, string>; readonly value?: number; readonly flags?: number};

function request(name: string, points: readonly PointInit[], temporality?: number): Uint8Array {
	const dataPoints = points.map(({attributes, value, flags = 0}) => ({
		timeUnixNano: time,
		flags,
		attributes: Object.entries(attributes).map(([key, value]) => ({key, value: text(value)})),
		...(value === undefined ? {} : {value: {case: 'asInt' as const, value: BigInt(value)}}),
	}));
	const data =
		temporality === undefined
			? {case: 'gauge' as const, value: {dataPoints}}
			: {case: 'sum' as const, value: {dataPoints, aggregationTemporality: temporality}};
	const resource = {attributes: [{key: 'host.name', value: text('db01')}]};
	return protobufOf(MetricsDataSchema, {resourceMetrics: [{resource, scopeMetrics: [{metrics: [{name, data}]}]}]});
}

const readers = createReaders(selectionSchema.parse(undefined));
const eventsOf = (body: Uint8Array, at = receivedAt) => readers.metrics.protobuf(body, at).events;

test('each point of a failure state is an event, one and zero, from sums and gauges', t => {
	const states: PointInit[] = [
		{attributes: {'hw.id': 'psu0', 'hw.state': 'failed'}, value: 1},
		{attributes: {'hw.id': 'psu0', 'hw.state': 'ok'}, value: 0},
		{attributes: {'hw.id': 'psu0', 'hw.state': 'predicted_failure'}, value: 0},
	];
	for (const temporality of [undefined, 2]) {
		const events = eventsOf(request('hw.status', states, temporality));
		t.like(events, [
			{message: 'hw.status failed = 1', severity: 17, source: 'otlp/metrics', measurement: {kind: 'state', value: 1}},
			{message: 'hw.status predicted_failure = 0', severity: 13, measurement: {kind: 'state', value: 0}},
		]);
		t.is(events.length, 2);
		t.not(events[0]?.measurement?.series, events[1]?.measurement?.series);
	}
});

test('older names of state, id and name are selected and get the prefixed ones', t => {
	const [event] = eventsOf(request('hw.status', [{attributes: {state: 'failed', id: 'fan1', name: 'Fan 1'}, value: 1}]));
	t.deepEqual(event?.attributes, {
		state: 'failed',
		id: 'fan1',
		name: 'Fan 1',
		'hw.state': 'failed',
		'hw.id': 'fan1',
		'hw.name': 'Fan 1',
	});
});

test('a series is the same in the next export, and its point another event', t => {
	const point = (value: number) => request('hw.status', [{attributes: {'hw.id': 'a', 'hw.state': 'failed'}, value}]);
	const [first] = eventsOf(point(1));
	const [again] = eventsOf(point(1), receivedAt + 5000);
	const [later] = eventsOf(point(0));
	t.is(again?.id, first?.id);
	t.not(later?.id, first?.id);
	t.is(later?.measurement?.series, first?.measurement?.series);
});

test('errors are a count from a cumulative sum and an increase from a delta', t => {
	const points = [
		{attributes: {'hw.id': 'dimm3', 'error.type': 'uncorrected'}, value: 7},
		{attributes: {'hw.id': 'dimm3', 'error.type': 'corrected'}, value: 0},
	];
	t.like(eventsOf(request('hw.errors', points, 2)), [
		{message: 'hw.errors uncorrected = 7', severity: 17, measurement: {kind: 'count', value: 7}},
		{message: 'hw.errors corrected = 0', severity: 13, measurement: {kind: 'count', value: 0}},
	]);
	t.like(eventsOf(request('hw.errors', points, 1)), [{measurement: {kind: 'increase'}}, {measurement: {kind: 'increase'}}]);
});

test('a point without a recorded value is counted, not selected', t => {
	const body = request('hw.status', [
		{attributes: {'hw.state': 'failed'}, value: 1, flags: 1},
		{attributes: {'hw.state': 'failed'}},
	]);
	const {records, malformed, events} = readers.metrics.protobuf(body, receivedAt);
	t.deepEqual({records, malformed, events}, {records: 2, malformed: 0, events: []});
});

test('a rule on the value selects only the points that meet it', t => {
	const {metrics} = createReaders(selectionSchema.parse({metrics: {fault: {name: 'node_hwmon_*', above: 0}}}));
	const body = request('node_hwmon_fault', [
		{attributes: {chip: 'a'}, value: 0},
		{attributes: {chip: 'b'}, value: 4},
	]);
	const {records, events} = metrics.protobuf(body, receivedAt);
	t.is(records, 2);
	t.like(events, [{attributes: {chip: 'b'}, severity: 13, measurement: {kind: 'state', value: 1}}]);
});
