import {isIP} from 'node:net';
import {z} from 'zod';

/** What a URL would take for an address written another way, such as `127.1` or `0x7f000001`. */
const numberLike = /^(?:\d+|0x[0-9a-f]*)$/;
const label = /^[0-9a-z](?:[0-9a-z_-]{0,61}[0-9a-z])?$/;

/** One address, without a zone: `fe80::1%eth0` is another thing on each machine. */
export const isAddress = (text: string): boolean => isIP(text) !== 0 && !text.includes('%');

/** A name as DNS has it, in lower case: no wildcard, no dot at the end, nothing that could be read as an address. */
export function isHostName(text: string): boolean {
	const labels = text.split('.');
	return text.length <= 253 && labels.every(part => label.test(part)) && !numberLike.test(labels.at(-1) ?? '');
}

/** The value stays out of the messages: it may be anything. */
export const host = z
	.string()
	.transform(text => text.toLowerCase())
	.refine(text => isAddress(text) || isHostName(text), {
		error: ({input}) =>
			String(input).includes('*')
				? 'has a wildcard: each server is named by itself'
				: 'is not a host name such as esupport.ibm.com or an IP address: no scheme, port, path, brackets or dot at the end',
	});

export const address = z.string().refine(isAddress, 'is not an IP address such as 192.0.2.1 or 2001:db8::1');

export const port = z
	.int('is not a port: 1 to 65535')
	.min(1, 'is not a port: 1 to 65535')
	.max(65_535, 'is not a port: 1 to 65535');

/** `192.0.2.53`, `2001:db8::53`, `192.0.2.53:5353` or `[2001:db8::53]:5353`: with its port, as a resolver takes it. */
export const dnsServer = z.string().transform((text, context): string => {
	const server = dnsServerOf(text);
	if (server) return server;
	context.addIssue({
		code: 'custom',
		message:
			'is not the address of a DNS server: write for example 192.0.2.53, 192.0.2.53:5353 or "[2001:db8::53]:5353" (a name cannot be resolved before)',
	});
	return z.NEVER;
});

function dnsServerOf(text: string): string | undefined {
	const bracketed = /^\[([^\]]*)\](?::(\d{1,5}))?$/.exec(text);
	const [, plain = text, plainPort] = /^([^:]*):(\d{1,5})$/.exec(text) ?? [];
	const [host, portText = '53'] = bracketed ? [bracketed[1] ?? '', bracketed[2]] : [plain, plainPort];
	const isPort = port.safeParse(Number(portText)).success;
	if (!isPort || !isAddress(host) || (bracketed !== null && !host.includes(':'))) return undefined;
	return `${host.includes(':') ? `[${host}]` : host}:${Number(portText)}`;
}
