import {SeverityNumber} from '@opentelemetry/api';
import {type ExportResult, ExportResultCode} from '@opentelemetry/core';
import {OTLPLogExporter as JsonLogExporter} from '@opentelemetry/exporter-logs-otlp-http';
import {OTLPLogExporter as ProtobufLogExporter} from '@opentelemetry/exporter-logs-otlp-proto';
import {OTLPMetricExporter as JsonMetricExporter} from '@opentelemetry/exporter-metrics-otlp-http';
import {OTLPMetricExporter as ProtobufMetricExporter} from '@opentelemetry/exporter-metrics-otlp-proto';
import {OTLPTraceExporter as JsonTraceExporter} from '@opentelemetry/exporter-trace-otlp-http';
import {OTLPTraceExporter as ProtobufTraceExporter} from '@opentelemetry/exporter-trace-otlp-proto';
import {CompressionAlgorithm} from '@opentelemetry/otlp-exporter-base';
import {resourceFromAttributes} from '@opentelemetry/resources';
import {InMemoryLogRecordExporter, LoggerProvider, SimpleLogRecordProcessor} from '@opentelemetry/sdk-logs';
import {
	AggregationTemporality,
	InMemoryMetricExporter,
	MeterProvider,
	PeriodicExportingMetricReader,
	type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import {InMemorySpanExporter, SimpleSpanProcessor, TracerProvider} from '@opentelemetry/sdk-trace';
import test from 'ava';
import {BridgeError} from '../../../src/errors.ts';
import type {Consume, Decision, HardwareEvent} from '../../../src/event.ts';
import {createReaders} from '../../../src/receivers/otlp/reading.ts';
import {defaultSelection} from '../../../src/receivers/otlp/selection.ts';
import {startIntake} from '../../helpers/otlp-intake.ts';

const resource = resourceFromAttributes({'callhome.system.type': '8871', 'callhome.system.serial_number': 'J1A2B3C'});

function alertRecords() {
	const exporter = new InMemoryLogRecordExporter();
	const provider = new LoggerProvider({resource, processors: [new SimpleLogRecordProcessor({exporter})]});
	const logger = provider.getLogger('test');
	logger.emit({
		eventName: 'callhome.hardware.alert',
		severityNumber: SeverityNumber.ERROR,
		body: 'Fan 3 failed',
		attributes: {'hw.id': 'fan-3', 'hw.type': 'fan'},
	});
	logger.emit({severityNumber: SeverityNumber.INFO, body: 'all is well'});
	return exporter.getFinishedLogRecords();
}

async function statusMetrics(): Promise<ResourceMetrics> {
	const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
	const provider = new MeterProvider({resource, readers: [new PeriodicExportingMetricReader({exporter})]});
	const status = provider.getMeter('test').createUpDownCounter('hw.status');
	status.add(1, {'hw.id': 'disk-1', 'hw.type': 'physical_disk', 'hw.state': 'failed'});
	status.add(0, {'hw.id': 'disk-1', 'hw.type': 'physical_disk', 'hw.state': 'ok'});
	await provider.forceFlush();
	const [metrics] = exporter.getMetrics();
	await provider.shutdown();
	if (!metrics) throw new Error('no metrics were collected');
	return metrics;
}

function spans() {
	const exporter = new InMemorySpanExporter();
	const provider = new TracerProvider({resource, spanProcessors: [new SimpleSpanProcessor({exporter})]});
	provider.getTracer('test').startSpan('work').end();
	return exporter.getFinishedSpans();
}

type Exporting<Items> = {export(items: Items, done: (result: ExportResult) => void): void; shutdown(): Promise<void>};

async function send<Items>(exporter: Exporting<Items>, items: Items): Promise<ExportResult> {
	const result = await new Promise<ExportResult>(resolve => exporter.export(items, resolve));
	await exporter.shutdown();
	return result;
}

const exporters = {
	protobuf: {logs: ProtobufLogExporter, metrics: ProtobufMetricExporter, traces: ProtobufTraceExporter},
	json: {logs: JsonLogExporter, metrics: JsonMetricExporter, traces: JsonTraceExporter},
} as const;

for (const [encoding, {logs, metrics, traces}] of Object.entries(exporters)) {
	for (const compression of [CompressionAlgorithm.NONE, CompressionAlgorithm.GZIP]) {
		test(`the OpenTelemetry JS exporters send all three signals in ${encoding}, compression ${compression}`, async t => {
			const events: HardwareEvent[] = [];
			const consume: Consume = async consumed => {
				events.push(...consumed);
				return consumed.map((): Decision => 'first');
			};
			const {url, counted} = await startIntake(t, {}, {readers: createReaders(defaultSelection), consume});
			const options = (path: string) => ({url: new URL(path, url).href, compression});

			const results = [
				await send(new logs(options('/v1/logs')), alertRecords()),
				await send(new metrics(options('/v1/metrics')), await statusMetrics()),
				await send(new traces(options('/v1/traces')), spans()),
			];

			t.deepEqual(
				results.map(({code}) => code),
				[ExportResultCode.SUCCESS, ExportResultCode.SUCCESS, ExportResultCode.SUCCESS],
			);
			const [alert] = events;
			t.is(alert?.name, 'callhome.hardware.alert');
			t.is(alert?.message, 'Fan 3 failed');
			t.is(alert?.resource['callhome.system.serial_number'], 'J1A2B3C');
			const failed = events.find(({attributes}) => attributes['hw.state'] === 'failed');
			t.is(failed?.measurement?.value, 1);
			t.is(failed?.attributes['hw.id'], 'disk-1');
			t.is(counted['logs accepted'], 1);
			t.is(counted['logs filtered'], 1);
			t.is(counted['traces filtered'], 1);
			t.is(counted['traces rejected'], undefined);
		});
	}

	test(`a 503 makes the OpenTelemetry JS exporter try again, in ${encoding}`, async t => {
		let attempts = 0;
		const consume: Consume = async events => {
			attempts++;
			if (attempts === 1) throw new BridgeError('ERR_SHUTTING_DOWN', 'starting again');
			return events.map((): Decision => 'first');
		};
		const {url, counted} = await startIntake(t, {}, {readers: createReaders(defaultSelection), consume});
		const exporter = new logs({url: new URL('/v1/logs', url).href, timeoutMillis: 30_000});
		const result = await send(exporter, alertRecords());
		t.is(result.code, ExportResultCode.SUCCESS);
		t.is(attempts, 2);
		t.deepEqual(counted, {'logs refused': 1, 'logs accepted': 1, 'logs filtered': 1});
	});
}
