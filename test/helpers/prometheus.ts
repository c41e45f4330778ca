import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {stringify} from 'yaml';
import {eventually, freePort, temporaryDirectory} from './listen.ts';
import {requiredPeer} from './peer-binaries.ts';
import {startProgram} from './program.ts';

export type PrometheusOptions = {
	/** Pages of metrics, scraped as one job. */
	readonly targets: readonly URL[];
	readonly job?: string;
	/** What the target is given beside job and instance, such as its site. */
	readonly labelsOf?: (target: URL) => Readonly<Record<string, string>>;
	/** The text of a rule file. */
	readonly rules?: string;
	/** Who is told of alerts. */
	readonly alertmanagers?: readonly URL[];
	/** Between two scrapes, and between two evaluations. */
	readonly interval?: string;
	/** A free one by default. */
	readonly port?: number;
	/** The newer one, which also takes OTLP, and these attributes of a resource as labels of each series. */
	readonly otlp?: {readonly promote: readonly string[]};
};

export type ActiveAlert = {
	readonly state: 'pending' | 'firing';
	readonly labels: Readonly<Record<string, string>>;
	readonly annotations: Readonly<Record<string, string>>;
};

export type Prometheus = {
	readonly url: URL;
	/** Pending and firing. */
	alerts(): Promise<readonly ActiveAlert[]>;
	query(expression: string): Promise<readonly {readonly metric: Readonly<Record<string, string>>; readonly value: number}[]>;
};

/** A real Prometheus on a free port of loopback, gone when the test ends. */
export async function startPrometheus(
	t: ExecutionContext,
	{
		targets,
		job = 'callhome-bridge',
		labelsOf = () => ({}),
		rules = 'groups: []',
		alertmanagers = [],
		interval = '1s',
		otlp,
		port,
	}: PrometheusOptions,
): Promise<Prometheus> {
	const directory = await temporaryDirectory(t);
	const [configFile, ruleFile] = [join(directory, 'prometheus.yaml'), join(directory, 'rules.yaml')];
	const config = {
		global: {scrape_interval: interval, scrape_timeout: interval, evaluation_interval: interval},
		rule_files: [ruleFile],
		alerting: {alertmanagers: [{static_configs: [{targets: alertmanagers.map(({host}) => host)}]}]},
		scrape_configs: [{job_name: job, static_configs: targets.map(url => ({targets: [url.host], labels: labelsOf(url)}))}],
		...(otlp && {otlp: {promote_resource_attributes: otlp.promote}}),
	};
	await writeFile(ruleFile, rules);
	await writeFile(configFile, stringify(config));
	const url = new URL(`http://127.0.0.1:${port ?? (await freePort())}`);
	await startProgram(t, requiredPeer(otlp ? 'prometheus3' : 'prometheus'), [
		`--config.file=${configFile}`,
		`--storage.tsdb.path=${join(directory, 'data')}`,
		`--web.listen-address=${url.host}`,
		'--log.level=error',
		...(otlp ? ['--web.enable-otlp-receiver'] : []),
	]);
	await eventually(async () => (await fetch(new URL('/-/ready', url))).ok, {timeoutMillis: 60_000});
	const ask = async <Data>(path: string) => ((await (await fetch(new URL(path, url))).json()) as {data: Data}).data;
	return {
		url,
		alerts: async () => (await ask<{alerts: ActiveAlert[]}>('/api/v1/alerts')).alerts,
		async query(expression) {
			const path = `/api/v1/query?query=${encodeURIComponent(expression)}`;
			const {result} = await ask<{result: {metric: Record<string, string>; value: [number, string]}[]}>(path);
			return result.map(({metric, value}) => ({metric, value: Number(value[1])}));
		},
	};
}
