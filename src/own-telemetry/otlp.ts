import {readFile} from 'node:fs/promises';
import {Agent as HttpAgent} from 'node:http';
import {type AgentOptions, Agent as HttpsAgent} from 'node:https';
import type {CompressionAlgorithm} from '@opentelemetry/otlp-exporter-base';
import type {OTLPExporterNodeConfigBase} from '@opentelemetry/otlp-exporter-base/node-http';
import {BridgeError, toError} from '../errors.ts';
import type {OtlpOptions} from './config.ts';
import {type OpenTunnel, tunnelAgent} from './tunnel-agent.ts';

export type Environment = Readonly<Record<string, string | undefined>>;
export const signals = ['traces', 'metrics', 'logs'] as const;
export type Signal = (typeof signals)[number];
/** The signals that leave over OTLP, each with its protocol. */
export type OtlpPlan = ReadonlyMap<Signal, OtlpOptions['protocol']>;

/** The config decides; without `otlp` in it the standard environment variables do. OTEL_SDK_DISABLED ends it in either case. */
export function planOtlp(options: OtlpOptions | undefined, environment: Environment, log: (message: string) => void): OtlpPlan {
	if (environment.OTEL_SDK_DISABLED?.trim().toLowerCase() === 'true') return new Map();
	if (options) return new Map(signals.filter(signal => options.signals[signal]).map(signal => [signal, options.protocol]));
	const plan = new Map<Signal, OtlpOptions['protocol']>();
	for (const signal of signals) {
		const protocol = protocolFromEnvironment(signal, environment);
		if (protocol === 'http/protobuf' || protocol === 'http/json') plan.set(signal, protocol);
		else if (protocol) log(`${signal} are not exported: OTLP over ${protocol} is not spoken, http/protobuf and http/json are`);
	}
	return plan;
}

/** Undefined when the environment does not ask for the signal. */
function protocolFromEnvironment(signal: Signal, environment: Environment): string | undefined {
	const read = (name: string) => environment[name]?.trim() || undefined;
	const name = signal.toUpperCase();
	if (!read('OTEL_EXPORTER_OTLP_ENDPOINT') && !read(`OTEL_EXPORTER_OTLP_${name}_ENDPOINT`)) return undefined;
	const exporters = read(`OTEL_${name}_EXPORTER`)?.split(',') ?? ['otlp'];
	if (!exporters.some(exporter => exporter.trim() === 'otlp')) return undefined;
	return read(`OTEL_EXPORTER_OTLP_${name}_PROTOCOL`) ?? read('OTEL_EXPORTER_OTLP_PROTOCOL') ?? 'http/protobuf';
}

/** What the exporter of one signal is made with. What the config leaves open, the exporter takes from the environment. */
export type ExporterOptionsOf = (signal: Signal) => OTLPExporterNodeConfigBase;

export async function exporterOptions(
	options: OtlpOptions | undefined,
	userAgent: string,
	environment: Environment,
	openTunnel: OpenTunnel = noTunnel,
): Promise<ExporterOptionsOf> {
	if (!options) return () => ({userAgent});
	const agentOptions = await agentOptionsOf(options, environment);
	const agentOf = (protocol: string) =>
		options.proxy === 'connections'
			? tunnelAgent(protocol === 'http:' ? 'http:' : 'https:', openTunnel, agentOptions)
			: protocol === 'http:'
				? new HttpAgent(agentOptions)
				: new HttpsAgent(agentOptions);
	const headers = Object.fromEntries(Object.entries(options.headers).map(([name, value]) => [name, value.reveal()]));
	return signal => ({
		...(options.endpoint === undefined ? {} : {url: urlOf(options.endpoint, signal)}),
		headers,
		timeoutMillis: options.timeout,
		compression: options.compression as CompressionAlgorithm,
		httpAgentOptions: agentOf,
		userAgent,
	});
}

async function noTunnel(): Promise<never> {
	throw new BridgeError('ERR_NOT_CONFIGURED', 'telemetry.otlp.proxy: connections works in the running bridge only');
}

function urlOf(endpoint: string, signal: Signal): string {
	const url = new URL(endpoint);
	url.pathname = `${url.pathname.replace(/\/$/, '')}/v1/${signal}`;
	return url.href;
}

async function agentOptionsOf(options: OtlpOptions, environment: Environment): Promise<AgentOptions> {
	const {proxy, timeout} = options;
	const [ca, cert, key] = await Promise.all(
		(['ca_file', 'cert_file', 'key_file'] as const).map(name => readPem(`telemetry.otlp.${name}`, options[name])),
	);
	// Only the agent's own timeout ends a CONNECT that the proxy never answers.
	const agentOptions: AgentOptions = {keepAlive: true, timeout, ca, cert, key};
	if (proxy === undefined || proxy === 'connections') return agentOptions;
	const proxyEnv = proxy === 'from_environment' ? environment : {HTTP_PROXY: proxy.reveal(), HTTPS_PROXY: proxy.reveal()};
	return {...agentOptions, proxyEnv};
}

async function readPem(setting: string, file: string | undefined): Promise<Buffer | undefined> {
	if (file === undefined) return undefined;
	try {
		return await readFile(file);
	} catch (cause) {
		throw new BridgeError('ERR_CONFIG', `${setting}: cannot read ${file}: ${toError(cause).message}`, {cause});
	}
}
