import {execFile, fork} from 'node:child_process';
import {once} from 'node:events';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {createSnmpReceiver} from '../../src/receivers/snmp/receiver.ts';
import {eventually, freePort, temporaryDirectory} from '../helpers/listen.ts';
import {requiredPeer} from '../helpers/peer-binaries.ts';
import {keptParts, snmpConfig} from '../helpers/snmp.ts';
import {immBase, immObjects, snmpdAgent} from '../helpers/snmp-agent.ts';
import type {Figure} from './parts/figures.ts';
import {type Bench, measure} from './parts/measure.ts';
import {type Bridge, configFor, cpuSeconds, metric, startBridge, startSandboxProgram} from './parts/servers.ts';
import type {TrapOrder, TrapsSent} from './parts/traps.ts';

/**
SNMP: how many traps a second come to disk and what a burst loses; how many hosts a second are polled, beside net-snmp's
own processes that do the same walks, and what a thousand hosts cost. `node test/bench/snmp.ts [--quick]`
*/

const run = promisify(execFile);

/** Traps so far that are kept, and that are lost. */
async function tallyOf({metrics}: Bridge): Promise<{readonly kept: number; readonly lost: number}> {
	const page = await (await fetch(metrics)).text();
	const lines = page.split('\n').filter(line => line.startsWith('callhome_intake_records_total{') && line.includes('"snmp"'));
	const count = (outcome: string) => {
		const line = lines.find(text => text.includes(`"${outcome}"`)) ?? ' 0';
		return Number(line.slice(line.lastIndexOf(' ') + 1));
	};
	return {kept: count('accepted'), lost: count('lost')};
}

async function trapFigures({t, quick, say}: Bench): Promise<readonly Figure[]> {
	const port = await freePort();
	const traps = {endpoint: `127.0.0.1:${port}`, communities: ['not-public']};
	const bridge = await startBridge(t, {...configFor(await startSandboxProgram(t)), receivers: {snmp: {traps}}});
	const sender = fork(join(import.meta.dirname, 'parts/traps.ts'), {execArgv: []});
	t.teardown(() => sender.kill());
	let sent = 0;
	let round = 0;
	/** Until every trap is counted as kept or as lost, and how long that took. */
	async function send(count: number, rate?: number) {
		const order: TrapOrder = {port, count, machines: 200, round: round++, ...(rate !== undefined && {rate})};
		const {lost: lostBefore} = await tallyOf(bridge);
		const cpu = cpuSeconds(bridge.program.pid);
		sender.send(order);
		const [{bytes, startedAt}] = (await once(sender, 'message')) as [TrapsSent];
		sent += count;
		const settled = async () => {
			const {kept, lost} = await tallyOf(bridge);
			return kept + lost >= sent && {lost: lost - lostBefore};
		};
		// The page of metrics costs the bridge time of its own: it is not asked often.
		const {lost} = await eventually(settled, {timeoutMillis: 120_000, intervalMillis: 150});
		const seconds = (Date.now() - startedAt) / 1000;
		return {perSecond: count / seconds, lost, cores: (cpuSeconds(bridge.program.pid) - cpu) / seconds, bytes};
	}
	await send(200, 200);
	await eventually(async () => (await metric(bridge, 'callhome_events_standing', 'standing="queued"')) === 0, {
		timeoutMillis: 60_000,
	});
	const seconds = quick ? 1 : 5;
	const steady = await send(5000 * seconds, 5000);
	say(`5,000/s for ${seconds} s: kept at ${Math.round(steady.perSecond)}/s, ${steady.lost} lost`);
	const fast = await send(quick ? 5000 : 20_000, 20_000);
	say(`20,000/s: kept at ${Math.round(fast.perSecond)}/s, ${fast.lost} lost`);
	// What the kernel's default buffer of 208 KiB holds of datagrams of this size, and its own bookkeeping for each, three times.
	const comfort = Math.floor(212_992 / (steady.bytes + 768));
	const burst = await send(3 * comfort);
	say(`a burst of ${3 * comfort}: ${burst.lost} lost`);
	return [
		{
			name: 'snmp: traps kept, fsynced, offered 5,000/s',
			value: steady.perSecond,
			unit: 'traps/s',
			aim: {atLeast: quick ? 1 : 4500},
		},
		{name: 'snmp: traps lost of those', value: steady.lost, unit: 'traps', aim: {atMost: 0}},
		{name: 'snmp: bridge uses meanwhile', value: steady.cores, unit: 'cores'},
		{
			name: 'snmp: traps kept, fsynced, offered 20,000/s',
			value: fast.perSecond,
			unit: 'traps/s',
			aim: {atLeast: quick ? 1 : 5000},
		},
		{name: 'snmp: traps lost of those, counted', value: fast.lost, unit: 'traps'},
		{name: 'snmp: traps lost of a burst of 3 default buffers', value: burst.lost, unit: 'traps', aim: {atMost: 0}},
	];
}

/** The addresses of as many machines: each of them is another one to the poller. */
const addressesOf = (agent: number, count: number) =>
	Array.from({length: count}, (_, index) => `127.${1 + agent}.${Math.floor(index / 250)}.${1 + (index % 250)}`);

/** The most that snmpd can be told to listen on is a text of 2,560 characters. */
const perAgent = 100;

async function pollFigures({t, quick, say}: Bench): Promise<readonly Figure[]> {
	const directory = await temporaryDirectory(t);
	const agents = await Promise.all(
		Array.from({length: 2}, async (_, agent) => {
			const addresses = addressesOf(agent, perAgent);
			return {addresses, port: await snmpdAgent(t, directory, immObjects(), addresses)};
		}),
	);
	const hosts = agents.flatMap(({addresses, port}) => addresses.map(host => ({host, port, version: '2c', community: 'imm'})));
	const seconds = quick ? 2 : 10;

	let polls = 0;
	const kept = keptParts({measure: () => void polls++});
	const receiver = createSnmpReceiver(snmpConfig({poll: {interval: '100ms', hosts}}), kept.parts);
	t.teardown(() => receiver.shutdown());
	await receiver.start();
	await eventually(() => polls > hosts.length, {timeoutMillis: 60_000});
	const [from, cpu, start] = [polls, process.cpuUsage(), performance.now()];
	await new Promise(resolve => setTimeout(resolve, seconds * 1000));
	const elapsed = (performance.now() - start) / 1000;
	const {user, system} = process.cpuUsage(cpu);
	const done = polls - from;
	await receiver.shutdown();
	const perPoll = (user + system) / 1e6 / done;
	say(`${done} polls in ${elapsed.toFixed(1)} s, ${(perPoll * 1000).toFixed(2)} ms of processor time each`);

	const walked = ['1.1', '1.2', '1.3', '1.4', '1.5.2', '1.5.18', '1.5.20', '1.5.21', '1.11', '1.12', '2.1'];
	const env = {...process.env, MIBS: '', SNMPCONFPATH: directory, SNMP_PERSISTENT_DIR: directory};
	const bulkWalk = (host: {host: string; port: number}, oid: string) =>
		run(requiredPeer('snmpbulkwalk'), ['-v2c', '-c', 'imm', '-Cr12', '-On', `${host.host}:${host.port}`, oid], {env});
	/** As many processes at a time as keep this machine busy. */
	async function processRate(walks: readonly string[]): Promise<number> {
		let next = 0;
		const begin = performance.now();
		const isOver = () => performance.now() - begin > seconds * 1000;
		const worker = async () => {
			while (!isOver()) {
				const host = hosts[next++ % hosts.length];
				if (host) for (const oid of walks) await bulkWalk(host, oid === '' ? immBase : `${immBase}.${oid}`);
			}
		};
		await Promise.all(Array.from({length: 8}, worker));
		return next / ((performance.now() - begin) / 1000);
	}
	const byTable = await processRate(walked);
	const byTree = await processRate(['']);
	say(`snmpbulkwalk: ${byTable.toFixed(1)} hosts/s table by table, ${byTree.toFixed(1)} hosts/s with the whole tree in one walk`);
	const perSecond = done / elapsed;
	return [
		{name: 'snmp: hosts polled (v2c, snmpd as the agents)', value: perSecond, unit: 'hosts/s'},
		{name: 'snmp: hosts by snmpbulkwalk processes, table by table', value: byTable, unit: 'hosts/s'},
		{name: 'snmp: hosts by snmpbulkwalk processes, one walk', value: byTree, unit: 'hosts/s'},
		{
			name: 'snmp: poller beside the processes, the same walks',
			value: perSecond / byTable,
			unit: 'x',
			...(!quick && {aim: {atLeast: 10}}),
		},
		{name: 'snmp: 1,000 hosts, one poll a minute', value: (perPoll * 1000) / 60, unit: 'cores', aim: {atMost: 0.2}},
	];
}

await measure('snmp', async bench => [...(await trapFigures(bench)), ...(await pollFigures(bench))]);
