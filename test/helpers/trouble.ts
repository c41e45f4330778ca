import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import {MeterProvider} from '@opentelemetry/sdk-metrics';
import type {ExecutionContext} from 'ava';
import {filesOf} from '../../dashboards/generate.ts';
import {createPrometheusReader} from '../../src/own-telemetry/prometheus.ts';
import {createReadings} from '../../src/own-telemetry/readings.ts';
import type {Reading} from '../../src/source.ts';
import {alertRequest, post} from './bridge.ts';
import {type BridgeProcess, startBridgeProcess} from './bridge-process.ts';
import {issue, makeAuthority} from './certificates.ts';
import {startConnectProxy} from './connect-proxy.ts';
import {eventually, listen, temporaryDirectory} from './listen.ts';
import {type Prometheus, startPrometheus} from './prometheus.ts';

/** What goes wrong with each of the bridges. */
export const troubles = ['sound', 'proxy', 'unavailable', 'full', 'certificate', 'tampered'] as const;
export type Trouble = (typeof troubles)[number];

export type Scene = {
	readonly prometheus: Prometheus;
	/** HOST:PORT under which Prometheus knows each bridge. */
	readonly instances: Readonly<Record<Trouble, string>>;
	/** Unix seconds of the beginning. */
	readonly since: number;
};

/** The rules are so much faster: five minutes are three seconds. */
const pace = 0.01;

const system = (name: string, serial_number: string) => ({
	match: {'host.name': name},
	name,
	machine_type: '8871',
	model: 'AC1',
	serial_number,
});
/** This machine itself, of which an inventory is collected. */
const withInventory = (interval: string) => ({
	system: {machine_type: '8871', model: 'AC1', serial_number: 'S0000009'},
	consent: {cases: true, inventory: true},
	service_information: {inventory: {interval}},
});
/** One has a name that is hard to write. */
export const oddName = 'büro "west"\\1';
const systems = [system('db01', 'S0000001'), system('db02', 'S0000002'), system(oddName, 'S0000003')];

/**
Six bridges under scripted trouble, and a Prometheus that scrapes them each second: one is sound and takes a storm, the proxy
of one dies, IBM answers one with 503 and gets no inventory, the store of
one is full, in that of one somebody else writes; and one serves a certificate that is about to end, and reads machines of which
one falls silent and one has a failed fan.
*/
export async function startTrouble(t: ExecutionContext): Promise<Scene> {
	const proxy = await startMortalProxy(t);
	const directory = await temporaryDirectory(t);
	const tls = await certificateEndingSoon(directory);
	const bridges: Record<Trouble, BridgeProcess> = {
		sound: await startBridgeProcess(t, {systems, ...withInventory('10s')}),
		proxy: await startBridgeProcess(t, {
			systems,
			connections: [{name: 'proxy', proxy: {url: `http://127.0.0.1:${proxy.port}`, connect_timeout: '1s'}}, {direct: {}}],
			service_information: {heartbeat: {interval: '3s'}},
		}),
		unavailable: await startBridgeProcess(t, {
			systems,
			...withInventory('3s'),
			exporter: {
				sandbox: {mode: 'unavailable', probability: 1},
				retry_on_failure: {initial_interval: '1s', max_interval: '2s'},
			},
		}),
		full: await startBridgeProcess(t, {systems, store: {max_size: '2MiB'}}),
		certificate: await startBridgeProcess(t, {systems, receivers: {otlp: {endpoint: '127.0.0.1:0', tls}}}),
		tampered: await startBridgeProcess(t, {systems, store: {directory, ledger_verification: '1s'}}),
	};
	const machines = await startMachines(t, bridges.certificate.metrics);
	const {rules, since} = {rules: allRules(), since: Date.now() / 1000};
	const pages = {...mapped(bridges, ({metrics}) => metrics), certificate: machines.page};
	const prometheus = await startPrometheus(t, {targets: Object.values(pages), rules});

	const alerts = (prefix: string, count: number, host = 'db01') =>
		alertRequest(...Array.from({length: count}, (_, index) => ({host, id: `${prefix}-${index}`, type: 'fan'})));
	for (const name of ['sound', 'proxy', 'unavailable', 'tampered'] as const)
		await post(bridges[name].otlp, alerts(name, 2, 'db02'));
	await post(bridges.sound.otlp, alerts('storm', 30));
	await post(bridges.sound.otlp, alertRequest({host: 'stranger'}, {host: oddName, id: 'psu-1', type: 'power_supply'}));
	const isConnected = 'callhome_connection_status{callhome_connection="proxy", callhome_connection_state="connected"} == 1';
	await eventually(async () => (await prometheus.query(isConnected)).length > 0, {timeoutMillis: 60_000});
	await proxy.die();
	const isSeen = `count_over_time(callhome_ledger_breaks{instance="${pages.tampered.host}"}[10s]) >= 4`;
	await eventually(async () => (await prometheus.query(isSeen)).length > 0, {timeoutMillis: 60_000});
	await eventually(() => changeRequest(directory), {timeoutMillis: 60_000});
	machines.silence();
	repeat(t, 500, () => post(bridges.full.otlp, alerts(`full-${Date.now()}`, 200)));
	repeat(t, 3000, () => post(bridges.proxy.otlp, alerts(`after-${Date.now()}`, 1, 'db02')));
	return {prometheus, instances: mapped(pages, ({host}) => host), since};
}

/** Something else was sent, says who writes into the store of a bridge that runs. False while nothing was. */
export function changeRequest(directory: string): boolean {
	const database = new DatabaseSync(join(directory, 'callhome.db'), {timeout: 10_000});
	try {
		const sql = `UPDATE attempt SET request = replace(request, 'db02', 'db99') WHERE type = 'hardware_alert' AND duration IS NOT NULL`;
		return Number(database.prepare(sql).run().changes) > 0;
	} finally {
		database.close();
	}
}

/** One rule file: the groups have names of their own. */
function allRules(): string {
	const groups = Object.entries(filesOf({pace})).filter(([path]) => path.startsWith('prometheus/'));
	return groups.map(([, text], index) => (index === 0 ? text : text.replace(/^#.*\n+groups:\n/m, ''))).join('');
}

const mapped = <From, To>(values: Readonly<Record<Trouble, From>>, change: (value: From) => To) =>
	Object.fromEntries(troubles.map(name => [name, change(values[name])])) as Record<Trouble, To>;

/** Again and again, until the test ends; a failure is part of the trouble. */
function repeat(t: ExecutionContext, millis: number, work: () => Promise<unknown>): void {
	let stopped = false;
	let timer: NodeJS.Timeout | undefined;
	const run = async () => {
		await work().catch(() => {});
		if (!stopped) timer = setTimeout(run, millis);
	};
	timer = setTimeout(run, 0);
	t.teardown(() => {
		stopped = true;
		clearTimeout(timer);
	});
}

async function startMortalProxy(t: ExecutionContext) {
	const ends: (() => unknown)[] = [];
	const {port} = await startConnectProxy({teardown: (end: () => unknown) => ends.push(end)} as unknown as ExecutionContext);
	const die = async () => {
		for (const end of ends.splice(0)) await end();
	};
	t.teardown(die);
	return {port, die};
}

async function certificateEndingSoon(directory: string) {
	const notAfter = new Date(Date.now() + 2 * 86_400_000);
	const {certificate, key} = await issue(await makeAuthority('site'), {commonName: 'bridge', hosts: ['127.0.0.1'], notAfter});
	const [cert_file, key_file] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
	await writeFile(cert_file, certificate);
	await writeFile(key_file, key, {mode: 0o600});
	return {cert_file, key_file};
}

const states = ['ok', 'degraded', 'failed', 'predicted_failure', 'needs_cleaning'];
const part = (type: string, id: string, name: string) => ({'hw.id': id, 'hw.type': type, 'hw.name': name});
const statusOf = (state: string, attributes: Record<string, string>): Reading[] =>
	states.map(other => ({metric: 'hw.status', value: other === state ? 1 : 0, attributes: {...attributes, 'hw.state': other}}));

/** Readings of a machine, as a source of the bridge makes them. */
export function readingsOf(second: number, isIll: boolean): Reading[] {
	const wave = (base: number, swing: number) => base + swing * Math.sin(second / 5);
	const fan = part('fan', 'fan-1', 'Fan 1');
	const disk = part('physical_disk', 'drive-3', 'Drive 3');
	return [
		...statusOf(isIll ? 'failed' : 'ok', fan),
		...statusOf(isIll ? 'predicted_failure' : 'ok', disk),
		...statusOf('ok', part('power_supply', 'psu-1', 'PSU 1')),
		{
			metric: 'hw.errors',
			value: Math.floor(second / 2),
			attributes: {...part('memory', 'dimm-4', 'DIMM 4'), 'error.type': 'corrected'},
		},
		{metric: 'hw.temperature', value: wave(54, 6), attributes: part('temperature', 'cpu-1-temp', 'CPU 1')},
		{metric: 'hw.fan.speed', value: isIll ? 0 : wave(5200, 300), attributes: fan},
		{metric: 'hw.power', value: wave(120, 8), attributes: part('power_supply', 'psu-1', 'PSU 1')},
		{metric: 'hw.host.power', value: wave(240, 12), attributes: {'hw.id': 'host'}},
		{metric: 'hw.host.ambient_temperature', value: wave(24, 1), attributes: {'hw.id': 'inlet'}},
		{metric: 'hw.voltage', value: wave(12, 0.1), attributes: part('voltage', 'v12', '12 V')},
		{metric: 'hw.power_supply.utilization', value: wave(0.4, 0.02), attributes: part('power_supply', 'psu-1', 'PSU 1')},
		{metric: 'hw.physical_disk.endurance_utilization', value: 0.83, attributes: disk},
	];
}

/** The bridge counts the systems that it reads itself. */
const withSystemsRead = (page: string, count: number) => page.replace(/^(callhome_systems_read\{.*\}) \d+$/m, `$1 ${count}`);

/** The page of a bridge with readings of machines on it, by the code that puts them there. */
async function startMachines(t: ExecutionContext, bridge: URL) {
	const began = Date.now();
	const readings = createReadings({lifetimeMillis: 2000});
	const {reader, page} = createPrometheusReader(readings.onPoints);
	const provider = new MeterProvider({readers: [reader]});
	t.teardown(() => provider.shutdown());
	let isSilent = false;
	const measure = (name: string, serial: string, isIll: boolean) => {
		const resource = {
			'host.name': name,
			'callhome.system.type': '8871',
			'callhome.system.model': 'AC1',
			'callhome.system.serial_number': serial,
		};
		readings.measure('script', resource, readingsOf((Date.now() - began) / 1000, isIll), Date.now());
	};
	const url = await listen(t, async (_, response) => {
		measure('db01', 'S0000001', true);
		measure(oddName, 'S0000003', false);
		if (!isSilent) measure('db02', 'S0000002', false);
		const own = await fetch(bridge).then(answer => answer.text());
		response.setHeader('content-type', 'text/plain; version=0.0.4; charset=utf-8');
		response.end(withSystemsRead(own, readings.machines()) + (await page()));
	});
	let timer: NodeJS.Timeout | undefined;
	t.teardown(() => clearTimeout(timer));
	return {
		page: new URL('/metrics', url),
		/** Soon: it has to have been seen for a while. */
		silence() {
			timer = setTimeout(() => {
				isSilent = true;
			}, 22_000);
		},
	};
}
