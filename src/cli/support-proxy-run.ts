import {once} from 'node:events';
import {startSupportProxyAlone} from '../agent/support-proxy-alone.ts';
import type {Config, Loaded} from '../config.ts';
import {packageVersion} from '../own-telemetry/resource.ts';
import {createLog} from './run.ts';

/** Runs the support proxy without the rest of the bridge. What is told of requests goes to the log. */
export async function runSupportProxy(loaded: Loaded & {readonly config: Config}, asJson: boolean): Promise<void> {
	const log = createLog(asJson);
	// Before anything says that it runs: who reads that may end it at once.
	const ending = Promise.race(['SIGINT', 'SIGTERM'].map(name => once(process, name).then(() => name)));
	const {urls, shutdown} = await startSupportProxyAlone(loaded.config, log);
	const lines = [
		`Callhome Bridge ${packageVersion()}, support proxy alone (${loaded.source})`,
		`  Support proxy ${urls.supportProxy.href}`,
		`  Metrics       ${urls.metrics.href}`,
		`  Health        ${new URL('/healthz', urls.metrics).href}, ${new URL('/readyz', urls.metrics).href}`,
	];
	const json = {
		ready: true,
		config: loaded.source,
		urls: {support_proxy: urls.supportProxy.href, metrics: urls.metrics.href},
	};
	process.stdout.write(asJson ? `${JSON.stringify(json)}\n` : `${lines.join('\n')}\n`);
	log('info', `${await ending}: closing the tunnels`);
	await shutdown();
}
