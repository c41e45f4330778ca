import {Agent, type Dispatcher} from 'undici';
import {toError} from '../errors.ts';
import type {Trust} from './authorities.ts';
import type {Family} from './names.ts';
import {notHttp} from './over.ts';

export const maxPacSize = 1024 ** 2;

const maxRedirects = 3;
const redirects = [301, 302, 303, 307, 308];

export type PacFetchOptions = {
	readonly family: Family;
	/** The address of this machine to fetch from. */
	readonly localAddress: string | undefined;
	/** For an https URL: whom the certificate of the server has to come from. */
	readonly trust: Trust | undefined;
	readonly signal: AbortSignal;
};

/** Gets a PAC file, directly: what says where the proxy is cannot be behind it. Rejects with an Error that says why in a few words. */
export async function fetchPac(url: URL, {family, localAddress, trust, signal}: PacFetchOptions): Promise<Buffer> {
	const connect = {
		family: {ipv4: 4, ipv6: 6, any: 0}[family],
		...(localAddress !== undefined && {localAddress}),
		...(trust && {secureContext: trust.context}),
		rejectUnauthorized: true,
	};
	const agent = new Agent({connect, pipelining: 0, allowH2: false});
	try {
		return await follow(url, agent, signal);
	} catch (thrown) {
		throw signal.aborted ? new Error('no whole answer in time', {cause: thrown}) : plain(toError(thrown));
	} finally {
		await agent.destroy();
	}
}

async function follow(start: URL, dispatcher: Agent, signal: AbortSignal): Promise<Buffer> {
	let url = start;
	for (let count = 0; count <= maxRedirects; count++) {
		const headers = {accept: 'application/x-ns-proxy-autoconfig, */*;q=0.1'};
		const response = await dispatcher.request({
			origin: url.origin,
			path: `${url.pathname}${url.search}`,
			method: 'GET',
			headers,
			signal,
		});
		if (response.statusCode === 200) return bytesOf(response.body);
		response.body.on('error', () => {}).destroy();
		if (!redirects.includes(response.statusCode)) throw new Error(`${url.host} answered ${response.statusCode}`);
		url = redirectOf(url, response.headers);
	}
	throw new Error(`more than ${maxRedirects} redirects`);
}

/** Only to the same kind of URL: a file that came over TLS is not to be replaced by one that anybody may have changed. */
function redirectOf(url: URL, {location}: Dispatcher.ResponseData['headers']): URL {
	const next = typeof location === 'string' && URL.canParse(location, url.href) ? new URL(location, url) : undefined;
	if (!next) throw new Error(`${url.host} redirects to nowhere`);
	if (next.protocol !== url.protocol) throw new Error(`${url.host} redirects from ${url.protocol} to ${next.protocol}`);
	return next;
}

async function bytesOf(body: AsyncIterable<Buffer>): Promise<Buffer> {
	const chunks: Buffer[] = [];
	let size = 0;
	for await (const chunk of body) {
		size += chunk.length;
		if (size > maxPacSize) throw new Error(`larger than ${maxPacSize} bytes`);
		chunks.push(chunk);
	}
	return Buffer.concat(chunks);
}

/** Without the bytes that came in place of HTTP. Of any other error of undici or of the system, what helps: its code says more than its class. */
function plain(error: Error): Error {
	const {code, message} = error as NodeJS.ErrnoException;
	return (
		notHttp(error) ?? new Error(code === undefined || message.includes(code) ? message : `${message} (${code})`, {cause: error})
	);
}
