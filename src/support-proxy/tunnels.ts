import type {Socket} from 'node:net';
import type {Limits} from './config.ts';
import {type End, type Relay, relay} from './relay.ts';

export type Direction = 'transmit' | 'receive';

/** How a tunnel went, at its end. */
export type Tunnelled = {
	readonly reason: End;
	/** Milliseconds. */
	readonly duration: number;
	/** Bytes towards the destination. */
	readonly transmitted: number;
	/** Bytes from the destination. */
	readonly received: number;
};

type Open = Relay & {
	readonly since: number;
	movedAt: number;
	/** Of which the metric knows. */
	transmitted: number;
	received: number;
};

export type TunnelsOptions = {
	readonly limits: Pick<Limits, 'bytes_per_tunnel' | 'tunnel_lifetime' | 'idle_timeout'>;
	readonly passed: (direction: Direction, bytes: number) => void;
	readonly now: () => number;
};

/**
The open tunnels. One look at all of them, several times in the shortest limit, replaces two timers each: at thousands of
chunks a second a timer that is set anew with each of them costs more than the chunk.
*/
export function createTunnels({limits, passed, now}: TunnelsOptions) {
	const {bytes_per_tunnel, tunnel_lifetime, idle_timeout} = limits;
	const tunnels = new Set<Open>();

	function tally(tunnel: Open): void {
		const transmitted = tunnel.bytes.client - tunnel.transmitted;
		const received = tunnel.bytes.destination - tunnel.received;
		if (transmitted + received === 0) return;
		tunnel.movedAt = now();
		tunnel.transmitted += transmitted;
		tunnel.received += received;
		if (transmitted > 0) passed('transmit', transmitted);
		if (received > 0) passed('receive', received);
	}

	function look(): void {
		const at = now();
		for (const tunnel of tunnels) {
			tally(tunnel);
			if (at - tunnel.since >= tunnel_lifetime) tunnel.end('lifetime');
			else if (at - tunnel.movedAt >= idle_timeout) tunnel.end('idle');
		}
	}

	const timer = setInterval(look, Math.min(1000, Math.max(10, Math.min(idle_timeout, tunnel_lifetime) / 4))).unref();

	return {
		size: () => tunnels.size,
		/** Connects the two; `head` is what the client has said already. `over` is called when both are closed. */
		open(client: Socket, destination: Socket, head: Buffer, over: (tunnelled: Tunnelled) => void): void {
			const since = now();
			const connected = relay(client, destination, head, {
				mostBytes: bytes_per_tunnel,
				over(reason) {
					tally(tunnel);
					tunnels.delete(tunnel);
					over({reason, duration: now() - since, transmitted: tunnel.transmitted, received: tunnel.received});
				},
			});
			const tunnel: Open = {...connected, since, movedAt: since, transmitted: 0, received: 0};
			tunnels.add(tunnel);
		},
		close(): void {
			clearInterval(timer);
			for (const tunnel of tunnels) tunnel.end('shutdown');
		},
	};
}
