import {type Attributes, diag, type Logger, metrics} from '@opentelemetry/api';
import {OTLPLogExporter as JsonLogExporter} from '@opentelemetry/exporter-logs-otlp-http';
import {OTLPLogExporter} from '@opentelemetry/exporter-logs-otlp-proto';
import {OTLPMetricExporter as JsonMetricExporter} from '@opentelemetry/exporter-metrics-otlp-http';
import {OTLPMetricExporter} from '@opentelemetry/exporter-metrics-otlp-proto';
import {OTLPTraceExporter as JsonTraceExporter} from '@opentelemetry/exporter-trace-otlp-http';
import {OTLPTraceExporter} from '@opentelemetry/exporter-trace-otlp-proto';
import {type Resource, resourceFromAttributes} from '@opentelemetry/resources';
import {BatchLogRecordProcessor, LoggerProvider} from '@opentelemetry/sdk-logs';
import {type IMetricReader, PeriodicExportingMetricReader, type ResourceMetrics} from '@opentelemetry/sdk-metrics';
import {NodeSDK} from '@opentelemetry/sdk-node';
import {BatchSpanProcessor} from '@opentelemetry/sdk-trace';
import {scopeName} from '../telemetry.ts';
import type {OtlpOptions} from './config.ts';
import {type Log, routeDiagnostics} from './diagnostics.ts';
import {withMachines} from './machines-exporter.ts';
import {createObserved} from './observed.ts';
import {type Environment, type ExporterOptionsOf, exporterOptions, type OtlpPlan} from './otlp.ts';
import {packageVersion} from './resource.ts';
import type {OpenTunnel} from './tunnel-agent.ts';

export type ExportPipeline = {
	/** What says something about another machine: the attributes are added to the resource. Undefined when no logs leave. */
	loggerFor(machine: Attributes): Logger | undefined;
	forceFlush(): Promise<void>;
	shutdown(): Promise<void>;
};

/** The exporter of each signal, by protocol. */
const exporters = {
	'http/protobuf': {traces: OTLPTraceExporter, metrics: OTLPMetricExporter, logs: OTLPLogExporter},
	'http/json': {traces: JsonTraceExporter, metrics: JsonMetricExporter, logs: JsonLogExporter},
} as const;

export type ExportStart = {
	readonly plan: OtlpPlan;
	/** Absent when the environment decides. */
	readonly otlp: OtlpOptions | undefined;
	readonly resource: Resource;
	readonly metricReader: IMetricReader;
	readonly machines: () => readonly ResourceMetrics[];
	readonly environment: Environment;
	readonly openTunnel: OpenTunnel | undefined;
	readonly report: Log;
};

/** Traces, metrics and logs over OTLP. This file is imported only when that is wanted. */
export async function startExport({
	plan,
	otlp,
	resource,
	metricReader,
	machines,
	environment,
	openTunnel,
	report,
}: ExportStart): Promise<ExportPipeline> {
	const optionsOf = await exporterOptions(otlp, `callhome-bridge/${packageVersion()}`, environment, openTunnel);
	const spanProcessors = spanProcessorsOf(plan, optionsOf);
	const logRecordProcessors = logProcessorsOf(plan, optionsOf);
	const periodicReaders = metricReadersOf(plan, optionsOf, machines, otlp, environment);
	diag.disable(); // OTEL_LOG_LEVEL makes the constructor set a logger that prints to the console.
	const observed = createObserved();
	const sdk = new NodeSDK({
		resource,
		autoDetectResources: false,
		instrumentations: [],
		spanProcessors,
		logRecordProcessors,
		metricReaders: [metricReader, ...periodicReaders].map(observed.readBy),
	});
	routeDiagnostics(report);
	sdk.start();
	const provider = metrics.getMeterProvider();
	metrics.disable();
	metrics.setGlobalMeterProvider(observed.over(provider));
	const flushed = [...spanProcessors, ...logRecordProcessors, ...periodicReaders];
	return {
		loggerFor: loggersOf(resource, logRecordProcessors),
		forceFlush: async () => void (await Promise.allSettled(flushed.map(part => part.forceFlush()))),
		shutdown: () => sdk.shutdown(),
	};
}

function spanProcessorsOf(plan: OtlpPlan, optionsOf: ExporterOptionsOf): BatchSpanProcessor[] {
	const protocol = plan.get('traces');
	return protocol ? [new BatchSpanProcessor({exporter: new exporters[protocol].traces(optionsOf('traces'))})] : [];
}

function logProcessorsOf(plan: OtlpPlan, optionsOf: ExporterOptionsOf): BatchLogRecordProcessor[] {
	const protocol = plan.get('logs');
	return protocol ? [new BatchLogRecordProcessor({exporter: new exporters[protocol].logs(optionsOf('logs'))})] : [];
}

function metricReadersOf(
	plan: OtlpPlan,
	optionsOf: ExporterOptionsOf,
	machines: () => readonly ResourceMetrics[],
	otlp: OtlpOptions | undefined,
	environment: Environment,
): PeriodicExportingMetricReader[] {
	const protocol = plan.get('metrics');
	if (!protocol) return [];
	const exportIntervalMillis = otlp?.export_interval ?? (Number(environment.OTEL_METRIC_EXPORT_INTERVAL) || 30_000);
	const exportTimeoutMillis = Math.min(otlp?.timeout ?? 10_000, exportIntervalMillis);
	const exporter = withMachines(new exporters[protocol].metrics(optionsOf('metrics')), machines);
	return [new PeriodicExportingMetricReader({exporter, exportIntervalMillis, exportTimeoutMillis})];
}

/** So many machines have a logger at hand. */
const mostLoggers = 10_000;

/** The processors are shared with the bridge's own logger, and are the SDK's to end. */
function loggersOf(resource: Resource, processors: BatchLogRecordProcessor[]): ExportPipeline['loggerFor'] {
	const loggers = new Map<string, Logger>();
	return machine => {
		if (processors.length === 0) return undefined;
		const key = JSON.stringify(machine);
		const known = loggers.get(key);
		if (known) return known;
		if (loggers.size >= mostLoggers) loggers.clear();
		const provider = new LoggerProvider({resource: resource.merge(resourceFromAttributes(machine)), processors});
		const logger = provider.getLogger(scopeName);
		loggers.set(key, logger);
		return logger;
	};
}
