import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {json} from 'node:stream/consumers';
import type {ExecutionContext} from 'ava';
import {parse, stringify} from 'yaml';
import {filesOf} from '../../dashboards/generate.ts';
import {startAlertmanager} from '../helpers/alertmanager.ts';
import {startBridgeProcess} from '../helpers/bridge-process.ts';
import {eventually, listen, temporaryDirectory} from '../helpers/listen.ts';
import {testWithPeer} from '../helpers/peers.ts';
import {startPrometheus} from '../helpers/prometheus.ts';

const committed = await readFile(new URL('../../dashboards/alertmanager/alertmanager.yaml', import.meta.url), 'utf8');
const patience = {timeoutMillis: 60_000, intervalMillis: 200};

/** Takes what Alertmanager sends to a webhook: the names of the alerts in it. */
async function startWebhook(t: ExecutionContext) {
	const told: string[] = [];
	const url = await listen(t, async (request, response) => {
		const {alerts} = (await json(request)) as {alerts: {labels: {alertname: string}}[]};
		told.push(...alerts.map(({labels}) => labels.alertname));
		response.end();
	});
	return {url, told};
}

/** The configuration as it is committed, with an address for each of its receivers. */
async function withReceivers(t: ExecutionContext, urls: Readonly<Record<string, URL>>): Promise<string> {
	const config = parse(committed) as {receivers: {name: string}[]};
	const receivers = config.receivers.map(({name}) => ({name, webhook_configs: [{url: urls[name]?.href}]}));
	const file = join(await temporaryDirectory(t), 'alertmanager.yaml');
	await writeFile(file, stringify({...config, receivers}));
	return file;
}

testWithPeer(
	'prometheus-alertmanager',
	'the watchdog is told to the service outside and to nobody else, while a bridge reports and Prometheus looks at it',
	async t => {
		t.timeout(180_000);
		const [people, outside] = [await startWebhook(t), await startWebhook(t)];
		const file = await withReceivers(t, {nobody: people.url, dead_mans_switch: outside.url});
		const alertmanager = await startAlertmanager(t, file);
		const bridge = await startBridgeProcess(t, {});
		const prometheus = await startPrometheus(t, {
			targets: [bridge.metrics],
			rules: filesOf({pace: 0.01})['prometheus/connectivity.rules.yaml'] ?? '',
			alertmanagers: [alertmanager.url],
		});
		await eventually(async () => outside.told.length > 0, patience);
		const [watchdog] = (await prometheus.alerts()).filter(({labels}) => labels.alertname === 'CallHomeWatchdog');
		t.like(watchdog, {state: 'firing', labels: {severity: 'none'}});
		t.regex(watchdog?.annotations.description ?? '', /^Bridges that report: 1\./);

		await bridge.stop('SIGKILL');
		await eventually(async () => people.told.includes('CallHomeBridgeAbsent'), patience);
		const isActive = async () => (await alertmanager.active()).some(({alertname}) => alertname === 'CallHomeWatchdog');
		await eventually(async () => !(await isActive()), patience);
		t.deepEqual([...new Set(outside.told)], ['CallHomeWatchdog']);
		t.false(people.told.includes('CallHomeWatchdog'));
	},
);
