import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {alertRequest, post} from '../helpers/bridge.ts';
import {type BridgeProcess, startBridgeProcess} from '../helpers/bridge-process.ts';
import {startCollector} from '../helpers/collector.ts';
import {eventually, freePort, listen, temporaryDirectory} from '../helpers/listen.ts';
import {askTarget, escaped, escapedInText, pickedOf, readBoard, type Target} from '../helpers/panels.ts';
import {testWithPeer} from '../helpers/peers.ts';
import {type Prometheus, startPrometheus} from '../helpers/prometheus.ts';
import {at, createRedfishService, machinePages} from '../helpers/redfish-service.ts';

const recipe = await readFile(new URL('../../dashboards/collector/own-telemetry.yaml', import.meta.url), 'utf8');
const patience = {timeoutMillis: 60_000, intervalMillis: 250};
const site = 'Zürich "Süd"';
const oddName = 'Ünï "q"\nnext';

const sensor = (id: string, reading: Record<string, unknown>) => ({...at(id), Name: id, Status: {Health: 'OK'}, ...reading});

/** A temperature and a voltage, beside the fan. */
const withSensors = (pages: ReturnType<typeof machinePages>) => ({
	...pages,
	'/redfish/v1/Chassis/1': {...pages['/redfish/v1/Chassis/1'], Power: at('/power')},
	'/thermal': {...pages['/thermal'], Temperatures: [sensor('inlet', {ReadingCelsius: 22})]},
	'/power': {Voltages: [sensor('v12', {ReadingVolts: 12.1})]},
});

/** Two machines that a bridge reads: the same parts, so only the machine's own labels tell them apart. One has a fan that has failed. */
async function startMachines(t: ExecutionContext) {
	const password_file = join(await temporaryDirectory(t), 'password');
	await writeFile(password_file, 'secret', {mode: 0o600});
	const machines = [
		{name: 'db01', pages: withSensors(machinePages([], 'Critical'))},
		{name: oddName, pages: withSensors(machinePages())},
	];
	const systems = await Promise.all(
		machines.map(async ({name, pages}) => {
			const url = await listen(t, createRedfishService(pages).listener);
			return {name, url: url.href, username: 'operator', password_file};
		}),
	);
	return {systems, poll_interval: '1s'};
}

const system = {name: oddName, machine_type: '8871', model: 'AC1', serial_number: 'J1A2B3C', match: {'host.name': 'db01'}};

/** Of its own machine the bridge tells an inventory, and of the one behind the Redfish module that it knows. */
const told = {
	system: {machine_type: '8871', model: 'AC1', serial_number: 'J4D5E6F'},
	systems: [system],
	consent: {cases: true, inventory: true},
};

/** What of Prometheus tells one way from another: where it was scraped, or who pushed it. */
type Way = {readonly job?: string; readonly instance: string};

/** The page of a bridge is scraped as its target; over the Collector all bridges come from one page. */
async function startBoth(t: ExecutionContext) {
	const [intake, page] = [await freePort(), await freePort()];
	const carrier = await startCollector(t, [
		recipe,
		{
			receivers: {'otlp/callhome': {protocols: {http: {endpoint: `127.0.0.1:${intake}`}}}},
			exporters: {'prometheus/callhome': {endpoint: `127.0.0.1:${page}`}},
		},
	]);
	const telemetry = {otlp: {endpoint: `http://127.0.0.1:${intake}`, export_interval: '1s'}, resource: {site}};
	const receivers = {otlp: {endpoint: '127.0.0.1:0'}, redfish: await startMachines(t)};
	const bridge = await startBridgeProcess(t, {telemetry, receivers, ...told});
	const collector = new URL(`http://127.0.0.1:${page}/metrics`);
	const prometheus = await startPrometheus(t, {
		targets: [bridge.metrics, collector],
		labelsOf: target => ({...(target === bridge.metrics && {site})}),
	});
	return {carrier, bridge, collector, prometheus};
}

/** The page is scraped; the same bridge pushes to the OTLP receiver of the same Prometheus. */
async function startPushing(t: ExecutionContext) {
	const port = await freePort();
	const telemetry = {
		otlp: {endpoint: `http://127.0.0.1:${port}/api/v1/otlp`, export_interval: '1s', signals: {traces: false, logs: false}},
		resource: {site},
	};
	const receivers = {otlp: {endpoint: '127.0.0.1:0'}, redfish: await startMachines(t)};
	const bridge = await startBridgeProcess(t, {telemetry, receivers, ...told});
	const prometheus = await startPrometheus(t, {
		port,
		targets: [bridge.metrics],
		job: 'callhome-scraped',
		labelsOf: () => ({site}),
		otlp: {promote: ['site']},
	});
	return {bridge, prometheus};
}

/** The labels of all series that a query of a panel finds of one target. */
async function seriesOf(t: ExecutionContext, {url}: Prometheus, board: string, target: Target, way: Way, since: number) {
	const to = Date.now() / 1000;
	const chosen = {
		instance: escapedInText(way.instance),
		...(way.job !== undefined && {job: escapedInText(way.job)}),
		site: escaped(site),
		interval: '8s',
	};
	const picked = await pickedOf(url, await readBoard(board), to, chosen);
	const {ok, error, found} = await askTarget(url, target, {from: since, to, step: 1}, {...chosen, picked});
	t.true(ok, error);
	return found.map(({metric: {instance: _, job: _job, ...labels}}) => JSON.stringify(labels)).toSorted();
}

/** Cases, and readings of two machines, until Prometheus has them by both ways, and enough of them for a rate. */
async function giveData(bridge: BridgeProcess, prometheus: Prometheus) {
	await post(bridge.otlp, alertRequest({host: 'db01'}, {host: 'stranger'}, {host: 'db01', id: 'fan-1', type: 'fan'}));
	const has = async (expr: string, count: number) => (await prometheus.query(expr)).length === count;
	await eventually(async () => has('callhome_case_duration_seconds_count >= 2', 2), patience);
	for (const expr of [
		'hw_fan_speed_rpm',
		'hw_temperature_celsius',
		'hw_voltage_volts',
		'hw_status{hw_state="ok", hw_type="fan"}',
	])
		await eventually(async () => has(expr, 4), patience);
	await eventually(async () => has('callhome_source_up == 1', 4), patience);
	await eventually(async () => has('callhome_system_inventory_last_success_timestamp_seconds', 4), patience);
	// A rate has a value when there are a few samples of what it is of.
	for (const [name, count] of [
		['callhome_case_duration_seconds_count', 2],
		['hw_fan_speed_rpm', 4],
	] as const)
		await eventually(async () => has(`count_over_time(${name}[1m]) >= 8`, count), patience);
}

/** Each panel shows the same series by the one way as by the other. */
async function comparePanels(t: ExecutionContext, prometheus: Prometheus, one: Way, other: Way, since: number) {
	const compared: Record<string, number> = {};
	for (const name of ['connectivity', 'delivery', 'hardware', 'fleet', 'bridge']) {
		const uid = `callhome-${name}`;
		for (const {title, targets = []} of (await readBoard(uid)).panels) {
			for (const target of targets) {
				const both = async () => ({
					one: await seriesOf(t, prometheus, uid, target, one, since),
					other: await seriesOf(t, prometheus, uid, target, other, since),
				});
				let found = await both();
				// What comes by the one may be a moment ahead of the other.
				const isSame = async () => {
					found = await both();
					return JSON.stringify(found.one) === JSON.stringify(found.other);
				};
				await eventually(isSame, patience).catch(() => {});
				t.deepEqual(found.other, found.one, `${name}: ${title} ${target.refId}`);
				if (found.one.length > 0) compared[name] = (compared[name] ?? 0) + 1;
			}
		}
	}
	t.log(compared);
	t.true(Object.values(compared).reduce((sum, count) => sum + count, 0) > 30);
	for (const name of ['hardware', 'fleet']) t.true((compared[name] ?? 0) >= 8, `${name}: ${compared[name]}`);
}

testWithPeer('otelcol', 'by both ways, the page and a Collector, every panel shows the same series', async t => {
	t.timeout(300_000);
	const {carrier, bridge, collector, prometheus} = await startBoth(t);
	const since = Date.now() / 1000;
	await giveData(bridge, prometheus);
	await comparePanels(t, prometheus, {instance: bridge.metrics.host}, {instance: collector.host}, since);
	for (const [file, text] of [
		['callhome-traces.json', 'traceId'],
		['callhome-events.json', 'callhome.problem.state_change'],
	] as const)
		await eventually(async () => (await readFile(join(carrier.directory, file), 'utf8')).includes(text), patience);
});

testWithPeer('prometheus3', 'Prometheus takes OTLP itself: every panel shows the same series as from the page', async t => {
	t.timeout(300_000);
	const {bridge, prometheus} = await startPushing(t);
	const since = Date.now() / 1000;
	await giveData(bridge, prometheus);
	const [pushed] = await prometheus.query('callhome_clock_time_seconds{job="callhome-bridge"}');
	const way = {job: 'callhome-bridge', instance: pushed?.metric.instance ?? ''};
	await comparePanels(t, prometheus, {job: 'callhome-scraped', instance: bridge.metrics.host}, way, since);
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
