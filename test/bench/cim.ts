import {setTimeout as pause} from 'node:timers/promises';
import {Agent, request} from 'undici';
import {exportHeaders, indicationXml, memoryFault} from '../helpers/cim.ts';
import {eventually, freePort} from '../helpers/listen.ts';
import {type Figure, quantile} from './parts/figures.ts';
import {type Bench, measure} from './parts/measure.ts';
import {configFor, startBridge, startSandboxProgram} from './parts/servers.ts';

/**
From a CIM indication to its answer, with 200 management modules that each send a new fault every four seconds over a connection
of their own: received, read, decided and synchronized to the disk by the whole bridge.
`node test/bench/cim.ts [--quick]`
*/

const senders = 200;
const intervalMillis = 4000;

async function run({t, quick, say}: Bench): Promise<readonly Figure[]> {
	const sandbox = await startSandboxProgram(t);
	const endpoint = `127.0.0.1:${await freePort()}`;
	const config = {...configFor(sandbox), receivers: {cim: {endpoint}}};
	await startBridge(t, config);
	await eventually(async () => (await fetch(`http://${endpoint}/`)).status === 405);
	const agent = new Agent({connections: senders});
	t.teardown(() => agent.destroy());

	async function send(sender: number, round: number): Promise<number> {
		const body = indicationXml({
			...memoryFault,
			SystemName: `imm-${sender}.example`,
			Message: `Uncorrectable error detected for "DIMM ${round + 1}" on Subsystem "System Memory".`,
			EventTime: `20261101${String(10 + Math.floor(round / 60)).padStart(2, '0')}${String(round % 60).padStart(2, '0')}00.000000+000`,
		});
		const start = performance.now();
		const answer = await request(`http://${endpoint}/`, {method: 'POST', headers: exportHeaders, body, dispatcher: agent});
		const text = await answer.body.text();
		if (answer.statusCode !== 200 || text.includes('<ERROR'))
			throw new Error(`the bridge answered ${answer.statusCode}: ${text}`);
		return performance.now() - start;
	}

	const [warmUp, rounds] = [2, quick ? 2 : 6];
	const latencies: number[] = [];
	await Promise.all(
		Array.from({length: senders}, async (_, sender) => {
			await pause((intervalMillis * sender) / senders);
			for (let round = 0; round < warmUp + rounds; round++) {
				const [latency] = await Promise.all([send(sender, round), pause(intervalMillis)]);
				if (round >= warmUp) latencies.push(latency);
			}
		}),
	);
	say(`${latencies.length} indications of ${senders} senders, the slowest ${Math.max(...latencies).toFixed(1)} ms`);
	return [
		{name: 'cim: indication to answer, 200 senders, p50', value: quantile(latencies, 0.5), unit: 'ms', aim: {atMost: 15}},
		{name: 'cim: indication to answer, 200 senders, p99', value: quantile(latencies, 0.99), unit: 'ms', aim: {atMost: 50}},
	];
}

await measure('cim', run);
