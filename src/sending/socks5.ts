import {isIP, type Socket} from 'node:net';
import {BridgeError} from '../errors.ts';
import {type Address, authority} from './address.ts';
import type {ProxyConfig} from './proxy-url.ts';

/** RFC 1928: greeting with methods, choice, (RFC 1929: user name and password, verdict), CONNECT, reply. */
const version = 5;
const noAuthentication = 0;
const usernamePassword = 2;
const noMethod = 0xff;
const addressTypes = {ipv4: 1, name: 3, ipv6: 4} as const;

/** What the reply field of RFC 1928, section 6 means. */
const replies: Record<number, string> = {
	1: 'had a general failure',
	2: 'does not allow it by its rules',
	3: 'cannot reach the network',
	4: 'cannot reach the host, or cannot resolve its name',
	5: 'was refused the connection',
	6: 'got no answer (TTL expired)',
	7: 'does not know CONNECT',
	8: 'does not know this kind of address',
};

const nameOf = (proxy: ProxyConfig) => `SOCKS5 proxy ${authority(proxy)}`;

/** Tells who the client is: nothing else is said before. The socket is ready for `connectThrough` then. */
export async function greet(socket: Socket, proxy: ProxyConfig, signal: AbortSignal): Promise<void> {
	const hasCredentials = proxy.username !== undefined;
	// Without credentials only "none" is offered: a proxy that wants some says so, instead of asking for what is not there.
	socket.write(Buffer.from([version, 1, hasCredentials ? usernamePassword : noAuthentication]));
	const [answered, method] = await read(socket, 2, proxy, signal);
	if (answered !== version) throw notSocks(proxy);
	if (method === noMethod) throw wantsOther(proxy);
	if (method === noAuthentication) return;
	if (method !== usernamePassword || !hasCredentials) throw notSocks(proxy);
	await authenticate(socket, proxy, signal);
}

async function authenticate(socket: Socket, proxy: ProxyConfig, signal: AbortSignal): Promise<void> {
	const [username, password] = [proxy.username ?? '', proxy.password?.reveal() ?? ''].map(text => Buffer.from(text));
	socket.write(Buffer.concat([Buffer.from([1]), lengthAnd(username), lengthAnd(password)]));
	const [, status] = await read(socket, 2, proxy, signal);
	if (status === 0) return;
	const message = `The ${nameOf(proxy)} does not take the configured user name and password: correct them.`;
	throw new BridgeError('ERR_PROXY_AUTHENTICATION', message, {hop: 'proxy'});
}

const lengthAnd = (bytes: Buffer = Buffer.alloc(0)) => Buffer.concat([Buffer.from([bytes.length]), bytes]);

/** Asks for the way to the destination. The proxy resolves its name. */
export async function connectThrough(
	socket: Socket,
	proxy: ProxyConfig,
	destination: Address,
	signal: AbortSignal,
): Promise<void> {
	const port = Buffer.from([destination.port >> 8, destination.port & 0xff]);
	socket.write(Buffer.concat([Buffer.from([version, 1, 0]), addressOf(destination.host), port]));
	const [answered, reply = 1, , type] = await read(socket, 4, proxy, signal);
	if (answered !== version) throw notSocks(proxy);
	if (reply !== 0) throw refusal(reply, proxy, authority(destination));
	// The address from which the proxy goes on is of no use, and has to be read.
	const [length = 0] = type === addressTypes.name ? await read(socket, 1, proxy, signal) : [];
	const rest = type === addressTypes.name ? length : type === addressTypes.ipv6 ? 16 : 4;
	await read(socket, rest + 2, proxy, signal);
}

function addressOf(host: string): Buffer {
	if (isIP(host) === 4) return Buffer.from([addressTypes.ipv4, ...host.split('.').map(Number)]);
	if (isIP(host) === 6) return Buffer.from([addressTypes.ipv6, ...groupsOf(host).flatMap(group => [group >> 8, group & 0xff])]);
	return Buffer.concat([Buffer.from([addressTypes.name]), lengthAnd(Buffer.from(host))]);
}

/** The eight groups of an IPv6 address: URL writes any form of it as groups in hexadecimal, with one `::` at most. */
function groupsOf(host: string): number[] {
	const [head = '', tail = ''] = new URL(`http://[${host}]/`).hostname.slice(1, -1).split('::');
	const toGroups = (text: string) => (text === '' ? [] : text.split(':').map(group => Number.parseInt(group, 16)));
	const [before, after] = [toGroups(head), toGroups(tail)];
	return [...before, ...Array.from({length: 8 - before.length - after.length}, () => 0), ...after];
}

/** Exactly so many bytes. What follows them stays in the socket. */
async function read(socket: Socket, size: number, proxy: ProxyConfig, signal: AbortSignal): Promise<Buffer> {
	for (;;) {
		const bytes = socket.read(size) as Buffer | null;
		if (bytes !== null && bytes.length === size) return bytes;
		if (bytes !== null || socket.readableEnded || socket.destroyed) throw closed(proxy);
		await moreFrom(socket, signal);
	}
}

/** Resolves when there is something to look at: bytes, an end or an error. */
function moreFrom(socket: Socket, signal: AbortSignal): Promise<void> {
	const {promise, resolve, reject} = Promise.withResolvers<void>();
	const look = () => resolve();
	const giveUp = () => reject(signal.reason);
	if (signal.aborted) giveUp();
	const events = ['readable', 'end', 'close', 'error'] as const;
	for (const event of events) socket.on(event, look);
	signal.addEventListener('abort', giveUp, {once: true});
	return promise.finally(() => {
		for (const event of events) socket.off(event, look);
		signal.removeEventListener('abort', giveUp);
	});
}

function refusal(reply: number, proxy: ProxyConfig, host: string): BridgeError {
	const what = replies[reply] ?? `answered ${reply}`;
	const message = `The ${nameOf(proxy)} gives no way to ${host}: it ${what}. Allow ${host} on it, or look at its way to the Internet.`;
	return new BridgeError('ERR_PROXY_REFUSED', message, reply === 7 ? {hop: 'proxy'} : {});
}

function wantsOther(proxy: ProxyConfig): BridgeError {
	const advice =
		proxy.username === undefined
			? 'wants a user name and a password: write them into its URL.'
			: 'does not take a user name and a password: take them out of its URL, if it takes everybody.';
	return new BridgeError('ERR_PROXY_AUTHENTICATION', `The ${nameOf(proxy)} ${advice}`, {hop: 'proxy'});
}

function notSocks(proxy: ProxyConfig): BridgeError {
	const message = `What answers at ${authority(proxy)} does not speak SOCKS5. Check that a SOCKS5 proxy listens there.`;
	return new BridgeError('ERR_PROXY_REFUSED', message, {hop: 'proxy'});
}

function closed(proxy: ProxyConfig): BridgeError {
	const message = `The ${nameOf(proxy)} closed the connection when asked for a way. Check whether it lets this machine use it.`;
	return new BridgeError('ERR_PROXY_REFUSED', message, {hop: 'proxy'});
}
