import {once} from 'node:events';
import {type AddressInfo, connect, createServer, type Socket} from 'node:net';
import type {ExecutionContext} from 'ava';
import type {Activity} from '../../src/activity.ts';
import {passingOf} from '../../src/agent/support-proxy.ts';
import {openWays} from '../../src/agent/ways.ts';
import {supportProxySchema} from '../../src/support-proxy/config.ts';
import {createSupportProxy} from '../../src/support-proxy/server.ts';
import {configOf} from './bridge.ts';
import {type DnsServer, startDnsServer, type Zone} from './dns-server.ts';
import {temporaryDirectory} from './listen.ts';

/** A TCP server that sends back what it gets, on loopback or on an address of it. */
export async function startEcho(t: ExecutionContext, host = '127.0.0.1') {
	let connections = 0;
	const sockets = new Set<Socket>();
	const server = createServer({allowHalfOpen: true}, socket => {
		connections++;
		sockets.add(socket.on('error', () => {}));
		socket.pipe(socket);
	}).listen(0, host);
	await once(server, 'listening');
	t.teardown(() => {
		server.close();
		for (const socket of sockets) socket.destroy();
	});
	return {port: (server.address() as AddressInfo).port, connections: () => connections, sockets};
}

export type StartOptions = {
	/** `support_proxy` of the configuration. */
	readonly settings?: Record<string, unknown>;
	/** HOST, PORT of what is listed. */
	readonly listed?: readonly {readonly host: string; readonly port: number; readonly addresses?: readonly string[]}[];
	readonly zone?: Zone;
	/** Of `destinations`, beside. */
	readonly destinations?: Record<string, unknown>;
	readonly connections?: readonly object[];
	readonly allowLoopback?: boolean;
};

/** A support proxy over the connections of a configuration, with what it counted and told. */
export async function startSupportProxy(t: ExecutionContext, options: StartOptions = {}) {
	const {settings = {}, listed = [], zone, connections, allowLoopback = true} = options;
	const dns: DnsServer | undefined = zone && (await startDnsServer(t, zone));
	const config = configOf(await temporaryDirectory(t), {
		destinations: {
			allow_loopback: allowLoopback,
			...(dns && {dns_servers: [dns.address]}),
			...(listed.length > 0 && {problem_reporting: listed}),
			...options.destinations,
		},
		...(connections && {connections}),
	});
	const own = supportProxySchema.parse({endpoint: '127.0.0.1:0', ...settings});
	const decisions: string[] = [];
	const bytes = {transmit: 0, receive: 0};
	const told: Activity[] = [];
	const said: string[] = [];
	const ways = openWays(config, (_, text) => said.push(text));
	const list = passingOf(config, own, ways.destinations());
	const proxy = createSupportProxy(own, {
		passing: () => list,
		open: ways.openPublic,
		download: ways.downloadPublic,
		resolve: ways.resolvePublic,
		requested: decision => decisions.push(decision),
		passed: (direction, length) => {
			bytes[direction] += length;
		},
		record: activities => told.push(...activities),
		log: (_, text) => said.push(text),
	});
	await proxy.start();
	t.teardown(async () => {
		await proxy.shutdown();
		await ways.close();
	});
	const {host, port} = proxy.address();
	return {proxy, port, host, decisions, bytes, told, said, dns};
}

/** What a client gets for these bytes until the connection is closed, or until the text is there. */
export async function exchangeWith(
	port: number,
	request: string | Buffer,
	{until, host = '127.0.0.1', end = false}: {until?: string; host?: string; end?: boolean} = {},
): Promise<string> {
	const socket = connect({port, host});
	let got = '';
	const {promise, resolve, reject} = Promise.withResolvers<string>();
	const timer = setTimeout(() => reject(new Error(`no end after 20 s: ${got}`)), 20_000);
	socket
		.setEncoding('latin1')
		.on('data', (text: string) => {
			got += text;
			if (until !== undefined && got.includes(until)) resolve(got);
		})
		.on('error', () => {})
		.on('close', () => resolve(got));
	if (end) socket.end(request);
	else socket.write(request);
	try {
		return await promise;
	} finally {
		clearTimeout(timer);
		socket.destroy();
	}
}

export const connectRequest = (target: string, headers: readonly string[] = []): string =>
	[`CONNECT ${target} HTTP/1.1`, `Host: ${target}`, ...headers, '', ''].join('\r\n');

/** A tunnel that is open. */
export async function openTunnel(port: number, target: string, headers: readonly string[] = []): Promise<Socket> {
	const socket = connect({port, host: '127.0.0.1', allowHalfOpen: true});
	socket.on('error', () => {}).write(connectRequest(target, headers));
	const [answer] = (await once(socket, 'data')) as [Buffer];
	if (!answer.toString().startsWith('HTTP/1.1 200 ')) throw new Error(answer.toString());
	return socket;
}

export const basic = (user: string, password: string): string =>
	`Proxy-Authorization: Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
