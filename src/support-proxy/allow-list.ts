import {type Destination, type Purpose, purposes} from '../destination.ts';
import {plainAddress} from './addresses.ts';
import type {SupportProxyConfig} from './config.ts';

/** One connect point that passes. */
export type Passing = {
	readonly host: string;
	readonly port: number;
	readonly purpose: Purpose;
	readonly generation: Destination['generation'];
	readonly addresses: readonly string[];
	/** Plain HTTP is spoken there: a GET passes, and no tunnel, for what is uploaded through one cannot be seen (G4). */
	readonly plain: boolean;
};

/** The purposes of what is listed, by HOST:PORT and by ADDRESS:PORT. */
export type Index = {
	readonly names: ReadonlyMap<string, ReadonlySet<Purpose>>;
	readonly addresses: ReadonlyMap<string, ReadonlySet<Purpose>>;
};

export type AllowList = {readonly tunnels: Index; readonly downloads: Index};

export const listKey = (host: string, port: number): string => `${host} ${port}`;

const plainName = (host: string) => plainAddress(host) ?? host.toLowerCase().replace(/\.$/, '');
const httpPort = 80;

/**
All that passes, in the order of the list: also what a signed update has put in the place of a published one. Port 80 is that of
configuration updates alone (S72); `plainUrl` is where the configuration has them on another port without TLS.
*/
export function passing(
	destinations: readonly Destination[],
	{generations}: Pick<SupportProxyConfig, 'generations'>,
	plainUrl?: URL,
): readonly Passing[] {
	const isPlain = (host: string, port: number) =>
		port === httpPort || (plainUrl !== undefined && listKey(host, port) === listKey(hostOf(plainUrl), Number(plainUrl.port)));
	const all = destinations
		.filter(({generation}) => generation === 'configured' || generation === 'updated' || generations.includes(generation))
		.flatMap(({purpose, generation, servers}) =>
			servers.flatMap(({host, ports, addresses}) =>
				ports
					.map(port => ({host: plainName(host), port, purpose, generation, addresses}))
					.map(point => ({...point, plain: isPlain(point.host, point.port)}))
					.filter(({plain}) => !plain || purpose === 'configuration_updates'),
			),
		);
	return [...new Map(all.map(point => [`${listKey(point.host, point.port)} ${point.purpose}`, point])).values()];
}

const hostOf = ({hostname}: URL) => plainName(hostname.replace(/^\[|\]$/g, ''));

export function createAllowList(list: readonly Passing[]): AllowList {
	return {tunnels: indexOf(list.filter(({plain}) => !plain)), downloads: indexOf(list.filter(({plain}) => plain))};
}

function indexOf(list: readonly Passing[]): Index {
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

/** Of several, the first in the order in which purposes count: it decides which connections may carry the request. */
export const firstPurpose = (known: ReadonlySet<Purpose>): Purpose =>
	purposes.find(purpose => known.has(purpose)) ?? 'problem_reporting';
