import type {Socket} from 'node:net';
import {clientKey, createNetworks, plainAddress} from './addresses.ts';
import type {SupportProxyConfig} from './config.ts';
import {type Refusal, tooMany} from './refusal.ts';

export type Admission = {
	/** In its one spelling. */
	readonly address: string;
	readonly refusal: Refusal | undefined;
	/** So many are being refused that this one gets no answer. */
	readonly flood: boolean;
};

/** So many refused clients at once are told why. */
const mostRefused = 100;

/** Who may connect, and how many at once. Who is refused takes nobody's place. */
export function createClients({clients, limits}: Pick<SupportProxyConfig, 'clients' | 'limits'>) {
	const isListed = createNetworks(clients);
	const open = new Map<string, number>();
	let all = 0;
	let refused = 0;

	function refusalOf(address: string, own: number): Refusal | undefined {
		if (clients.length > 0 && !isListed(address)) {
			const text = `${address || 'This address'} may not use this proxy: add it to support_proxy.clients of the bridge.`;
			return {decision: 'client_not_allowed', status: 403, text};
		}
		if (all >= limits.connections)
			return tooMany(`There are ${all} connections (support_proxy.limits.connections). Come again later.`);
		if (own >= limits.connections_per_client)
			return tooMany(`You have ${own} connections (support_proxy.limits.connections_per_client). Close some.`);
		return undefined;
	}

	function hold(socket: Socket, key: string, own: number): void {
		all++;
		open.set(key, own + 1);
		socket.once('close', () => {
			all--;
			const left = (open.get(key) ?? 1) - 1;
			if (left > 0) open.set(key, left);
			else open.delete(key);
		});
	}

	return function admit(socket: Socket): Admission {
		const address = plainAddress(socket.remoteAddress ?? '') ?? '';
		const key = clientKey(address);
		const own = open.get(key) ?? 0;
		const refusal = refusalOf(address, own);
		const flood = refusal !== undefined && refused >= mostRefused;
		if (!refusal) hold(socket, key, own);
		else {
			refused++;
			socket.once('close', () => refused--);
		}
		return {address, refusal, flood};
	};
}
