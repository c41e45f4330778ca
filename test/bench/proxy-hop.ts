import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {callHomeConnectSchema} from '../../exporters/call-home-connect/config.ts';
import {createCallHomeConnectExporter} from '../../exporters/call-home-connect/exporter.ts';
import type {Sender} from '../../src/exporter.ts';
import {readAuthorities, trusting} from '../../src/sending/authorities.ts';
import {createConnection} from '../../src/sending/connections.ts';
import {connectionsSchema} from '../../src/sending/connections-config.ts';
import {createLookup} from '../../src/sending/names.ts';
import {throughConnections} from '../../src/sending/sender.ts';
import {freePort, temporaryDirectory} from '../helpers/listen.ts';
import {peer} from '../helpers/peer-binaries.ts';
import {startProgram} from '../helpers/program.ts';
import {startSquid} from '../helpers/squid.ts';
import {keys, parties, submissionOf} from '../helpers/submissions.ts';
import {type Figure, median, quantile} from './parts/figures.ts';
import {type Bench, measure} from './parts/measure.ts';
import {startSandboxProgram} from './parts/servers.ts';

/**
What one proxy hop adds to a submission of a problem, on loopback: from the exporter to IBM's answer, each over a connection of
its own with its TLS handshake, direct and through each proxy by turns. `node test/bench/proxy-hop.ts [--quick]`
*/

type Way = {readonly name: string; readonly config: object};

async function startTinyproxy({t}: Bench): Promise<Way> {
	const port = await freePort();
	const file = join(await temporaryDirectory(t), 'tinyproxy.conf');
	await writeFile(file, `Port ${port}\nListen 127.0.0.1\nAllow 127.0.0.1\nLogLevel Error\nMaxClients 100\n`);
	const program = await startProgram(t, 'tinyproxy', ['-d', '-c', file]);
	t.teardown(() => program.stop('SIGKILL'));
	return {name: 'tinyproxy', config: {proxy: {url: `http://127.0.0.1:${port}`}}};
}

async function waysOf(bench: Bench): Promise<readonly Way[]> {
	const ways: Way[] = [{name: 'direct', config: {direct: {}}}];
	if (peer('squid')) ways.push({name: 'squid', config: {proxy: {url: (await startSquid(bench.t)).url.origin}}});
	if (peer('tinyproxy')) ways.push(await startTinyproxy(bench));
	return ways;
}

async function sendersOf(bench: Bench): Promise<readonly {readonly name: string; readonly send: Sender}[]> {
	const {url, caFile} = await startSandboxProgram(bench.t);
	const trust = trusting(readAuthorities(caFile));
	const options = callHomeConnectSchema.parse({customer_number: '1234567', ...keys, endpoint: url, ca_file: caFile});
	const exporter = createCallHomeConnectExporter(options, parties);
	return (await waysOf(bench)).map(({name, config}) => {
		const [parsed] = connectionsSchema.parse([config]);
		if (!parsed) throw new Error('no connection');
		const lookup = createLookup({allowLoopback: true});
		const connection = createConnection(parsed, {trustOf: () => trust, lookup});
		bench.t.teardown(() => connection.close());
		return {name, send: throughConnections([connection], exporter, {destination: options.endpoint.host})};
	});
}

async function millisOf(send: Sender, round: number): Promise<number> {
	const submission = submissionOf('hardware_alert', {transactionId: `bench_${process.pid}_${round}`});
	const start = performance.now();
	const outcome = await send(submission, AbortSignal.timeout(20_000));
	const took = performance.now() - start;
	if (outcome.status !== 'acknowledged') throw outcome.error;
	return took;
}

async function run(bench: Bench): Promise<readonly Figure[]> {
	const senders = await sendersOf(bench);
	const [warmUp, rounds] = bench.quick ? [5, 20] : [50, 400];
	const taken = new Map(senders.map(({name}) => [name, [] as number[]]));
	for (let round = 0; round < warmUp + rounds; round++) {
		for (const {name, send} of senders) {
			const took = await millisOf(send, round);
			if (round >= warmUp) taken.get(name)?.push(took);
		}
	}
	const direct = taken.get('direct') ?? [];
	return [...taken].flatMap(([name, millis]) => {
		const figures: Figure[] = [
			{name: `proxy hop: ${name}, p50`, value: median(millis), unit: 'ms'},
			{name: `proxy hop: ${name}, p99`, value: quantile(millis, 0.99), unit: 'ms'},
		];
		if (name === 'direct') return figures;
		const added = [
			{name: `proxy hop: ${name} adds, p50`, value: median(millis) - median(direct), unit: 'ms'},
			{name: `proxy hop: ${name} adds, p99`, value: quantile(millis, 0.99) - quantile(direct, 0.99), unit: 'ms'},
		];
		return [...figures, ...added];
	});
}

await measure('proxy-hop', run);
