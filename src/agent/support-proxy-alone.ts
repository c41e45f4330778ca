import {mkdirSync} from 'node:fs';
import {startAll} from '../component.ts';
import type {Config} from '../config.ts';
import {createMetricsServer} from '../own-telemetry/metrics-server.ts';
import {observeProcess} from '../own-telemetry/process-metrics.ts';
import {createPrometheusReader} from '../own-telemetry/prometheus.ts';
import {packageVersion, readInstanceId, resourceAttributes} from '../own-telemetry/resource.ts';
import {startTelemetry} from '../own-telemetry/sdk.ts';
import {supportProxySchema} from '../support-proxy/config.ts';
import type {Log} from './log.ts';
import {startSupportProxy, supportProxyDirectory} from './support-proxy.ts';
import {openWays} from './ways.ts';

export type SupportProxyAlone = {
	readonly urls: {readonly supportProxy: URL; readonly metrics: URL};
	shutdown(): Promise<void>;
};

/**
The support proxy in a process of its own: the bridge's connections and telemetry, and neither receivers nor a store. Without
`support_proxy` in the configuration it has its defaults, which is loopback.
*/
export async function startSupportProxyAlone(config: Config, log: Log): Promise<SupportProxyAlone> {
	await using stack = new AsyncDisposableStack();
	const directory = supportProxyDirectory(config);
	mkdirSync(directory, {recursive: true, mode: 0o700});
	const ways = openWays(config, log);
	stack.defer(() => ways.close());
	const {reader, page} = createPrometheusReader();
	const telemetry = await startTelemetry(config.telemetry, {
		// An id of its own: it is another process than the bridge of the same directory.
		resource: resourceAttributes(config.telemetry, await readInstanceId(directory), {version: packageVersion()}),
		metricReader: reader,
		log: text => log('warn', text),
		openTunnel: (target, signal) => ways.open('telemetry', target, signal),
	});
	stack.defer(() => telemetry.shutdown());
	stack.defer(observeProcess());
	const readiness: Record<string, true | string> = {'support proxy': 'starting'};
	const endpoint = config.telemetry.metrics_endpoint;
	const metricsServer = createMetricsServer({endpoint}, {collect: page, readiness: () => readiness});
	stack.use(await startAll([metricsServer]));
	const own = config.support_proxy ?? supportProxySchema.parse({});
	const house = {
		ways,
		log,
		record: (activities: readonly {level: 'info' | 'warn' | 'error'; text: string}[]) => {
			for (const {level, text} of activities) log(level, text);
		},
	};
	const supportProxy = await startSupportProxy(config, own, house, stack);
	readiness['support proxy'] = true;
	const held = stack.move();
	return {urls: {supportProxy, metrics: metricsServer.url()}, shutdown: () => held.disposeAsync()};
}
