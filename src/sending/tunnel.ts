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
		const {statusCode} = await client.connect({path: host, headers: {host, ...authorization(proxy)}, signal});
		if (statusCode >= 200 && statusCode < 300) return socket;
		throw refusal(statusCode, proxy, host);
	} catch (thrown) {
		if (signal.aborted || thrown instanceof BridgeError) throw thrown;
		throw noAnswer(proxy, host, toError(thrown));
	} finally {
		client.destroy().catch(() => {}); // It has let go of the socket, or is to end it.
	}
}

function authorization({username, password}: ProxyConfig): Record<string, string> {
	if (username === undefined && password === undefined) return {};
	const credentials = Buffer.from(`${username ?? ''}:${password?.reveal() ?? ''}`).toString('base64');
	return {'proxy-authorization': `Basic ${credentials}`};
}

function refusal(statusCode: number, proxy: ProxyConfig, host: string): BridgeError {
	if (statusCode !== 407) {
		const message = `The ${proxyName(proxy)} refused a tunnel to ${host} with status ${statusCode}. Allow CONNECT to ${host} on it.`;
		return new BridgeError('ERR_PROXY_REFUSED', message);
	}
	const advice =
		proxy.username === undefined
			? 'It wants a user name and a password: write them into the URL of the proxy.'
			: 'It does not take the configured user name and password with Basic authentication: correct them.';
	return new BridgeError('ERR_PROXY_AUTHENTICATION', `The ${proxyName(proxy)} answered 407 to a tunnel to ${host}. ${advice}`);
}

function noAnswer(proxy: ProxyConfig, host: string, cause: Error): BridgeError {
	const unparsable = notHttp(cause);
	const what = unparsable ? 'did not answer in HTTP' : 'closed the connection';
	const advice =
		proxy.protocol === 'http'
			? 'Check that an HTTP proxy listens there, and whether its URL begins with https://.'
			: 'Check that an HTTP proxy listens there.';
	const message = `The ${proxyName(proxy)} ${what} when asked for a tunnel to ${host}. ${advice}`;
	return new BridgeError('ERR_PROXY_REFUSED', message, {cause: unparsable ?? cause});
}
