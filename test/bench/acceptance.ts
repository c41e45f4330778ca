import {eventually} from '../helpers/listen.ts';
import {type Shape, shapes} from './parts/bodies.ts';
import {type Figure, median, quantile} from './parts/figures.ts';
import {type Load, startLoad} from './parts/load-program.ts';
import {type Bench, measure} from './parts/measure.ts';
import {type Bridge, configFor, cpuSeconds, metric, startBridge, startSandboxProgram} from './parts/servers.ts';

/**
Durable acceptance: how fast alerts come in when each is on disk before its 200, one in a request over 64 connections, and in
gzip batches of 512. They are about a thousand faults whose cases were opened before, and join these.
`node test/bench/acceptance.ts [--quick]`
*/

/** Opens the problems that the measured alerts join, and waits until all is sent. */
async function openProblems(bridge: Bridge, load: Load) {
	await load.make('alerts', Math.ceil(shapes.alerts.faults / shapes.alerts.records));
	await load.send(bridge.otlp, 1);
	const isSent = async () => (await metric(bridge, 'callhome_events_standing', 'standing="queued"')) === 0;
	await eventually(isSent, {timeoutMillis: 60_000, intervalMillis: 200});
}

type Measured = {readonly perSecond: number; readonly latencies: readonly number[]; readonly cores: number};

async function rateOf(bridge: Bridge, load: Load, shape: Shape, count: number, connections: number): Promise<Measured> {
	const {alerts} = await load.make(shape, count);
	const start = cpuSeconds(bridge.program.pid);
	const {seconds, latencies} = await load.send(bridge.otlp, connections);
	return {perSecond: alerts / seconds, latencies, cores: (cpuSeconds(bridge.program.pid) - start) / seconds};
}

async function run({t, quick, say}: Bench): Promise<readonly Figure[]> {
	const load = startLoad(t);
	const bridge = await startBridge(t, configFor(await startSandboxProgram(t)));
	await openProblems(bridge, load);
	const rounds = quick ? 1 : 3;
	const measured: Record<'single' | 'alerts', Measured[]> = {single: [], alerts: []};
	for (let round = 0; round <= rounds; round++) {
		const single = await rateOf(bridge, load, 'single', quick || round === 0 ? 2000 : 10_000, 64);
		const alerts = await rateOf(bridge, load, 'alerts', quick || round === 0 ? 20 : 200, 8);
		say(
			`${round === 0 ? 'warm-up' : `round ${round}`}: ${Math.round(single.perSecond)} requests/s, ${Math.round(alerts.perSecond)} records/s`,
		);
		if (round === 0) continue;
		measured.single.push(single);
		measured.alerts.push(alerts);
	}
	const {single, alerts} = measured;
	const perSecond = (of: readonly Measured[]) => median(of.map(one => one.perSecond));
	const latency = (of: readonly Measured[], part: number) =>
		quantile(
			of.flatMap(one => one.latencies),
			part,
		);
	const cores = (of: readonly Measured[]) => median(of.map(one => one.cores));
	return [
		{name: 'acceptance: single alerts, 64 connections', value: perSecond(single), unit: 'requests/s', aim: {atLeast: 2000}},
		{name: 'acceptance: single alerts, p50', value: latency(single, 0.5), unit: 'ms'},
		{name: 'acceptance: single alerts, p99', value: latency(single, 0.99), unit: 'ms'},
		{name: 'acceptance: single alerts, bridge uses', value: cores(single), unit: 'cores'},
		{name: 'acceptance: batches of 512 alerts', value: perSecond(alerts), unit: 'records/s', aim: {atLeast: 20_000}},
		{name: 'acceptance: batches, p50', value: latency(alerts, 0.5), unit: 'ms'},
		{name: 'acceptance: batches, p99', value: latency(alerts, 0.99), unit: 'ms'},
		{name: 'acceptance: batches, bridge uses', value: cores(alerts), unit: 'cores'},
	];
}

await measure('acceptance', run);
