import type {Destination, Purpose} from '../destination.ts';
import {plainAddress} from './addresses.ts';
import type {SupportProxyConfig} from './config.ts';

/** One connect point that passes. */
export type Passing = {
	readonly host: string;
	readonly port: number;
	readonly purpose: Purpose;
	readonly generation: Destination['generation'];
	readonly addresses: readonly string[];
};

/** The purposes of what is listed, by HOST:PORT and by ADDRESS:PORT, and the names by port. */
export type AllowList = {
	readonly names: ReadonlyMap<string, ReadonlySet<Purpose>>;
	readonly addresses: ReadonlyMap<string, ReadonlySet<Purpose>>;
};

export const listKey = (host: string, port: number): string => `${host} ${port}`;

const plainName = (host: string) => plainAddress(host) ?? host.toLowerCase().replace(/\.$/, '');

/** All that passes, in the order of the list: also what a signed update has put in the place of a published one. Port 80 is that of configuration updates alone (S72). */
export function passing(
	destinations: readonly Destination[],
	{generations}: Pick<SupportProxyConfig, 'generations'>,
): readonly Passing[] {
	return destinations
		.filter(({generation}) => generation === 'configured' || generation === 'updated' || generations.includes(generation))
		.flatMap(({purpose, generation, servers}) =>
			servers.flatMap(({host, ports, addresses}) =>
				ports
					.filter(port => port !== 80 || purpose === 'configuration_updates')
					.map(port => ({host: plainName(host), port, purpose, generation, addresses})),
			),
		);
}

export function createAllowList(list: readonly Passing[]): AllowList {
	const names = new Map<string, Set<Purpose>>();
	const addresses = new Map<string, Set<Purpose>>();
	const add = (index: Map<string, Set<Purpose>>, key: string, purpose: Purpose) =>
		index.set(key, (index.get(key) ?? new Set()).add(purpose));
	for (const {host, port, purpose, addresses: own} of list) {
		add(plainAddress(host) === undefined ? names : addresses, listKey(host, port), purpose);
		for (const address of own) add(addresses, listKey(plainAddress(address) ?? address, port), purpose);
	}
	return {names, addresses};
}
