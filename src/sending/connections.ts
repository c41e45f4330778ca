import type {Socket} from 'node:net';
import type {StageResult} from '../attempt.ts';
import type {Traffic} from '../destination.ts';
import {BridgeError, isBridgeError, neverLeft, toError} from '../errors.ts';
import type {Connection, OutboundRequest, Reply} from '../exporter.ts';
import {type Address, addressOf} from './address.ts';
import {type Trust, trusting} from './authorities.ts';
import {createCandidates} from './candidates.ts';
import type {ConnectionConfig} from './connections-config.ts';
import {type Download, type DownloadRequest, download} from './download.ts';
import {exchange, fetchPlain, type RawReply} from './exchange.ts';
import {createLookup, type Lookup} from './names.ts';
import {openPlain, openRoute, openToProxy, type Route} from './route.ts';
import {createRoutes, type RouteUse} from './routes.ts';
import {authorization, plainRefusal} from './tunnel.ts';
import {createWalk, type Walk} from './walk.ts';

export type ConnectionOptions = {
	/** PEM certificates of authorities that are trusted for every destination, beside the public ones. */
	readonly ca?: readonly string[];
	/** Whom a destination's certificate has to come from; in place of `ca`. */
	readonly trustOf?: (host: string) => Trust;
	readonly lookup?: Lookup;
	/** Bytes. */
	readonly maxReplySize?: number;
	/** Hears how each stage went. */
	readonly onStage?: (connection: string, destination: Address, result: StageResult) => void;
	readonly log?: (level: 'warn', text: string) => void;
};

export type FetchOptions = {
	/** Bytes. */
	readonly maxSize: number;
	readonly signal: AbortSignal;
	/** Whom the server's certificate has to come from, for this request alone. */
	readonly trust?: Trust | undefined;
};

/** One way out. It holds nothing between two requests. */
export type WayOut = Connection & {
	readonly kind: ConnectionConfig['way']['kind'];
	/** What may travel on it. */
	readonly traffic: readonly Traffic[];
	/** A socket to the destination, without TLS of ours: for what brings its own. */
	open(destination: Address, signal: AbortSignal, use?: RouteUse): Promise<Socket>;
	/** A GET: over TLS, or over plain HTTP without anything that could be called an upload (G4). */
	fetch(url: URL, options: FetchOptions): Promise<RawReply>;
	/** The same over plain HTTP for somebody else: the reply as it comes. */
	download(destination: Address, request: DownloadRequest, signal: AbortSignal, use?: RouteUse): Promise<Download>;
	readonly walk: Walk;
	/** Gives up what is under way. */
	close(): Promise<void>;
};

const usualReplySize = 4 * 1024 ** 2;
/** A service thinks longer than a network: the answer to a walk's question has so many times a stage's time. */
const replyPatience = 3;

export function createConnection(config: ConnectionConfig, options: ConnectionOptions = {}): WayOut {
	const {ca = [], maxReplySize = usualReplySize, lookup = createLookup(), onStage, log} = options;
	let shared: Trust | undefined;
	const trustOf = options.trustOf ?? (() => (shared ??= trusting(ca)));
	const {name} = config;
	const routeFor = createRoutes(config, {
		trustOf,
		lookup,
		onStage: onStage && ((destination, result) => onStage(name, destination, result)),
	});
	const {candidates, close: closeCandidates} = createCandidates(config, {...(log && {log})});
	const closing = new AbortController();
	const underWay = new Set<Promise<unknown>>();

	/** Tries each way that the entry amounts to. Only what certainly has not carried anything passes the turn on. */
	async function overFirst<T>(
		destination: Address,
		signal: AbortSignal,
		open: (route: Route) => Promise<T>,
		use?: RouteUse,
	): Promise<T> {
		const failures: Error[] = [];
		for (const candidate of await candidates(destination, signal)) {
			try {
				return await open(routeFor(candidate, destination, use));
			} catch (thrown) {
				failures.push(toError(thrown));
				if (!isBridgeError(thrown, ...neverLeft) || signal.aborted) break;
			}
		}
		throw combined(failures, name);
	}

	/** Runs until it ends by itself, or the connection is closed. */
	function track<T>(run: (limit: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
		const running = run(AbortSignal.any([signal, closing.signal]));
		underWay.add(running);
		return running.finally(() => underWay.delete(running));
	}

	async function ask(
		request: Omit<OutboundRequest, 'secrets'>,
		maxSize: number,
		limit: AbortSignal,
		use?: RouteUse,
	): Promise<RawReply> {
		const destination = addressOf(request.url);
		const socket = await overFirst(destination, limit, route => openRoute(destination, route, limit), use);
		return exchange(socket, request, maxSize, limit);
	}

	async function fetchOverHttp(url: URL, maxSize: number, limit: AbortSignal): Promise<RawReply> {
		const destination = addressOf(url);
		return overFirst(destination, limit, async route => {
			const {proxy} = route;
			if (!proxy || proxy.protocol === 'socks5') {
				return fetchPlain(await openPlain(destination, route, limit), url, undefined, maxSize, limit);
			}
			const reply = await fetchPlain(await openToProxy(proxy, route, limit), url, authorization(proxy), maxSize, limit);
			const refused = plainRefusal(reply, proxy, destination);
			if (refused) throw refused;
			return reply;
		});
	}

	const beginDownload = (destination: Address, request: DownloadRequest, limit: AbortSignal, use?: RouteUse) =>
		overFirst(
			destination,
			limit,
			async route => {
				const proxy = route.proxy?.protocol === 'socks5' ? undefined : route.proxy;
				const socket = await (proxy ? openToProxy(proxy, route, limit) : openPlain(destination, route, limit));
				return download(socket, destination, proxy, request, limit);
			},
			use,
		);

	return {
		name,
		kind: config.way.kind,
		traffic: config.for,
		async send(request, signal) {
			if (request.url.protocol !== 'https:') {
				throw new BridgeError('ERR_USAGE', `${request.url.host}: nothing is uploaded over plain HTTP. Give an https:// URL.`);
			}
			return asText(await track(limit => ask(request, maxReplySize, limit), signal));
		},
		open: (destination, signal, use) =>
			track(limit => overFirst(destination, limit, route => openPlain(destination, route, limit), use), signal),
		fetch: (url, {maxSize, signal, trust}) =>
			url.protocol === 'https:'
				? track(limit => ask({url, method: 'GET', headers: {}, body: ''}, maxSize, limit, {trust}), signal)
				: track(limit => fetchOverHttp(url, maxSize, limit), signal),
		download: (destination, request, signal, use) => track(limit => beginDownload(destination, request, limit, use), signal),
		walk: createWalk({
			name,
			candidates,
			routeFor,
			maxReplySize,
			replyMillis: replyPatience * config.stageMillis,
			onStage: onStage && ((destination, result) => onStage(name, destination, result)),
		}),
		async close() {
			closing.abort();
			await Promise.allSettled(underWay);
			await closeCandidates();
		},
	};
}

const asText = ({body, ...reply}: RawReply): Reply => ({...reply, body: body.toString('utf8')});

/** Of several ways that an entry amounts to, each with its reason. What may have left decides alone. */
function combined(failures: readonly Error[], name: string): Error {
	const last = failures.at(-1);
	if (!last) return new BridgeError('ERR_NOT_CONFIGURED', `${name} leads nowhere.`, {hop: 'proxy'});
	const all = failures.filter(failure => isBridgeError(failure, ...neverLeft)) as BridgeError[];
	const [first] = all;
	if (!first || all.length < 2 || all.length < failures.length) return last;
	const hop = all.every(failure => failure.hop === 'proxy') ? 'proxy' : undefined;
	return new BridgeError(first.code, all.map(({message}) => message).join(' '), {cause: first, hop});
}
