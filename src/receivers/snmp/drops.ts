import {readFile} from 'node:fs/promises';
import {isIP} from 'node:net';
import {endianness} from 'node:os';

const word = (bytes: readonly number[]): string => {
	const ordered = endianness() === 'LE' ? bytes.toReversed() : bytes;
	return ordered.map(byte => byte.toString(16).padStart(2, '0')).join('');
};

/** An address as /proc/net/udp writes it: words of four bytes, each in the order of this machine. */
export function procAddress(address: string): string | undefined {
	if (isIP(address) === 4) return word(address.split('.').map(Number)).toUpperCase();
	if (isIP(address) !== 6) return undefined;
	const plain = new URL(`http://[${address}]`).hostname.slice(1, -1);
	const [head = '', tail] = plain.split('::');
	const front = head === '' ? [] : head.split(':');
	const back = tail ? tail.split(':') : [];
	const groups = [...front, ...Array<string>(tail === undefined ? 0 : 8 - front.length - back.length).fill('0'), ...back];
	const bytes = groups.flatMap(group => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255]);
	return [0, 4, 8, 12]
		.map(at => word(bytes.slice(at, at + 4)))
		.join('')
		.toUpperCase();
}

/**
How many datagrams the kernel has thrown away for want of room since the socket was opened (the last column of /proc/net/udp).
Undefined where there is no such file, or no such socket in it.
*/
export async function dropsOf(host: string, port: number): Promise<number | undefined> {
	const address = procAddress(host);
	const local = address && `${address}:${port.toString(16).padStart(4, '0').toUpperCase()}`;
	try {
		const table = await readFile(host.includes(':') ? '/proc/net/udp6' : '/proc/net/udp', 'utf8');
		const row = table.split('\n').find(line => line.trim().split(/\s+/)[1] === local);
		const drops = Number(row?.trim().split(/\s+/).at(-1));
		return row && Number.isInteger(drops) ? drops : undefined;
	} catch {
		return undefined;
	}
}
