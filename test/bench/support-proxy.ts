import {fork} from 'node:child_process';
import {once} from 'node:events';
import {writeFile} from 'node:fs/promises';
import {connect, type Socket} from 'node:net';
import {join} from 'node:path';
import {freePort, temporaryDirectory} from '../helpers/listen.ts';
import {peer} from '../helpers/peer-binaries.ts';
import {startProgram} from '../helpers/program.ts';
import {startSquid} from '../helpers/squid.ts';
import {type Figure, median} from './parts/figures.ts';
import {type Bench, measure} from './parts/measure.ts';
import {cpuSeconds, residentMB} from './parts/servers.ts';

/**
What a byte through the support proxy costs, against squid and tinyproxy, and what an open tunnel does, on loopback. The server
that sends the bytes is a process of its own, as the proxies are. `node test/bench/support-proxy.ts [--quick]`
*/

type Proxy = {readonly name: string; readonly pid: number; readonly port: number};

const top = join(import.meta.dirname, '../..');

async function startSource({t}: Bench): Promise<number> {
	const child = fork(join(import.meta.dirname, 'parts/byte-source.ts'), {execArgv: []});
	t.teardown(() => child.kill('SIGKILL'));
	const [port] = (await once(child, 'message')) as [number];
	return port;
}

async function startOurs({t}: Bench, source: number): Promise<Proxy> {
	const directory = await temporaryDirectory(t);
	const file = join(directory, 'callhome.yaml');
	const config = {
		exporter: {sandbox: {}},
		destinations: {problem_reporting: [{host: '127.0.0.1', port: source}]},
		support_proxy: {endpoint: '127.0.0.1:0', limits: {connections_per_client: 2000, bytes_per_tunnel: '1000GiB'}},
		telemetry: {metrics_endpoint: '127.0.0.1:0'},
		store: {directory: join(directory, 'state')},
	};
	await writeFile(file, JSON.stringify(config));
	const flags = ['--max-semi-space-size=4', 'src/cli.ts', 'support-proxy', 'run', '--json', '--config', file];
	const program = await startProgram(t, process.execPath, flags, {cwd: top});
	await program.waitFor('"ready":true');
	const port = /"support_proxy":"http:\/\/127\.0\.0\.1:(\d+)/.exec(program.output())?.[1];
	return {name: 'support proxy', pid: program.pid, port: Number(port)};
}

async function startTinyproxy({t}: Bench): Promise<Proxy> {
	const port = await freePort();
	const file = join(await temporaryDirectory(t), 'tinyproxy.conf');
	await writeFile(file, `Port ${port}\nListen 127.0.0.1\nAllow 127.0.0.1\nLogLevel Error\nMaxClients 100\n`);
	const program = await startProgram(t, 'tinyproxy', ['-d', '-c', file]);
	t.teardown(() => program.stop('SIGKILL'));
	return {name: 'tinyproxy', pid: program.pid, port};
}

async function startSquidProxy({t}: Bench): Promise<Proxy> {
	const {pid, url} = await startSquid(t);
	return {name: 'squid', pid, port: Number(url.port)};
}

async function openTunnel(port: number, source: number): Promise<Socket> {
	for (let attempt = 1; ; attempt++) {
		const socket = connect({port, host: '127.0.0.1', noDelay: true}).on('error', () => {});
		socket.write(`CONNECT 127.0.0.1:${source} HTTP/1.1\r\nHost: 127.0.0.1:${source}\r\n\r\n`);
		const [answer] = (await Promise.race([once(socket, 'data'), once(socket, 'close')])) as [Buffer | boolean];
		if (Buffer.isBuffer(answer) && / 200 /.test(answer.toString('latin1', 0, 20))) return socket;
		socket.destroy();
		if (attempt >= 10) throw new Error(`no tunnel through port ${port}: ${String(answer)}`);
	}
}

/** MB from the source through one tunnel, for each second of the proxy's processor time. */
async function throughput(proxy: Proxy, source: number, megabytes: number): Promise<number> {
	const socket = await openTunnel(proxy.port, source);
	const before = cpuSeconds(proxy.pid);
	let got = 0;
	socket.on('data', (chunk: Buffer) => {
		got += chunk.length;
	});
	socket.write(`${megabytes}\n`);
	await once(socket, 'close');
	if (got < megabytes * 1e6) throw new Error(`${proxy.name} passed ${got} bytes`);
	return megabytes / Math.max(0.01, cpuSeconds(proxy.pid) - before);
}

async function run(bench: Bench): Promise<readonly Figure[]> {
	const source = await startSource(bench);
	const ours = await startOurs(bench, source);
	const proxies = [ours];
	if (peer('squid')) proxies.push(await startSquidProxy(bench));
	if (peer('tinyproxy')) proxies.push(await startTinyproxy(bench));
	const [rounds, megabytes, count] = bench.quick ? [1, 50, 50] : [5, 1000, 1000];

	const rates = new Map(proxies.map(({name}) => [name, [] as number[]]));
	for (let round = 0; round < rounds; round++)
		for (const proxy of proxies) rates.get(proxy.name)?.push(await throughput(proxy, source, megabytes));
	const rateOf = (name: string) => median(rates.get(name) ?? []);

	const idle = residentMB(ours.pid).now;
	const start = performance.now();
	const sockets: Socket[] = [];
	while (sockets.length < count)
		sockets.push(
			...(await Promise.all(Array.from({length: Math.min(50, count - sockets.length)}, () => openTunnel(ours.port, source)))),
		);
	const took = performance.now() - start;
	const perTunnel = ((residentMB(ours.pid).now - idle) * 1000) / count;
	const alive = sockets.filter(({destroyed}) => !destroyed).length;
	for (const socket of sockets) socket.destroy();

	return [
		...proxies.map(({name}): Figure => {
			const aim = name === 'support proxy' && rates.has('squid') ? {aim: {atLeast: rateOf('squid')}} : {};
			return {name: `support proxy: throughput of ${name}`, value: rateOf(name), unit: 'MB/CPU-s', ...aim};
		}),
		{name: 'support proxy: tunnels open at once', value: alive, unit: 'tunnels', aim: {atLeast: count}},
		{name: 'support proxy: tunnels opened', value: count / (took / 1000), unit: '/s'},
		{name: 'support proxy: memory of an open tunnel', value: perTunnel, unit: 'kB'},
	];
}

await measure('support-proxy', run);
