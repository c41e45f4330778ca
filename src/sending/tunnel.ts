import type {Socket} from 'node:net';
import {Client} from 'undici';
import {BridgeError, toError} from '../errors.ts';
import {type Address, authority} from './address.ts';
import {notHttp, over} from './over.ts';
import type {ProxyConfig} from './proxy-url.ts';

const proxyName = (proxy: ProxyConfig) => `proxy ${authority(proxy)}`;

/** Asks the proxy for a tunnel. The credentials go with the first request: many proxies close after a 407. */
export async function openTunnel(socket: Socket, proxy: ProxyConfig, destination: Address, signal: AbortSignal): Promise<Socket> {
	const client = new Client(`http://${authority(proxy)}`, {connect: over(socket), headersTimeout: 0});
	const host = authority(destination);
	try {
		const {statusCode, headers} = await client.connect({path: host, headers: {host, ...authorization(proxy)}, signal});
		if (statusCode >= 200 && statusCode < 300) return socket;
		throw refusal(statusCode, reasonIn(headers), proxy, host);
	} catch (thrown) {
		if (signal.aborted || thrown instanceof BridgeError) throw thrown;
		throw noAnswer(proxy, host, toError(thrown));
	} finally {
		client.destroy().catch(() => {}); // It has let go of the socket, or is to end it.
	}
}

/** What goes with a request to the proxy, so that it need not ask. */
export function authorization({username, password}: ProxyConfig): Record<string, string> {
	if (username === undefined && password === undefined) return {};
	const credentials = Buffer.from(`${username ?? ''}:${password?.reveal() ?? ''}`).toString('base64');
	return {'proxy-authorization': `Basic ${credentials}`};
}

/** Squid says in a header why: ERR_CONNECT_FAIL 111, ERR_DNS_FAIL 0, ERR_ACCESS_DENIED 0. */
function reasonIn(headers: Readonly<Record<string, string | string[] | undefined>>): string {
	const reason = [headers['x-squid-error']].flat()[0] ?? '';
	return /^[A-Z_]+( \d+)?$/.test(reason) && reason.length <= 60 ? reason : '';
}

/** The proxy is well, and the way beyond it is not. */
const isBehind = (statusCode: number, reason: string) =>
	statusCode === 502 ||
	statusCode === 504 ||
	/^ERR_(CONNECT_FAIL|DNS_FAIL|CANNOT_FORWARD|READ_TIMEOUT|LIFETIME_EXP)/.test(reason);

/**
What a proxy itself says to a plain GET, in place of the server: it, too, may want credentials, be busy, or get no further. Any
other answer may be the server's.
*/
export function plainRefusal(
	{statusCode, headers}: {readonly statusCode: number; readonly headers: Readonly<Record<string, string>>},
	proxy: ProxyConfig,
	destination: Address,
): BridgeError | undefined {
	const reason = reasonIn(headers);
	const isProxys = [407, 429, 502, 503, 504].includes(statusCode) || (statusCode >= 400 && reason !== '');
	return isProxys ? refusal(statusCode, reason, proxy, authority(destination)) : undefined;
}

function refusal(statusCode: number, reason: string, proxy: ProxyConfig, host: string): BridgeError {
	const status = `status ${statusCode}${reason === '' ? '' : `, ${reason}`}`;
	// It is the proxy that answers a CONNECT: tinyproxy says 401 to credentials that it does not take.
	if (statusCode === 407 || statusCode === 401) return wrongCredentials(statusCode, proxy, host);
	if (isBehind(statusCode, reason)) {
		const message = `The ${proxyName(proxy)} cannot reach ${host} itself (${status}). Look at its own way to the Internet, and its DNS.`;
		return new BridgeError('ERR_PROXY_REFUSED', message);
	}
	if (statusCode === 429 || statusCode === 503) {
		const message = `The ${proxyName(proxy)} is busy: it refused the way to ${host} with ${status}. Allow this machine more connections on it.`;
		return new BridgeError('ERR_PROXY_BUSY', message, {hop: 'proxy'});
	}
	const message = `The ${proxyName(proxy)} refused a tunnel to ${host} with ${status}. Allow CONNECT to ${host} on it.`;
	return new BridgeError('ERR_PROXY_REFUSED', message);
}

function wrongCredentials(statusCode: number, proxy: ProxyConfig, host: string): BridgeError {
	const advice =
		proxy.username === undefined
			? 'It wants a user name and a password: write them into the URL of the proxy.'
			: 'It does not take the configured user name and password with Basic authentication: correct them.';
	const message = `The ${proxyName(proxy)} answered ${statusCode} when asked for the way to ${host}. ${advice}`;
	return new BridgeError('ERR_PROXY_AUTHENTICATION', message, {hop: 'proxy'});
}

function noAnswer(proxy: ProxyConfig, host: string, cause: Error): BridgeError {
	const unparsable = notHttp(cause);
	const isEndless = 'code' in cause && cause.code === 'UND_ERR_HEADERS_OVERFLOW';
	const otherwise = isEndless ? 'answered with headers without end' : 'closed the connection';
	const what = unparsable ? 'did not answer in HTTP' : otherwise;
	const advice =
		proxy.protocol === 'http'
			? 'Check that an HTTP proxy listens there, and whether its URL begins with https://.'
			: 'Check that an HTTP proxy listens there.';
	const message = `The ${proxyName(proxy)} ${what} when asked for a tunnel to ${host}. ${advice}`;
	return new BridgeError('ERR_PROXY_REFUSED', message, {cause: unparsable ?? cause, hop: 'proxy'});
}
