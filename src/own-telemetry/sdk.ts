import {setTimeout as pause} from 'node:timers/promises';
import {type Attributes, context, diag, type Logger, logs, metrics, propagation, trace} from '@opentelemetry/api';
import {defaultResource, detectResources, envDetector, type Resource, resourceFromAttributes} from '@opentelemetry/resources';
import {type IMetricReader, MeterProvider, type ResourceMetrics} from '@opentelemetry/sdk-metrics';
import {redact} from '../secret.ts';
import type {TelemetryOptions} from './config.ts';
import {type Log, rateLimited, routeDiagnostics} from './diagnostics.ts';
import type {ExportPipeline} from './export.ts';
import {createObserved} from './observed.ts';
import {type Environment, planOtlp} from './otlp.ts';
import {secretsOf} from './secrets.ts';
import type {OpenTunnel} from './tunnel-agent.ts';

export type Telemetry = {
	/** For records about another machine, with its attributes on the resource. Undefined when no logs leave over OTLP. */
	loggerFor(machine: Attributes): Logger | undefined;
	/** Sends what waits. Resolves also when that failed, and in bounded time. */
	forceFlush(): Promise<void>;
	/** Sends what waits and lets go of everything, in bounded time even when the endpoint hangs. */
	shutdown(): Promise<void>;
};

export type TelemetryStart = {
	readonly resource: Attributes;
	/** Feeds the Prometheus page. */
	readonly metricReader: IMetricReader;
	/** The metrics of the machines that are monitored, for OTLP. */
	readonly machines?: (reader: Attributes) => readonly ResourceMetrics[];
	/** Where failures of the telemetry itself are said. They never reach anybody else. */
	readonly log: Log;
	readonly environment?: Environment;
	/** Leads where `otlp.proxy: connections` says. */
	readonly openTunnel?: OpenTunnel;
	readonly patienceMillis?: number;
};

/**
Registers the SDK with the OpenTelemetry API: instruments made before this do nothing. Without OTLP there are metrics for the
page and nothing else, for the exporters cost 40 MB and half a second.
*/
export async function startTelemetry(
	options: TelemetryOptions,
	{
		resource: attributes,
		metricReader,
		machines = () => [],
		log,
		environment = process.env,
		openTunnel,
		patienceMillis = 5000,
	}: TelemetryStart,
): Promise<Telemetry> {
	const secrets = secretsOf(options.otlp, environment);
	const report = rateLimited(message => log(redact(message, secrets)));
	routeDiagnostics(report);
	const resource = resourceOf(attributes);
	const plan = planOtlp(options.otlp, environment, message => report(`telemetry: ${message}`));
	const pipeline =
		plan.size === 0
			? startMetrics(resource, metricReader)
			: await import('./export.ts').then(({startExport}) =>
					startExport({
						plan,
						otlp: options.otlp,
						resource,
						metricReader,
						machines: () => machines(resource.attributes),
						environment,
						openTunnel,
						report,
					}),
				);

	const bounded = async (work: Promise<void>) => {
		const done = new AbortController();
		const patience = pause(patienceMillis, undefined, {signal: done.signal}).catch(() => {});
		await Promise.race([work.catch(error => diag.error('export failed:', error)), patience]);
		done.abort();
	};
	let ending: Promise<void> | undefined;
	return {
		loggerFor: machine => pipeline.loggerFor(machine),
		forceFlush: () => bounded(pipeline.forceFlush()),
		shutdown: () => {
			ending ??= bounded(pipeline.shutdown()).finally(unregister);
			return ending;
		},
	};
}

function startMetrics(resource: Resource, reader: IMetricReader): ExportPipeline {
	const observed = createObserved();
	const provider = new MeterProvider({resource, readers: [observed.readBy(reader)]});
	metrics.setGlobalMeterProvider(observed.over(provider));
	return {
		loggerFor: () => undefined,
		forceFlush: () => provider.forceFlush(),
		shutdown: () => provider.shutdown(),
	};
}

const resourceOf = (attributes: Attributes): Resource =>
	defaultResource()
		.merge(detectResources({detectors: [envDetector]})) // OTEL_RESOURCE_ATTRIBUTES
		.merge(resourceFromAttributes(attributes));

function unregister(): void {
	for (const api of [metrics, trace, logs, context, propagation, diag]) api.disable();
}
