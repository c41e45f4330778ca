import {mkdirSync} from 'node:fs';
import {type CallHome, openCallHome} from './agent/callhome.ts';
import type {Log} from './agent/log.ts';
import {startAll} from './component.ts';
import type {Config} from './config.ts';
import {createMetricsServer} from './own-telemetry/metrics-server.ts';
import {observeProcess} from './own-telemetry/process-metrics.ts';
import {createPrometheusReader} from './own-telemetry/prometheus.ts';
import {packageVersion, readInstanceId, resourceAttributes} from './own-telemetry/resource.ts';
import {startTelemetry} from './own-telemetry/sdk.ts';
import {createReaders} from './receivers/otlp/reading.ts';
import {createOtlpReceiver} from './receivers/otlp/server.ts';

export type Agent = {
	readonly callHome: CallHome;
	readonly urls: {readonly otlp: URL; readonly metrics: URL; readonly sandbox: URL | undefined};
	shutdown(): Promise<void>;
};

/** The whole bridge as `callhome run` starts it. Telemetry comes first, for instruments made before it count nothing. */
export async function startAgent(config: Config, log: Log): Promise<Agent> {
	await using stack = new AsyncDisposableStack();
	mkdirSync(config.store.directory, {recursive: true, mode: 0o700});
	const readiness: Record<string, true | string> = {store: 'opening', 'OTLP receiver': 'starting'};
	const page = await openTelemetry(config, log, stack);
	const metricsServer = createMetricsServer(
		{endpoint: config.telemetry.metrics_endpoint},
		{collect: page, readiness: () => readiness},
	);
	stack.use(await startAll([metricsServer]));

	const callHome = await openCallHome(config, (level, text) => log(level, text));
	stack.defer(() => callHome.shutdown());
	callHome.observe();
	readiness.store = true;

	const receiver = createOtlpReceiver(config.receivers.otlp, {
		readers: createReaders(config.selection),
		consume: callHome.consume,
		instruments: callHome.instruments(),
		log,
	});
	stack.use(await startAll([receiver]));
	readiness['OTLP receiver'] = true;
	stack.defer(() => {
		readiness['OTLP receiver'] = 'shutting down';
	});

	const held = stack.move();
	return {
		callHome,
		urls: {otlp: receiver.url(), metrics: metricsServer.url(), sandbox: callHome.backend.sandbox},
		shutdown: () => held.disposeAsync(),
	};
}

/** Registers the SDK and returns what makes the metrics page. */
async function openTelemetry(config: Config, log: Log, stack: AsyncDisposableStack): Promise<() => Promise<string>> {
	const {reader, page} = createPrometheusReader();
	const instanceId = await readInstanceId(config.store.directory);
	const telemetry = await startTelemetry(config.telemetry, {
		resource: resourceAttributes(config.telemetry, instanceId, {version: packageVersion()}),
		metricReader: reader,
		log: text => log('warn', text),
	});
	stack.defer(() => telemetry.shutdown());
	stack.defer(observeProcess());
	return page;
}
