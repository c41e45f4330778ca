import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {alertRequest, post} from '../helpers/bridge.ts';
import {startBridgeProcess} from '../helpers/bridge-process.ts';
import {startCollector} from '../helpers/collector.ts';
import {eventually, freePort} from '../helpers/listen.ts';
import {askTarget, readBoard, type Target} from '../helpers/panels.ts';
import {testWithPeer} from '../helpers/peers.ts';
import {startPrometheus} from '../helpers/prometheus.ts';

const recipe = await readFile(new URL('../../dashboards/collector/own-telemetry.yaml', import.meta.url), 'utf8');
const patience = {timeoutMillis: 60_000, intervalMillis: 250};

/** The page of a bridge is scraped as its target; over the Collector all bridges come from one page. */
const from = (expr: string, instance: string) => expr.replaceAll('$instance', instance.replaceAll('.', '\\\\.'));

testWithPeer('otelcol', 'by both ways, the page and a Collector, every panel shows the same series', async t => {
	t.timeout(300_000);
	const [intake, page] = [await freePort(), await freePort()];
	const carrier = await startCollector(t, [
		recipe,
		{
			receivers: {'otlp/callhome': {protocols: {http: {endpoint: `127.0.0.1:${intake}`}}}},
			exporters: {'prometheus/callhome': {endpoint: `127.0.0.1:${page}`}},
		},
	]);
	const telemetry = {otlp: {endpoint: `http://127.0.0.1:${intake}`, export_interval: '1s'}};
	const system = {name: 'Ünï "q"', machine_type: '8871', model: 'AC1', serial_number: 'J1A2B3C', match: {'host.name': 'db01'}};
	const bridge = await startBridgeProcess(t, {telemetry, systems: [system]});
	const prometheus = await startPrometheus(t, {targets: [bridge.metrics, new URL(`http://127.0.0.1:${page}/metrics`)]});
	const since = Date.now() / 1000;
	await post(bridge.otlp, alertRequest({host: 'db01'}, {host: 'stranger'}, {host: 'db01', id: 'fan-1', type: 'fan'}));
	await eventually(async () => (await prometheus.query('callhome_case_duration_seconds_count == 2')).length === 2, {...patience});

	const seriesOf = async (target: Target, instance: string) => {
		const range = {from: since, to: Date.now() / 1000, step: 1};
		const {ok, error, found} = await askTarget(prometheus.url, {...target, expr: from(target.expr, instance)}, range, '8s');
		t.true(ok, error);
		return found.map(({metric: {instance: _, ...labels}}) => JSON.stringify(labels)).toSorted();
	};
	let compared = 0;
	for (const name of ['connectivity', 'delivery', 'fleet', 'bridge']) {
		const board = await readBoard(`callhome-${name}`);
		for (const {title, targets = []} of board.panels) {
			for (const target of targets) {
				const both = async () => ({
					own: await seriesOf(target, bridge.metrics.host),
					collector: await seriesOf(target, `127.0.0.1:${page}`),
				});
				// A scrape of the one may be a moment ahead of the other.
				const isSame = async () => {
					const {own, collector} = await both();
					return JSON.stringify(own) === JSON.stringify(collector);
				};
				await eventually(isSame, patience).catch(() => {});
				const {own, collector} = await both();
				t.deepEqual(collector, own, `${name}: ${title} ${target.refId}`);
				if (own.length > 0) compared++;
			}
		}
	}
	t.true(compared > 30, `${compared} queries had data`);
	for (const [file, text] of [
		['callhome-traces.json', 'traceId'],
		['callhome-events.json', 'callhome.problem.state_change'],
	] as const)
		await eventually(async () => (await readFile(join(carrier.directory, file), 'utf8')).includes(text), patience);
});

testWithPeer('prometheus', 'two bridges of the same name are told apart, as is one whose clock is off', async t => {
	const telemetry = {service_name: 'twin'};
	const twins = await Promise.all([startBridgeProcess(t, {telemetry}), startBridgeProcess(t, {telemetry})]);
	const prometheus = await startPrometheus(t, {targets: twins.map(({metrics}) => metrics)});
	await eventually(async () => (await prometheus.query('callhome_heartbeat_interval_seconds')).length === 2, patience);
	const found = await prometheus.query(
		'max by (job, instance) (abs(timestamp(callhome_clock_time_seconds) - callhome_clock_time_seconds))',
	);
	t.deepEqual(found.map(({metric}) => metric.instance).toSorted(), twins.map(({metrics}) => metrics.host).toSorted());
	for (const {value} of found) t.true(value < 30);
});
