import {BlockList, isIP} from 'node:net';

/** A range of addresses as configured, such as 192.0.2.0/24. */
export type Network = {
	readonly text: string;
	readonly address: string;
	readonly prefix: number;
	readonly family: 'ipv4' | 'ipv6';
};

const familyOf = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

/**
One spelling for each address: lower case, IPv6 in its shortest form, an IPv4 address inside IPv6 as IPv4, no zone.
Undefined when it is no address; numbers such as 127.1 or 0x7f000001 are none.
*/
export function plainAddress(text: string): string | undefined {
	const address = text.replace(/%.*$/s, '');
	if (isIP(address) !== 6) return isIP(address) === 4 ? address : undefined;
	const short = new URL(`http://[${address}]`).hostname.slice(1, -1);
	const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(short);
	if (!mapped) return short;
	const bits = [mapped[1], mapped[2]].map(group => Number.parseInt(group ?? '', 16));
	return bits.flatMap(group => [group >> 8, group & 255]).join('.');
}

/** A network in CIDR notation, or one address. */
export function networkOf(text: string): Network | undefined {
	const match = /^([0-9a-fA-F:.]+)(?:\/(0|[1-9]\d{0,2}))?$/.exec(text);
	const written = match?.[1] ?? '';
	const address = plainAddress(written);
	if (address === undefined) return undefined;
	const family = familyOf(address);
	const bits = family === 'ipv6' ? 128 : 32;
	const mappedBits = familyOf(written) === 'ipv6' && family === 'ipv4' ? 96 : 0;
	const prefix = match?.[2] === undefined ? bits : Number(match[2]) - mappedBits;
	return prefix < 0 || prefix > bits ? undefined : {text, address, prefix, family};
}

/** Whether an address lies in one of the networks. */
export function createNetworks(networks: readonly Pick<Network, 'address' | 'prefix' | 'family'>[]) {
	const list = new BlockList();
	for (const {address, prefix, family} of networks) list.addSubnet(address, prefix, family);
	return (address: string): boolean => list.check(address, familyOf(address));
}

/** Under which a client is counted: its address, of IPv6 the /64, within which a machine takes addresses as it likes. */
export function clientKey(address: string): string {
	if (isIP(address) !== 6) return address;
	const [front = '', back] = address.split('::');
	const head = front === '' ? [] : front.split(':');
	const tail = back ? back.split(':') : [];
	const zeros = back === undefined ? [] : Array<string>(8 - head.length - tail.length).fill('0');
	return `${[...head, ...zeros, ...tail].slice(0, 4).join(':')}::/64`;
}
