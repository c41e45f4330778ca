import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {eventually, freePort, temporaryDirectory} from '../helpers/listen.ts';
import {requiredPeer} from '../helpers/peer-binaries.ts';
import {startProgram} from '../helpers/program.ts';
import {type Figure, median, numberText} from './parts/figures.ts';
import {type Load, startLoad} from './parts/load-program.ts';
import {type Bench, measure} from './parts/measure.ts';
import {configFor, cpuSeconds, metric, residentMB, startBridge, startSandboxProgram} from './parts/servers.ts';

/**
Intake, select 1 % and forward: records per second of processor time, of the bridge and of a real Collector that filters and
forwards the same. Both get the same gzip batches of 512 records in turn, over eight connections, from a process of its own;
what they forward to is a process of its own, too. `node test/bench/intake.ts [--quick]`
*/

const connections = 8;
const documented = join(import.meta.dirname, '../../dashboards/collector/forward.yaml');

type Server = {
	readonly name: string;
	readonly pid: number;
	readonly url: URL;
	/** How many records it has selected since it started; waits for them to arrive where they go. */
	selected(): Promise<number>;
};

async function startBridgeServer(t: ExecutionContext): Promise<Server> {
	const bridge = await startBridge(t, configFor(await startSandboxProgram(t)));
	const selected = async () => (await metric(bridge, 'callhome_intake_records_total', 'outcome="accepted"')) ?? 0;
	return {name: 'bridge', pid: bridge.program.pid, url: bridge.otlp, selected};
}

/** The documented configuration, with a file system queue that is fsynced, as the bridge's store is. */
async function startCollectorServer(t: ExecutionContext): Promise<Server> {
	const sink = await startProgram(t, process.execPath, [join(import.meta.dirname, 'parts/sink.ts')]);
	await sink.waitFor('\n');
	const sinkUrl = new URL(sink.output().trim());
	const receiver = `127.0.0.1:${await freePort()}`;
	const directory = await temporaryDirectory(t);
	const here = {
		receivers: {otlp: {protocols: {http: {endpoint: receiver}}}},
		exporters: {'otlp_http/callhome': {endpoint: sinkUrl.origin}},
		extensions: {'file_storage/callhome': {directory: 'queue', compaction: {directory: 'queue'}}},
	};
	const file = join(directory, 'here.yaml');
	await writeFile(file, JSON.stringify(here));
	const configs = ['yaml:service::telemetry::metrics::level: none', documented, file].flatMap(config => ['--config', config]);
	const collector = await startProgram(t, requiredPeer('otelcol'), configs, {cwd: directory});
	await collector.waitFor('Everything is ready');
	const selected = async () => Number(await (await fetch(sinkUrl)).text());
	return {name: 'Collector', pid: collector.pid, url: new URL(`http://${receiver}`), selected};
}

/** Sends what the load process holds and returns records per second of the server's processor time. */
async function rateOf(server: Server, load: Load, made: {readonly records: number; readonly alerts: number}): Promise<number> {
	const before = await server.selected();
	const start = cpuSeconds(server.pid);
	await load.send(server.url, connections);
	await eventually(async () => (await server.selected()) >= before + made.alerts, {timeoutMillis: 60_000, intervalMillis: 100});
	const used = cpuSeconds(server.pid) - start;
	const selected = (await server.selected()) - before;
	if (selected !== made.alerts) throw new Error(`${server.name} selected ${selected} of ${made.alerts} alerts`);
	return made.records / used;
}

async function run({t, quick, say}: Bench): Promise<readonly Figure[]> {
	const load = startLoad(t);
	const servers = [await startBridgeServer(t), await startCollectorServer(t)];
	const rates = new Map(servers.map(({name}) => [name, [] as number[]]));
	for (let round = 0; round <= (quick ? 1 : 3); round++) {
		const made = await load.make('forwarded', quick || round === 0 ? 400 : 2000);
		for (const server of servers) {
			const rate = await rateOf(server, load, made);
			say(`${round === 0 ? 'warm-up' : `round ${round}`}, ${server.name}: ${numberText(rate)} records/CPU-s`);
			if (round > 0) rates.get(server.name)?.push(rate);
		}
	}
	const [bridge = Number.NaN, collector = Number.NaN] = servers.map(({name}) => median(rates.get(name) ?? []));
	const memory = servers.map(({name, pid}) => ({name: `intake: RSS of the ${name}`, value: residentMB(pid).now, unit: 'MB'}));
	return [
		{name: 'intake: bridge, 1 % selected', value: bridge, unit: 'records/CPU-s'},
		{name: 'intake: Collector, the same', value: collector, unit: 'records/CPU-s'},
		{name: 'intake: bridge to Collector', value: bridge / collector, unit: 'times', aim: {atLeast: 5}},
		...memory,
	];
}

await measure('intake', run);
