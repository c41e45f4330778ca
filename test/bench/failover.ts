import {openCallHome} from '../../src/agent/callhome.ts';
import {openWays} from '../../src/agent/ways.ts';
import type {Sandbox} from '../../src/sandbox/server.ts';
import {startBlackHole} from '../helpers/black-hole.ts';
import {configOf} from '../helpers/bridge.ts';
import {startConnectProxy} from '../helpers/connect-proxy.ts';
import {failed} from '../helpers/decisions.ts';
import {eventually, freePort, temporaryDirectory} from '../helpers/listen.ts';
import {startSandbox} from '../helpers/sandbox.ts';
import {listenSocket} from '../helpers/tls-server.ts';
import {type Figure, median} from './parts/figures.ts';
import {type Bench, measure} from './parts/measure.ts';
import {configFor} from './parts/servers.ts';

/**
What a proxy that does not serve costs a new fault: from the beginning of the attempt over it to the acceptance over the next
connection, less what that one takes by itself. Each time a bridge that knows nothing of its connections yet, with all that is
written down. `node test/bench/failover.ts [--quick]`
*/

/** Of each stage, when the configuration says nothing else. */
const connectTimeoutMillis = 5000;
const overheadMillis = 50;

type Way = {readonly name: string; readonly port: number; readonly samples: number; readonly atMost: number};

const busy = 'HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';

async function waysThatFail({t, quick}: Bench): Promise<readonly Way[]> {
	const [many, few] = quick ? [2, 1] : [20, 3];
	const atOnce = {samples: many, atMost: overheadMillis};
	const afterTimeout = {samples: few, atMost: connectTimeoutMillis + overheadMillis};
	return [
		{name: 'refuses', port: await freePort(), ...atOnce},
		{name: 'is busy (503)', port: (await startConnectProxy(t, {instead: socket => socket.end(busy)})).port, ...atOnce},
		{name: 'drops packets', port: await startBlackHole(t), ...afterTimeout},
		{name: 'takes and is silent', port: await listenSocket(t, () => {}), ...afterTimeout},
	];
}

/** Milliseconds between the attempt over the proxy and the one that was accepted. */
async function extraMillis({t}: Bench, sandbox: Sandbox, port: number): Promise<number> {
	const config = configOf(await temporaryDirectory(t), {
		...configFor({url: sandbox.url().href, caFile: sandbox.caFile}),
		destinations: {allow_loopback: true},
		service_information: {operational_test: false},
		connections: [{proxy: {url: `http://127.0.0.1:${port}`}}, {direct: {}}],
	});
	await using stack = new AsyncDisposableStack();
	const ways = openWays(config, () => {});
	stack.defer(() => ways.close());
	const {consume, store, shutdown} = await openCallHome(config, () => {}, ways);
	stack.defer(shutdown);
	await consume([failed('drive-3', {at: Date.now()})]);
	const attempts = await eventually(
		async () => {
			const [problem] = await store.read.listProblems({});
			const made = problem && (await store.read.attemptsOf(problem.id));
			return made?.some(({status_code}) => status_code === 200) && made;
		},
		{timeoutMillis: 60_000, intervalMillis: 10},
	);
	const first = attempts.find(({type}) => type === 'hardware_alert');
	const accepted = attempts.find(({status_code, type}) => status_code === 200 && type === 'hardware_alert');
	if (!first?.connection.startsWith('proxy') || accepted?.connection !== 'direct')
		throw new Error(`not the way that was meant: ${JSON.stringify(attempts.map(({connection}) => connection))}`);
	return accepted.started_at - first.started_at;
}

async function run(bench: Bench): Promise<readonly Figure[]> {
	const sandbox = await startSandbox(bench.t);
	const ways = await waysThatFail(bench);
	await extraMillis(bench, sandbox, ways[0]?.port ?? 0); // Warm-up.
	const figures: Figure[] = [];
	for (const {name, port, samples, atMost} of ways) {
		const extras: number[] = [];
		for (let sample = 0; sample < samples; sample++) extras.push(await extraMillis(bench, sandbox, port));
		bench.say(`${samples} faults over a proxy that ${name}: ${extras.map(extra => Math.round(extra)).join(', ')} ms`);
		figures.push({name: `failover: a proxy that ${name}, extra, p50`, value: median(extras), unit: 'ms', aim: {atMost}});
		figures.push({name: `failover: a proxy that ${name}, extra, slowest`, value: Math.max(...extras), unit: 'ms'});
	}
	return figures;
}

await measure('failover', run);
