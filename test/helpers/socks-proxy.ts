import {connect, type Socket} from 'node:net';
import type {ExecutionContext} from 'ava';
import {listenSocket} from './tls-server.ts';

export type SocksProxyOptions = {
	/** Wants these; without them it takes everybody. */
	readonly credentials?: {readonly username: string; readonly password: string};
	/** The reply to CONNECT, instead of a tunnel. */
	readonly reply?: number;
	/** The bound address in the reply: IPv4 by default. */
	readonly bound?: Buffer;
	/** Writes one byte at a time. */
	readonly dribbles?: boolean;
};

export type SocksProxy = {
	readonly port: number;
	/** HOST:PORT of each CONNECT, in order. */
	readonly requests: readonly string[];
};

/** A small SOCKS5 proxy that tunnels, or does what a test says. */
export async function startSocksProxy(t: ExecutionContext, options: SocksProxyOptions = {}): Promise<SocksProxy> {
	const requests: string[] = [];
	const port = await listenSocket(t, socket => void serve(socket, options, requests).catch(() => socket.destroy()));
	return {port, requests};
}

async function serve(socket: Socket, options: SocksProxyOptions, requests: string[]): Promise<void> {
	const next = reader(socket);
	const say = (bytes: readonly number[] | Buffer) => {
		if (options.dribbles) for (const byte of bytes) socket.write(Buffer.from([byte]));
		else socket.write(Buffer.from(bytes));
	};
	const [, count = 0] = await next(2);
	const methods = await next(count);
	const method = options.credentials ? 2 : 0;
	say([5, methods.includes(method) ? method : 0xff]);
	if (options.credentials && !(await authenticated(next, options.credentials))) {
		socket.end(Buffer.from([1, 1]));
		return;
	}
	if (options.credentials) say([1, 0]);
	const [, , , type] = await next(4);
	const host = await hostIn(next, type ?? 0);
	const port = (await next(2)).readUInt16BE();
	requests.push(`${host}:${port}`);
	const bound = options.bound ?? Buffer.from([1, 127, 0, 0, 1, 0, 0]);
	if (options.reply !== undefined) return say(Buffer.concat([Buffer.from([5, options.reply, 0]), bound]));
	const upstream = connect(port, host).on('error', () => socket.destroy());
	upstream.once('connect', () => {
		say(Buffer.concat([Buffer.from([5, 0, 0]), bound]));
		upstream.pipe(socket).pipe(upstream);
	});
	socket.on('close', () => upstream.destroy());
}

type Next = (size: number) => Promise<Buffer>;

async function authenticated(next: Next, {username, password}: {username: string; password: string}): Promise<boolean> {
	const [, nameLength = 0] = await next(2);
	const name = String(await next(nameLength));
	const [length = 0] = await next(1);
	return name === username && String(await next(length)) === password;
}

async function hostIn(next: Next, type: number): Promise<string> {
	if (type === 1) return (await next(4)).join('.');
	if (type === 4) return (await next(16)).toString('hex');
	const [length = 0] = await next(1);
	return String(await next(length));
}

function reader(socket: Socket): Next {
	return async function next(size) {
		for (;;) {
			const bytes = size === 0 ? Buffer.alloc(0) : (socket.read(size) as Buffer | null);
			if (bytes) return bytes;
			if (socket.destroyed) throw new Error('closed');
			const {promise, resolve} = Promise.withResolvers<void>();
			socket.once('readable', resolve).once('close', resolve);
			await promise;
			socket.off('readable', resolve).off('close', resolve);
		}
	};
}
