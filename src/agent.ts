import {mkdirSync} from 'node:fs';
import {setTimeout as pause} from 'node:timers/promises';
import type {Activity} from './activity.ts';
import {type CallHome, openCallHome} from './agent/callhome.ts';
import {certificateFiles, watchCertificates} from './agent/certificates.ts';
import type {Log} from './agent/log.ts';
import {startSources} from './agent/sources.ts';
import {startSupportProxy} from './agent/support-proxy.ts';
import {expectUpdateServer} from './agent/trust.ts';
import {openWays, type Ways} from './agent/ways.ts';
import {startAll} from './component.ts';
import type {Config} from './config.ts';
import {BridgeError, isBridgeError, toError} from './errors.ts';
import {createMetricsServer} from './own-telemetry/metrics-server.ts';
import {observeProcess} from './own-telemetry/process-metrics.ts';
import {createPrometheusReader} from './own-telemetry/prometheus.ts';
import {createReadings, type Readings} from './own-telemetry/readings.ts';
import {packageVersion, readInstanceId, resourceAttributes} from './own-telemetry/resource.ts';
import {startTelemetry, type Telemetry} from './own-telemetry/sdk.ts';
import {createReaders} from './receivers/otlp/reading.ts';
import {createOtlpReceiver} from './receivers/otlp/server.ts';
import {createInstruments} from './telemetry.ts';

export type Agent = {
	readonly callHome: CallHome;
	readonly urls: {
		readonly otlp: URL;
		readonly metrics: URL;
		readonly sandbox: URL | undefined;
		readonly supportProxy: URL | undefined;
	};
	shutdown(): Promise<void>;
};

/** The whole bridge as `callhome run` starts it. Telemetry comes first, for instruments made before it count nothing. */
export async function startAgent(config: Config, log: Log): Promise<Agent> {
	await using stack = new AsyncDisposableStack();
	mkdirSync(config.store.directory, {recursive: true, mode: 0o700});
	const readiness: Record<string, true | string> = {store: 'opening', 'OTLP receiver': 'starting'};
	const ways = openWays(config, log);
	stack.defer(() => ways.close());
	expectUpdateServer(ways, config);
	const certificates = watchCertificates(ways, certificateFiles(config));
	const readings = createReadings();
	const {page, telemetry} = await openTelemetry(config, log, ways, readings, stack);
	certificates.observe();
	const metricsServer = createMetricsServer(
		{endpoint: config.telemetry.metrics_endpoint},
		{collect: page, readiness: () => readiness},
	);
	stack.use(await startAll([metricsServer]));

	let callHome: CallHome | undefined;
	stack.defer(() => callHome?.shutdown()); // After the receiver: what it has let in is finished first.
	const receiver = createOtlpReceiver(config.receivers.otlp, {
		readers: createReaders(config.selection),
		consume: async events => (callHome ?? notReady()).consume(events),
		instruments: createInstruments(),
		log,
	});
	stack.use(await startAll([receiver]));
	readiness['OTLP receiver'] = true;
	stack.defer(() => {
		readiness['OTLP receiver'] = 'shutting down';
	});

	// Before the store: others call home through it although this disk may be full.
	const supportProxy = await startOwnSupportProxy(config, ways, log, () => callHome, stack);

	callHome = await openWhenThereIsRoom(config, log, ways, reason => {
		readiness.store = reason;
	});
	callHome.observe();
	const {consume, store} = callHome;
	readiness.sources = 'starting';
	readiness.store = true;
	await startSources(config, {consume, store, readings, telemetry, log}, stack);
	readiness.sources = true;

	const held = stack.move();
	return {
		callHome,
		urls: {otlp: receiver.url(), metrics: metricsServer.url(), sandbox: callHome.backend.sandbox, supportProxy},
		shutdown: () => held.disposeAsync(),
	};
}

async function startOwnSupportProxy(
	config: Config,
	ways: Ways,
	log: Log,
	callHome: () => CallHome | undefined,
	stack: AsyncDisposableStack,
): Promise<URL | undefined> {
	if (!config.support_proxy) return undefined;
	const record = (activities: readonly Activity[]) => {
		for (const {level, text} of activities) log(level, text);
		callHome()
			?.store.write(records => records.addActivities(activities))
			.catch(error => log('error', `the activity log does not take what the support proxy tells: ${toError(error).message}`));
	};
	return startSupportProxy(config, config.support_proxy, {ways, log, record}, stack);
}

function notReady(): never {
	throw new BridgeError('ERR_NOT_READY', 'the store is being opened: send again');
}

const pauseWhileFullMillis = 5000;

/** A disk that was full before the start does not end the bridge: it refuses events, says so, and goes on when there is room. */
async function openWhenThereIsRoom(config: Config, log: Log, ways: Ways, wait: (reason: string) => void): Promise<CallHome> {
	for (;;) {
		try {
			return await openCallHome(config, log, ways);
		} catch (error) {
			if (!isBridgeError(error, 'ERR_STORE_FULL', 'ERR_STORE_BUSY')) throw error;
			wait(error.message);
			log('error', error.message);
			await pause(pauseWhileFullMillis);
		}
	}
}

/** Registers the SDK, and makes the page of metrics. */
async function openTelemetry(
	config: Config,
	log: Log,
	ways: Ways,
	readings: Readings,
	stack: AsyncDisposableStack,
): Promise<{page: () => Promise<string>; telemetry: Telemetry}> {
	const {reader, page} = createPrometheusReader(readings.onPoints);
	const instanceId = await readInstanceId(config.store.directory);
	const telemetry = await startTelemetry(config.telemetry, {
		resource: resourceAttributes(config.telemetry, instanceId, {version: packageVersion()}),
		metricReader: reader,
		machines: readings.byMachine,
		log: text => log('warn', text),
		openTunnel: (target, signal) => ways.open('telemetry', target, signal),
	});
	stack.defer(() => telemetry.shutdown());
	stack.defer(observeProcess());
	return {page, telemetry};
}
