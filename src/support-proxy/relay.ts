import type {Socket} from 'node:net';
import {withOneBuffer} from './reader.ts';

/** Why a tunnel is over. */
export type End = 'closed' | 'client_reset' | 'destination_reset' | 'idle' | 'lifetime' | 'bytes' | 'shutdown';

export type Side = 'client' | 'destination';

export type Relay = {
	/** Bytes so far, by the side that they came from. */
	readonly bytes: Readonly<Record<Side, number>>;
	/** Ends it at once. The first reason counts. */
	end(reason: End): void;
};

/** From here on a direction is bulk, and reads into a buffer of its own. Most tunnels carry less. */
const bulkBytes = 512 * 1024;

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
	const sockets: Record<Side, Socket> = {client, destination};
	const bytes: Record<Side, number> = {client: 0, destination: 0};
	const ended: Record<Side, boolean> = {client: false, destination: false};
	const fast: Record<Side, boolean> = {client: false, destination: false};
	const open = new Set<Side>(['client', 'destination']);
	let why: End | undefined;

	function end(reason: End): void {
		why ??= reason;
		sockets.client.destroy();
		sockets.destination.destroy();
	}

	/** False when it was one byte too many. */
	function count(side: Side, length: number): boolean {
		bytes[side] += length;
		if (bytes.client + bytes.destination <= mostBytes) return true;
		end('bytes');
		return false;
	}

	function pass(side: Side, chunk: Buffer): void {
		if (!count(side, chunk.length)) return;
		if (bytes[side] > bulkBytes && !fast[side]) speedUp(side);
		const to = sockets[other[side]];
		if (to.write(chunk)) return;
		const from = sockets[side];
		from.pause();
		to.once('drain', () => from.resume());
	}

	/** The buffer is read into again only after what was in it has left. */
	function passBuffer(side: Side, chunk: Buffer, done: () => void): boolean {
		if (!count(side, chunk.length)) return false;
		const to = sockets[other[side]];
		let waits = false;
		to.write(chunk, error => {
			if (waits && !error) done();
		});
		waits = to.writableLength > 0;
		return !waits;
	}

	function speedUp(side: Side): void {
		const socket = withOneBuffer(sockets[side], (chunk, done) => passBuffer(side, chunk, done));
		fast[side] = socket !== undefined;
		if (!socket) return;
		sockets[side].removeAllListeners('data');
		sockets[side] = socket;
		follow(side, socket);
	}

	function follow(side: Side, socket: Socket): void {
		socket
			.on('error', () => {
				why ??= `${side}_reset`;
			})
			.on('end', () => {
				ended[side] = true;
				sockets[other[side]].end();
			})
			.on('close', () => closed(side, socket));
	}

	function closed(side: Side, socket: Socket): void {
		if (sockets[side] !== socket) return; // Its connection went on with another socket.
		if (!open.delete(side)) return;
		// What came before a reset is still delivered; the idle time bounds how long that may take.
		if (!ended[side]) sockets[other[side]].destroySoon();
		if (open.size === 0) over(why ?? 'closed');
	}

	for (const side of ['client', 'destination'] as const) {
		sockets[side].allowHalfOpen = true;
		follow(side, sockets[side]);
		sockets[side].on('data', (chunk: Buffer) => pass(side, chunk));
		if (sockets[side].destroyed) process.nextTick(closed, side, sockets[side]); // It closed before anybody listened.
	}
	if (head.length > 0) pass('client', head);
	return {bytes, end};
}
