import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {eventually, freePort, temporaryDirectory} from './listen.ts';
import {requiredPeer} from './peer-binaries.ts';
import {startProgram} from './program.ts';

export type SentAlert = Readonly<Record<string, string>>;

/** A real Alertmanager with a configuration file, on a free port of loopback, gone when the test ends. */
export async function startAlertmanager(t: ExecutionContext, configFile: string) {
	const url = new URL(`http://127.0.0.1:${await freePort()}`);
	await startProgram(t, requiredPeer('prometheus-alertmanager'), [
		`--config.file=${configFile}`,
		`--storage.path=${join(await temporaryDirectory(t), 'data')}`,
		`--web.listen-address=${url.host}`,
		'--cluster.listen-address=',
		'--log.level=error',
	]);
	await eventually(async () => (await fetch(new URL('/-/ready', url))).ok, {timeoutMillis: 60_000});
	return {
		url,
		/** Alerts by their labels, firing from now on. */
		async send(alerts: readonly SentAlert[]): Promise<number> {
			const body = JSON.stringify(alerts.map(labels => ({labels, startsAt: new Date().toISOString()})));
			const headers = {'content-type': 'application/json'};
			return (await fetch(new URL('/api/v2/alerts', url), {method: 'POST', headers, body})).status;
		},
		/** The labels of those that somebody would be told of. */
		async active(): Promise<SentAlert[]> {
			const path = '/api/v2/alerts?active=true&inhibited=false&silenced=false';
			const alerts = (await (await fetch(new URL(path, url))).json()) as {labels: SentAlert}[];
			return alerts.map(({labels}) => labels);
		},
		async all(): Promise<number> {
			return ((await (await fetch(new URL('/api/v2/alerts', url))).json()) as unknown[]).length;
		},
	};
}
