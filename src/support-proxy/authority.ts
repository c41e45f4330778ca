import {plainAddress} from './addresses.ts';

/** Whereto a request wants to go. A name is in lower case and without its last dot, an address in its one spelling. */
export type Target = {readonly host: string; readonly port: number};

/** Whether the host of a target is an address rather than a name. */
export const isAddress = ({host}: Target): boolean => plainAddress(host) !== undefined;

const label = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?';
const name = new RegExp(`^${label}(?:\\.${label})*\\.?$`, 'i');
const shape = /^(?:\[([0-9a-f:.]{2,45})\]|([a-z0-9_.-]{1,254})):([1-9]\d{0,4})$/i;

/**
Reads HOST:PORT as a CONNECT has it (RFC 9110, 9.3.6). Undefined for everything else: no port, user information, a zone, an
escape, a letter beyond ASCII, a path.
*/
export function parseAuthority(text: string): Target | undefined {
	const match = shape.exec(text);
	const port = Number(match?.[3]);
	if (!match || port > 65_535) return undefined;
	const [, bracketed, plain] = match;
	const host = bracketed === undefined ? plainHost(plain ?? '') : bracketed.includes(':') ? plainAddress(bracketed) : undefined;
	return host === undefined ? undefined : {host, port};
}

function plainHost(text: string): string | undefined {
	if (!name.test(text)) return undefined;
	const host = text.toLowerCase().replace(/\.$/, '');
	return host.length > 253 ? undefined : host;
}

/** An absolute-form request target, http:// only. The path is as the client wrote it: it is passed on, not understood. */
export type AbsoluteTarget = Target & {readonly path: string; readonly authority: string};

/** Reads `http://HOST[:PORT]/path?query`. Undefined for another scheme, user information, a fragment, a control character. */
export function parseAbsolute(text: string): AbsoluteTarget | undefined {
	const match = /^http:\/\/([^/?#\\@]+)((?:[/?][\x21-\x22\x24-\x7e]*)?)$/i.exec(text);
	const [, authority = '', rest = ''] = match ?? [];
	const target = parseAuthority(/:\d+$/.test(authority) ? authority : `${authority}:80`);
	if (!target) return undefined;
	return {...target, authority, path: rest.startsWith('/') ? rest : `/${rest}`};
}
