import {isIPv4} from 'node:net';
import {sandbox} from 'pac-resolver';
import {pacDates} from './pac-dates.ts';

export type PacValue = string | number | boolean | null | undefined;
type PacFunction = (...parameters: readonly unknown[]) => PacValue;

/**
What a PAC file may call: the functions of Netscape's specification. Those that ask for a name wait for the answer, as scripts
expect; those of the package would answer with a promise, which is true in every `if`, its myIpAddress connects to a public
server, and its dateRange is never true.
*/
export function pacFunctions(resolve: (host: string) => string | null, address: string): Readonly<Record<string, PacFunction>> {
	const {dnsDomainIs, dnsDomainLevels, isPlainHostName, localHostOrDomainIs, shExpMatch} = sandbox;
	const own: Record<string, PacFunction> = {
		alert: () => undefined,
		dnsResolve: host => resolve(String(host)),
		isInNet: (host, pattern, mask) => isInNet(resolve(String(host)), String(pattern), String(mask)),
		isResolvable: host => resolve(String(host)) !== null,
		myIpAddress: () => address,
	};
	const packaged = {dnsDomainIs, dnsDomainLevels, isPlainHostName, localHostOrDomainIs, shExpMatch};
	return {...(packaged as unknown as Record<string, PacFunction>), ...pacDates(), ...own};
}

function isInNet(address: string | null, pattern: string, mask: string): boolean {
	if (address === null || ![address, pattern, mask].every(isIPv4)) return false;
	const bits = bitsOf(mask);
	return (bitsOf(address) & bits) === (bitsOf(pattern) & bits);
}

const bitsOf = (address: string): number => address.split('.').reduce((bits, byte) => (bits << 8) | Number(byte), 0);
