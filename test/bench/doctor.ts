import {traffics} from '../../src/destination.ts';
import {type Examination, examine} from '../../src/sending/doctor/examine.ts';
import {startConnectProxy} from '../helpers/connect-proxy.ts';
import {destinationOf, never, serverOf} from '../helpers/scripted-walks.ts';
import {startSocksProxy} from '../helpers/socks-proxy.ts';
import {listenSocket, listenTls} from '../helpers/tls-server.ts';
import {localhost, type WayOptions, wayOut} from '../helpers/ways-out.ts';
import {type Figure, median} from './parts/figures.ts';
import {type Bench, measure} from './parts/measure.ts';

/**
How long a doctor's run takes over four connections and six destinations, one connection being a proxy that swallows everything:
no longer than one stage may take, as all paths are walked at once. `node test/bench/doctor.ts [--quick]`
*/

const servers = 6;
/** For handshakes on two cores, and timers that are late. */
const overheadMillis = 250;

async function startDestinations({t}: Bench) {
	const urls = await Promise.all(
		Array.from({length: servers}, () => listenTls(t, localhost, (_request, response) => response.end('{}'))),
	);
	return urls.map(({port}) => destinationOf('problem_reporting', serverOf('localhost', {ports: [Number(port)]})));
}

async function startConnections({t}: Bench, connectTimeoutMillis: number) {
	const [http, socks, blackHole] = await Promise.all([
		startConnectProxy(t),
		startSocksProxy(t),
		listenSocket(t, () => {}).then(port => ({port})),
	]);
	const options: WayOptions = {connectTimeoutMillis};
	return [
		wayOut(t, {direct: {}}, options),
		wayOut(t, {proxy: {name: 'http', url: `http://127.0.0.1:${http.port}`}}, options),
		wayOut(t, {proxy: {name: 'socks', url: `socks5://127.0.0.1:${socks.port}`}}, options),
		wayOut(t, {proxy: {name: 'black hole', url: `http://127.0.0.1:${blackHole.port}`}}, options),
	].map(({name, kind, walk}) => ({name, kind, walk, traffic: traffics}));
}

async function runOnce(examination: Pick<Examination, 'connections' | 'destinations'>) {
	const startedAt = performance.now();
	const diagnosis = await examine({...examination, probes: () => undefined, signal: never});
	const tookMillis = performance.now() - startedAt;
	const durations = diagnosis.paths.flatMap(({stages}) => stages.map(({duration}) => duration));
	const working = diagnosis.servers.map(server => server.working.length);
	if (working.some(count => count !== 3)) throw new Error(`of 4 connections 3 are to work, and ${working} do`);
	return {tookMillis, oneByOneMillis: durations.reduce((sum, duration) => sum + duration, 0)};
}

async function run(bench: Bench): Promise<readonly Figure[]> {
	const stageMillis = bench.quick ? 500 : 5000;
	const destinations = await startDestinations(bench);
	const connections = await startConnections(bench, stageMillis);
	const runs = [];
	for (let index = 0; index < (bench.quick ? 2 : 3); index++) runs.push(await runOnce({connections, destinations}));
	const took = median(runs.map(({tookMillis}) => tookMillis));
	const sum = median(runs.map(({oneByOneMillis}) => oneByOneMillis));
	bench.say(`one stage may take ${stageMillis} ms`);
	return [
		{
			name: 'doctor: 4 connections x 6 destinations, one black hole',
			value: took,
			unit: 'ms',
			aim: {atMost: stageMillis + overheadMillis},
		},
		{name: 'doctor: beyond its slowest stage', value: took - stageMillis, unit: 'ms'},
		{name: 'doctor: the same paths one after the other', value: sum, unit: 'ms'},
	];
}

await measure('doctor', run);
