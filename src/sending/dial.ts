import {connect, type Socket} from 'node:net';
import {toError} from '../errors.ts';
import type {Address} from './address.ts';

export type DialOptions = {
	/** The address of this machine from which the connection leaves (S22). */
	readonly localAddress?: string | undefined;
	/** How long one address has a lead over the next (RFC 8305, section 8). Milliseconds. */
	readonly leadMillis?: number;
};

/**
Opens a socket to the first of the addresses that answers. The next address begins when the one before has failed, or has not
answered for a while; the first that connects wins, and the others are given up. Rejects with the first one's error when all fail.
*/
export function dial(
	addresses: readonly string[],
	port: number,
	signal: AbortSignal,
	{localAddress, leadMillis = 250}: DialOptions = {},
): Promise<Socket> {
	const open = new Set<Socket>();
	const {promise, resolve, reject} = Promise.withResolvers<Socket>();
	let failure: Error | undefined;
	let next = 0;
	let timer: NodeJS.Timeout | undefined;

	function begin() {
		clearTimeout(timer);
		const host = addresses[next++];
		if (host === undefined) return;
		const socket = connect({host, port, noDelay: true, ...(localAddress !== undefined && {localAddress})});
		open.add(socket);
		socket.once('connect', () => finish(socket));
		socket.once('error', error => fail(socket, error));
		if (next < addresses.length) timer = setTimeout(begin, leadMillis);
	}

	function fail(socket: Socket, error: Error) {
		open.delete(socket);
		socket.destroy();
		failure ??= error;
		if (next < addresses.length) begin();
		else if (open.size === 0) settle(() => reject(failure));
	}

	function finish(socket: Socket) {
		open.delete(socket);
		socket.removeAllListeners('error').on('error', () => {}); // Between two stages nobody listens; the next one finds it destroyed.
		settle(() => resolve(socket));
	}

	function settle(how: () => void) {
		clearTimeout(timer);
		signal.removeEventListener('abort', giveUp);
		for (const socket of open)
			socket
				.removeAllListeners('error')
				.on('error', () => {})
				.destroy();
		open.clear();
		how();
	}

	const giveUp = () => settle(() => reject(toError(signal.reason)));
	if (signal.aborted) giveUp();
	else {
		signal.addEventListener('abort', giveUp, {once: true});
		begin();
	}
	return promise;
}

/** What a socket is connected to. */
export const remoteOf = (socket: Socket): Address => ({host: socket.remoteAddress ?? '', port: socket.remotePort ?? 0});
