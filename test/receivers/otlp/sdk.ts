import {type HrTime, ROOT_CONTEXT, trace} from '@opentelemetry/api';
import {
	JsonLogsSerializer,
	JsonMetricsSerializer,
	JsonTraceSerializer,
	ProtobufLogsSerializer,
	ProtobufMetricsSerializer,
	ProtobufTraceSerializer,
} from '@opentelemetry/otlp-transformer';
import {resourceFromAttributes} from '@opentelemetry/resources';
import {InMemoryLogRecordExporter, LoggerProvider, SimpleLogRecordProcessor} from '@opentelemetry/sdk-logs';
import {
	AggregationTemporality,
	InMemoryMetricExporter,
	MeterProvider,
	PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import {InMemorySpanExporter, SimpleSpanProcessor, TracerProvider} from '@opentelemetry/sdk-trace';
import test from 'ava';
import {createReaders, type Reading} from '../../../src/receivers/otlp/reading.ts';
import {selectionSchema} from '../../../src/receivers/otlp/selection.ts';

/** What the official SDK makes and serializes, so that field numbers and JSON names are not only our own opinion. */

const readers = createReaders(selectionSchema.parse(undefined));
const resource = resourceFromAttributes({'host.name': 'db01', 'process.pid': 42});
const now = Date.now();
const traceId = '0af7651916cd43dd8448eb211c80319c';
const spanId = 'b7ad6b7169203331';
const encoded = (bytes: Uint8Array | undefined) => bytes ?? new Uint8Array();

test('log records of the SDK, in both encodings', async t => {
	const exporter = new InMemoryLogRecordExporter();
	const provider = new LoggerProvider({resource, processors: [new SimpleLogRecordProcessor({exporter})]});
	const logger = provider.getLogger('sdk', '1.0', {schemaUrl: 'https://example.com/schema'});
	const timestamp: HrTime = [Math.floor(now / 1000), 123_456_789];
	const attributes = {
		'hw.id': 'psu1',
		'hw.type': 'power_supply',
		nested: {list: [1, 2.5, 'x', true, null], raw: new Uint8Array([1, 2, 255])},
	};
	const context = trace.setSpanContext(ROOT_CONTEXT, {traceId, spanId, traceFlags: 1});
	logger.emit({severityNumber: 9, body: 'all is well'});
	logger.emit({timestamp, severityNumber: 17, severityText: 'ERROR', body: 'Power supply 1 failed', attributes, context});
	logger.emit({timestamp, eventName: 'callhome.hardware.alert', severityNumber: 21, body: {code: 'E1'}});
	await provider.forceFlush();
	const records = exporter.getFinishedLogRecords();

	const fromProtobuf = readers.logs.protobuf(encoded(ProtobufLogsSerializer.serializeRequest(records)), now);
	const fromJson = readers.logs.json(encoded(JsonLogsSerializer.serializeRequest(records)), now);
	t.deepEqual(fromJson, fromProtobuf);
	t.like(fromProtobuf, {records: 3, malformed: 0});
	t.deepEqual(
		fromProtobuf.events.map(({id: _, ...event}) => event),
		[
			{
				name: '',
				occurredAt: (timestamp[0] ?? 0) * 1000 + 123,
				receivedAt: now,
				severity: 17,
				message: 'Power supply 1 failed',
				resource: {'host.name': 'db01', 'process.pid': 42},
				attributes: {'hw.id': 'psu1', 'hw.type': 'power_supply', nested: {list: [1, 2.5, 'x', true, null], raw: 'AQL/'}},
				source: 'otlp/logs',
				traceparent: `00-${traceId}-${spanId}-01`,
			},
			{
				name: 'callhome.hardware.alert',
				occurredAt: (timestamp[0] ?? 0) * 1000 + 123,
				receivedAt: now,
				severity: 21,
				message: '{"code":"E1"}',
				resource: {'host.name': 'db01', 'process.pid': 42},
				attributes: {},
				source: 'otlp/logs',
			},
		],
	);
	await provider.shutdown();
});

/** One export of the instruments that a hardware monitor has, in both encodings. */
async function exportMetrics(temporality: AggregationTemporality): Promise<[Reading, Reading]> {
	const exporter = new InMemoryMetricExporter(temporality);
	const reader = new PeriodicExportingMetricReader({exporter, exportIntervalMillis: 3_600_000});
	const provider = new MeterProvider({resource, readers: [reader]});
	const meter = provider.getMeter('sdk');
	meter.createUpDownCounter('hw.status').add(1, {'hw.id': 'psu1', 'hw.type': 'power_supply', 'hw.state': 'failed'});
	meter.createUpDownCounter('hw.status').add(0, {'hw.id': 'psu1', 'hw.type': 'power_supply', 'hw.state': 'ok'});
	meter.createCounter('hw.errors').add(3, {'hw.id': 'dimm1', 'hw.type': 'memory', 'error.type': 'uncorrected'});
	meter.createGauge('hw.temperature').record(41.5, {'hw.id': 'cpu0'});
	meter.createHistogram('http.server.request.duration').record(0.2);
	await reader.forceFlush();
	const [exported] = exporter.getMetrics();
	await provider.shutdown();
	if (!exported) throw new Error('the SDK exported nothing');
	return [
		readers.metrics.protobuf(encoded(ProtobufMetricsSerializer.serializeRequest(exported)), now),
		readers.metrics.json(encoded(JsonMetricsSerializer.serializeRequest(exported)), now),
	];
}

test('metric points of the SDK, in both encodings and temporalities', async t => {
	for (const [temporality, kind] of [
		[AggregationTemporality.CUMULATIVE, 'count'],
		[AggregationTemporality.DELTA, 'increase'],
	] as const) {
		const [fromProtobuf, fromJson] = await exportMetrics(temporality);
		t.deepEqual(fromJson, fromProtobuf);
		t.like(fromProtobuf, {
			records: 5,
			malformed: 0,
			events: [
				{
					name: 'hw.status',
					severity: 17,
					measurement: {kind: 'state', value: 1},
					attributes: {'hw.id': 'psu1', 'hw.state': 'failed'},
				},
				{name: 'hw.errors', severity: 17, measurement: {kind, value: 3}, attributes: {'hw.id': 'dimm1'}},
			],
		});
	}
});

test('spans of the SDK are counted', async t => {
	const exporter = new InMemorySpanExporter();
	const provider = new TracerProvider({resource, spanProcessors: [new SimpleSpanProcessor({exporter})]});
	const tracer = provider.getTracer('sdk');
	const parent = tracer.startSpan('parent', {attributes: {'hw.id': 'x'}, links: [{context: {traceId, spanId, traceFlags: 1}}]});
	parent.addEvent('event', {code: 1});
	parent.recordException(new Error('broken'));
	parent.end();
	tracer.startSpan('child', {}, trace.setSpanContext(ROOT_CONTEXT, parent.spanContext())).end();
	await provider.forceFlush();
	const spans = exporter.getFinishedSpans();
	const expected = {records: 2, malformed: 0, malformedMessage: '', events: []};
	t.deepEqual(readers.traces.protobuf(encoded(ProtobufTraceSerializer.serializeRequest(spans)), now), expected);
	t.deepEqual(readers.traces.json(encoded(JsonTraceSerializer.serializeRequest(spans)), now), expected);
	await provider.shutdown();
});
