import {BridgeError} from '../errors.ts';
import type {Connection} from '../exporter.ts';
import {authority} from './address.ts';
import {readAuthorities, trusting} from './authorities.ts';
import type {ConnectionConfig} from './connections-config.ts';
import {exchange} from './exchange.ts';
import {openRoute, type Route} from './route.ts';

export type ConnectionOptions = {
	/** PEM certificates of authorities that are trusted for the destination, beside the public ones. */
	readonly ca?: readonly string[];
	/** For each stage on the way to the destination. */
	readonly connectTimeoutMillis?: number;
	/** Bytes. */
	readonly maxReplySize?: number;
};

export type ClosableConnection = Connection & {
	/** Gives up what is under way. */
	close(): Promise<void>;
};

/** One way out. It holds nothing between two requests. */
export function createConnection(
	config: ConnectionConfig,
	{ca = [], connectTimeoutMillis = 5000, maxReplySize = 4 * 1024 ** 2}: ConnectionOptions = {},
): ClosableConnection {
	const proxy = 'proxy' in config ? config.proxy : undefined;
	const route: Route = {
		proxy,
		trust: trusting(ca),
		proxyTrust: trusting(proxy?.caFile === undefined ? [] : readAuthorities(proxy.caFile)),
		stageMillis: connectTimeoutMillis,
	};
	const closing = new AbortController();
	const underWay = new Set<Promise<unknown>>();

	const send: Connection['send'] = async (request, signal) => {
		if (request.url.protocol !== 'https:') {
			throw new BridgeError('ERR_USAGE', `${request.url.host}: nothing is uploaded over plain HTTP. Give an https:// URL.`);
		}
		const limit = AbortSignal.any([signal, closing.signal]);
		const {hostname, port} = request.url;
		const destination = {host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? 443 : Number(port)};
		const socket = await openRoute(destination, route, limit);
		return exchange(socket, request, maxReplySize, limit);
	};

	return {
		name: proxy ? `proxy ${authority(proxy)}` : 'direct',
		async send(request, signal) {
			const reply = send(request, signal);
			underWay.add(reply);
			return reply.finally(() => underWay.delete(reply));
		},
		async close() {
			closing.abort();
			await Promise.allSettled(underWay);
		},
	};
}
