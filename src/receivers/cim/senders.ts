import {hash} from 'node:crypto';
import {lookup} from 'node:dns/promises';
import {isIP} from 'node:net';
import type {Attributes} from '../../event.ts';
import type {CimSystem} from './config.ts';

/** IPv4 addresses as they are, also where the socket shows them inside of IPv6. */
const plain = (address: string): string =>
	address
		.toLowerCase()
		.replace(/^::ffff:(?=\d+\.)/, '')
		.replace(/%.*$/, '');

/** The path by which a system sends, so that it is known behind a translation of addresses, too. */
export const pathFor = (agentId: string, {host, port}: CimSystem): string =>
	`/cim/${hash('sha256', `${agentId} ${host.toLowerCase()}:${port}`, 'hex').slice(0, 20)}`;

export const resourceOf = ({name, host, machine_type, model, serial_number}: CimSystem): Attributes => ({
	'host.name': name ?? host,
	...(machine_type && {'callhome.system.type': machine_type.toUpperCase()}),
	...(model && {'callhome.system.model': model.toUpperCase()}),
	...(serial_number && {'callhome.system.serial_number': serial_number.toUpperCase()}),
});

export type Sender = {
	/** Undefined when neither the path nor the address is one of a system. */
	readonly system: CimSystem | undefined;
	/** The address is one of that system. */
	readonly isOwn: boolean;
};

/** Who sends an indication. Names are looked up at the start and again every few minutes. */
export function createSenders(systems: readonly CimSystem[], agentId: string) {
	const byPath = new Map(systems.map(system => [pathFor(agentId, system), system]));
	const addresses = new Map(systems.map(system => [system, new Set(system.addresses.map(plain))]));
	for (const system of systems) if (isIP(system.host) !== 0) addresses.get(system)?.add(plain(system.host));
	const named = systems.filter(({host}) => isIP(host) === 0);
	const isFrom = (system: CimSystem, address: string) => addresses.get(system)?.has(address) === true;
	return {
		/** A name that is not found keeps the addresses that it had. */
		async resolve(): Promise<void> {
			for (const system of named) {
				const found = await lookup(system.host, {all: true}).catch(() => []);
				if (found.length > 0)
					addresses.set(system, new Set([...system.addresses, ...found.map(({address}) => address)].map(plain)));
			}
		},
		senderOf(path: string, remoteAddress: string): Sender {
			const address = plain(remoteAddress);
			const system = byPath.get(path) ?? only(systems.filter(each => isFrom(each, address)));
			return {system, isOwn: system !== undefined && isFrom(system, address)};
		},
	};
}

/** Two systems behind one address cannot be told apart by it. */
const only = (systems: readonly CimSystem[]): CimSystem | undefined => (systems.length === 1 ? systems[0] : undefined);
