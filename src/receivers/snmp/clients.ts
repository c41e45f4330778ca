import {BlockList, isIP} from 'node:net';
import {z} from 'zod';

/** A range of addresses as configured, such as 192.0.2.0/24. */
export type Network = {readonly address: string; readonly prefix: number; readonly family: 'ipv4' | 'ipv6'};

const familyOf = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

/** An address, or a network in CIDR notation. */
export const network = z.string().transform((value, context): Network => {
	const [, address = '', length] = /^([0-9a-fA-F:.]+)(?:\/(\d{1,3}))?$/.exec(value) ?? [];
	const bits = isIP(address) === 6 ? 128 : 32;
	const prefix = Number(length ?? bits);
	if (isIP(address) !== 0 && prefix <= bits) return {address, prefix, family: familyOf(address)};
	const message = `"${value}" is not an address or a network: write for example 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32`;
	context.addIssue({code: 'custom', message});
	return z.NEVER;
});

/** An IPv4 address as it is, also when it comes through a socket of IPv6; without a zone. */
export const plainAddress = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');

/** Whether an address may send. Without networks every one may. */
export function createClients(networks: readonly Network[]) {
	const list = new BlockList();
	for (const {address, prefix, family} of networks) list.addSubnet(address, prefix, family);
	return (address: string): boolean => networks.length === 0 || list.check(address, familyOf(address));
}
