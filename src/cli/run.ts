import {once} from 'node:events';
import type {Log} from '../agent/log.ts';
import {type Agent, startAgent} from '../agent.ts';
import type {Loaded} from '../config.ts';
import {packageVersion} from '../own-telemetry/resource.ts';
import {printable} from './print.ts';

/** One line per entry: a time, a level, a text; or one JSON object. Lines of the log go to standard error. */
export const createLog = (asJson: boolean): Log =>
	function log(level, text) {
		const at = new Date().toISOString();
		process.stderr.write(asJson ? `${JSON.stringify({at, level, text})}\n` : `${at} ${level.padEnd(5)} ${printable(text)}\n`);
	};

function banner({source, embedded, config}: Loaded, {urls}: Agent): string[] {
	const sandboxed = [
		'',
		'SANDBOX: submissions go to the stand-in for IBM on this machine, and nothing reaches IBM.',
		embedded
			? 'There is no callhome.yaml here and no --config FILE: these are the embedded defaults.'
			: 'The config says exporter: sandbox.',
	];
	return [
		`Callhome Bridge ${packageVersion()} (${source})`,
		`  OTLP intake   ${urls.otlp.href}v1/logs, v1/metrics, v1/traces`,
		`  Metrics       ${urls.metrics.href}`,
		`  Health        ${new URL('/healthz', urls.metrics).href}, ${new URL('/readyz', urls.metrics).href}`,
		...(urls.supportProxy ? [`  Support proxy ${urls.supportProxy.href}`] : []),
		`  Destination   ${urls.sandbox?.href ?? config?.exporter.call_home_connect?.endpoint.href}`,
		`  State         ${config?.store.directory}`,
		...(urls.sandbox ? sandboxed : []),
	];
}

/** Runs until SIGINT or SIGTERM. */
export async function run(loaded: Loaded & {readonly config: NonNullable<Loaded['config']>}, asJson: boolean): Promise<void> {
	const log = createLog(asJson);
	// Before anything says that it runs: who reads that may end it at once.
	const ending = Promise.race(['SIGINT', 'SIGTERM'].map(name => once(process, name).then(() => name)));
	const agent = await startAgent(loaded.config, log);
	const {otlp, metrics, sandbox, supportProxy} = agent.urls;
	const urls = {
		otlp: otlp.href,
		metrics: metrics.href,
		sandbox: sandbox?.href ?? null,
		support_proxy: supportProxy?.href ?? null,
	};
	process.stdout.write(
		asJson ? `${JSON.stringify({ready: true, config: loaded.source, urls})}\n` : `${banner(loaded, agent).join('\n')}\n`,
	);
	const signal = await ending;
	log('info', `${signal}: finishing what is under way`);
	await agent.shutdown();
}
