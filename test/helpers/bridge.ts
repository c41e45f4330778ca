import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {startAgent} from '../../src/agent.ts';
import {type Config, parseConfig} from '../../src/config.ts';
import {temporaryDirectory} from './listen.ts';
import {clientOf} from './sandbox.ts';

/** JSON is YAML: settings on top of the embedded defaults, on free ports and in a directory of its own. */
export function configOf(directory: string, settings: Record<string, unknown> = {}): Config {
	const {config, faults} = parseConfig(JSON.stringify(settingsOf(directory, settings)), directory, {});
	if (!config) throw new Error(faults.map(({path, message}) => `${path}: ${message}`).join('\n'));
	return config;
}

export const settingsOf = (directory: string, settings: Record<string, unknown> = {}): Record<string, unknown> => ({
	location: {country: 'CH'},
	receivers: {otlp: {endpoint: '127.0.0.1:0'}},
	exporter: {sandbox: {case_delay: '100ms'}, retry_on_failure: {initial_interval: '100ms', max_interval: '1s'}},
	consent: {cases: true},
	...settings,
	store: {directory: join(directory, 'state'), ...(settings.store as object | undefined)},
	telemetry: {metrics_endpoint: '127.0.0.1:0', ...(settings.telemetry as object | undefined)},
});

/** The whole bridge in this process, gone when the test ends. One to a process: the OpenTelemetry API is global. */
export async function startBridge(t: ExecutionContext, settings: Record<string, unknown> = {}) {
	const said: string[] = [];
	const config = configOf(await temporaryDirectory(t), settings);
	const agent = await startAgent(config, (level, text) => said.push(`${level} ${text}`));
	t.teardown(() => agent.shutdown());
	const {sandbox} = agent.urls;
	const caFile = join(config.store.directory, 'sandbox/ca.pem');
	return {
		...agent,
		/** Of its store. */
		directory: config.store.directory,
		/** What it logged. */
		said,
		/** Talks to its sandbox, such as to change the mode. */
		sandbox: sandbox && clientOf(t, {url: () => sandbox, caFile}),
	};
}

export type Alert = {
	readonly uid?: string;
	readonly host?: string;
	readonly serial?: string;
	readonly id?: string;
	readonly type?: string;
	readonly state?: string;
	readonly severity?: number;
	readonly body?: string;
	readonly attributes?: Readonly<Record<string, string>>;
};

const stringAttributes = (values: Readonly<Record<string, string>>) =>
	Object.entries(values).map(([key, stringValue]) => ({key, value: {stringValue}}));

/** An OTLP/JSON logs request with one hardware alert for each. Without a serial number the system is not named. */
export const alertRequest = (...alerts: readonly Alert[]) => ({
	resourceLogs: alerts.map(
		({
			uid,
			host = 'db01',
			serial,
			id = 'drive-3',
			type = 'physical_disk',
			state = 'failed',
			severity = 17,
			body,
			attributes = {},
		}) => ({
			resource: {
				attributes: stringAttributes({
					'host.name': host,
					...(serial === undefined
						? {}
						: {'callhome.system.type': '8871', 'callhome.system.model': 'AC1', 'callhome.system.serial_number': serial}),
				}),
			},
			scopeLogs: [
				{
					logRecords: [
						{
							timeUnixNano: String(BigInt(Date.now()) * 1_000_000n),
							eventName: 'callhome.hardware.alert',
							severityNumber: severity,
							body: {stringValue: body ?? `${type} ${id} is ${state}`},
							attributes: stringAttributes({
								'hw.id': id,
								'hw.type': type,
								'hw.state': state,
								...(uid === undefined ? {} : {'log.record.uid': uid}),
								...attributes,
							}),
						},
					],
				},
			],
		}),
	),
});

export async function post(otlp: URL, body: object, path = '/v1/logs'): Promise<Response> {
	return fetch(new URL(path, otlp), {method: 'POST', headers: {'content-type': 'application/json'}, body: JSON.stringify(body)});
}

/** The page of metrics as name{labels} → value, without the labels that say who and which scope. */
export async function scrape(metrics: URL): Promise<Map<string, number>> {
	const page = await (await fetch(metrics)).text();
	const lines = page.split('\n').filter(line => line !== '' && !line.startsWith('#'));
	return new Map(
		lines.map(line => {
			const end = line.lastIndexOf(' ');
			const [name = '', labels = ''] = line.slice(0, end).split(/[{}]/);
			const kept = labels.split(/,(?=\w+=")/).filter(label => label !== '' && !/^(instance|job|otel_scope_\w+)=/.test(label));
			return [kept.length > 0 ? `${name}{${kept.join(',')}}` : name, Number(line.slice(end + 1))];
		}),
	);
}
