import {once} from 'node:events';
import {createServer, type IncomingMessage, type ServerResponse} from 'node:http';
import type {AddressInfo, Socket} from 'node:net';
import type {Activity} from '../activity.ts';
import type {Component} from '../component.ts';
import type {Traffic} from '../destination.ts';
import {BridgeError, toError} from '../errors.ts';
import type {Endpoint} from '../settings.ts';
import type {Passing} from './allow-list.ts';
import {refuse} from './answer.ts';
import type {Target} from './authority.ts';
import {createClients} from './clients.ts';
import type {SupportProxyConfig} from './config.ts';
import {passDownload, questionOf, type Reply} from './downloads.ts';
import {createJudge, type Judged} from './judge.ts';
import type {Resolve} from './lookups.ts';
import {createOpening} from './opening.ts';
import {createRecord} from './record.ts';
import {clientRefusal, type Decision, type Refusal} from './refusal.ts';
import {createTunnels, type Direction} from './tunnels.ts';

export type SupportProxyParts = {
	/** What passes now; the same object as long as nothing has changed. */
	readonly passing: () => readonly Passing[];
	/** A socket to a destination; no name leads into the private network. */
	readonly open: (traffic: Traffic, target: Target, signal: AbortSignal) => Promise<Socket>;
	/** A question over plain HTTP, likewise. */
	readonly download: (
		target: Target,
		request: ReturnType<typeof questionOf> & {readonly path: string},
		signal: AbortSignal,
	) => Promise<Reply>;
	/** The addresses of a listed name. */
	readonly resolve: Resolve;
	readonly requested: (decision: Decision) => void;
	/** Bytes, towards the destination or from it. */
	readonly passed: (direction: Direction, bytes: number) => void;
	readonly record: (activities: readonly Activity[]) => void;
	readonly log: (level: 'error', text: string) => void;
	readonly now?: () => number;
};

export type SupportProxy = Component & {
	address(): Endpoint;
	/** How many tunnels are open. */
	tunnels(): number;
};

/**
	client ──▶ allowed here? ──▶ who is it? ──▶ on the list? ──▶ the bridge's connections ──▶ destination
	               403, 503        407, 429        403, 400          502, 503, 504

One connection carries one request: a tunnel, or a GET of a configuration update. All else is refused, with the reason.
*/
export function createSupportProxy(config: SupportProxyConfig, parts: SupportProxyParts): SupportProxy {
	const {limits} = config;
	const {now = Date.now, log, passed} = parts;
	const admit = createClients(config);
	const judge = createJudge(config, {...parts, now});
	const tunnels = createTunnels({limits, passed, now});
	const record = createRecord({write: parts.record, now});
	const opening = createOpening(limits.open_timeout);
	const sockets = new Map<Socket, string>();
	const served = new WeakSet<Socket>();

	function decide(decision: Decision, entry: Omit<Parameters<typeof record.add>[0], 'decision'>): void {
		parts.requested(decision);
		record.add({...entry, decision});
	}

	function deny(socket: Socket, refusal: Refusal, {user, target}: Partial<Judged<Target>> = {}, withBody = true): void {
		decide(refusal.decision, {client: sockets.get(socket) ?? '', user, target, text: refusal.text});
		refuse(socket, refusal, withBody);
	}

	async function tunnel(request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
		const client = sockets.get(socket) ?? '';
		const {verdict, ...asked} = await judge.tunnel(request, client);
		if (!verdict.passes) return deny(socket, verdict.refusal, asked);
		const {traffic, target} = verdict;
		const opened = await opening.run(socket, signal => parts.open(traffic, target, signal));
		if (opened.refusal) return deny(socket, opened.refusal, asked);
		const destination = opened.value;
		if (socket.destroyed) return void destination.destroy();
		parts.requested('allowed');
		socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
		tunnels.open(socket, destination, head, tunnelled => record.add({...asked, client, decision: 'allowed', tunnelled}));
	}

	async function download(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const {socket} = request;
		const client = sockets.get(socket) ?? '';
		request.resume(); // A body is read and thrown away: it would hold up the answer.
		const {verdict, ...asked} = await judge.download(request, client);
		const withBody = request.method !== 'HEAD';
		if (!verdict.passes) return deny(socket, verdict.refusal, asked, withBody);
		const {target} = verdict;
		const question = {...questionOf(request), path: target.path};
		const since = now();
		const ended = new AbortController();
		const opened = await opening.run(socket, signal => {
			signal.addEventListener('abort', () => ended.abort(), {once: true});
			return parts.download(target, question, ended.signal);
		});
		if (opened.refusal) return deny(socket, opened.refusal, asked, withBody);
		parts.requested('allowed');
		const {reason, bytes} = await passDownload(opened.value, response, {
			limits,
			signal: opening.stopping,
			passed: length => passed('receive', length),
		});
		const tunnelled = {reason, duration: now() - since, transmitted: 0, received: bytes};
		record.add({...asked, client, decision: 'allowed', tunnelled});
	}

	/** One request to a connection: what follows it unasked is not read as another one. */
	function serveOnce(socket: Socket, serve: () => Promise<void>): void {
		if (served.has(socket) || opening.stopping.aborted) return void socket.destroy();
		served.add(socket);
		socket.on('error', () => {});
		serve().catch(thrown => {
			log('error', `support proxy: ${toError(thrown).stack}`);
			socket.destroy();
		});
	}

	function welcome(this: unknown, socket: Socket): void {
		const {address, refusal, flood} = admit(socket);
		sockets.set(socket, address);
		socket.once('close', () => sockets.delete(socket));
		if (!refusal) return void serveHttp.call(server, socket);
		decide(refusal.decision, {client: address, text: refusal.text});
		if (flood) socket.destroy();
		else refuse(socket, refusal);
	}

	function misunderstand(error: NodeJS.ErrnoException & {rawPacket?: Buffer}, socket: Socket): void {
		const refusal = clientRefusal(error, limits.header_size);
		if (!refusal || served.has(socket) || !socket.writable) return void socket.destroy();
		served.add(socket);
		deny(socket, refusal);
	}

	const ask = (request: IncomingMessage, response: ServerResponse) =>
		serveOnce(request.socket, () => download(request, response));
	const server = createServer({
		maxHeaderSize: limits.header_size,
		headersTimeout: limits.headers_timeout,
		requestTimeout: limits.headers_timeout,
		connectionsCheckingInterval: Math.min(1000, limits.headers_timeout / 2),
		keepAlive: true,
		noDelay: true,
	})
		.on('request', ask)
		.on('checkContinue', ask)
		.on('checkExpectation', ask)
		.on('connect', (request, stream, head) => serveOnce(stream as Socket, () => tunnel(request, stream as Socket, head)))
		.on('clientError', (error, stream) => misunderstand(error, stream as Socket));
	server.maxHeadersCount = 0; // Their size bounds them; of what is left out here nobody could say whether it mattered.
	const [serveHttp] = server.listeners('connection') as [(socket: Socket) => void];
	// Who may not come in is told so before a byte of theirs is read.
	server.removeListener('connection', serveHttp).on('connection', welcome);

	let starting: Promise<unknown> = Promise.resolve();
	return {
		name: 'support proxy',
		async start() {
			if (opening.stopping.aborted) return;
			server.listen(config.endpoint.port, config.endpoint.host);
			starting = once(server, 'listening');
			await starting.catch(cause => {
				throw new BridgeError('ERR_CONFIG', `support_proxy.endpoint: ${whyNot(config.endpoint, cause)}`, {cause});
			});
		},
		async shutdown() {
			opening.stop();
			await starting.catch(() => {});
			const closed = server.listening ? once(server, 'close') : undefined;
			server.close();
			tunnels.close();
			for (const socket of sockets.keys()) socket.destroy();
			await closed;
			record.close();
		},
		address() {
			const {address, port} = server.address() as AddressInfo;
			return {host: address, port};
		},
		tunnels: tunnels.size,
	};
}

function whyNot({host, port}: Endpoint, cause: NodeJS.ErrnoException): string {
	if (cause.code === 'EADDRINUSE') return `${host}:${port} is taken by another program: choose another port`;
	return `cannot listen on ${host}:${port}: ${cause.message}`;
}
