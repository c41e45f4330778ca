import type {Socket} from 'node:net';

/** Why a tunnel is over. */
export type End = 'closed' | 'client_reset' | 'destination_reset' | 'idle' | 'lifetime' | 'bytes' | 'shutdown';

export type Side = 'client' | 'destination';

export type Relay = {
	/** Bytes so far, by the side that they came from. */
	readonly bytes: Readonly<Record<Side, number>>;
	/** Ends it at once. The first reason counts. */
	end(reason: End): void;
};

const other = {client: 'destination', destination: 'client'} as const;

/**
Passes bytes on in both directions, at the pace of the slower one. An end of one direction is passed on, and the other goes on.
`over` is called once both connections are closed.
*/
export function relay(
	client: Socket,
	destination: Socket,
	head: Buffer,
	{mostBytes, over}: {readonly mostBytes: number; readonly over: (reason: End) => void},
): Relay {
	const sockets: Readonly<Record<Side, Socket>> = {client, destination};
	const bytes: Record<Side, number> = {client: 0, destination: 0};
	const ended: Record<Side, boolean> = {client: false, destination: false};
	const open = new Set<Side>(['client', 'destination']);
	let why: End | undefined;

	function end(reason: End): void {
		why ??= reason;
		client.destroy();
		destination.destroy();
	}

	function pass(side: Side, chunk: Buffer): void {
		bytes[side] += chunk.length;
		if (bytes.client + bytes.destination > mostBytes) end('bytes');
		else if (!sockets[other[side]].write(chunk)) waitFor(other[side], side);
	}

	function waitFor(slow: Side, side: Side): void {
		sockets[side].pause();
		sockets[slow].once('drain', () => sockets[side].resume());
	}

	function closed(side: Side): void {
		if (!open.delete(side)) return;
		// What came before a reset is still delivered; the idle time bounds how long that may take.
		if (!ended[side]) sockets[other[side]].destroySoon();
		if (open.size === 0) over(why ?? 'closed');
	}

	for (const side of ['client', 'destination'] as const) {
		const socket = sockets[side];
		socket.allowHalfOpen = true;
		socket
			.on('data', (chunk: Buffer) => pass(side, chunk))
			.on('error', () => {
				why ??= `${side}_reset`;
			})
			.on('end', () => {
				ended[side] = true;
				sockets[other[side]].end();
			})
			.on('close', () => closed(side));
		if (socket.destroyed) process.nextTick(closed, side); // It closed before anybody listened.
	}
	if (head.length > 0) pass('client', head);
	return {bytes, end};
}
