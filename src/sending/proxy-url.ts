import {z} from 'zod';
import {Secret} from '../secret.ts';

export type ProxyConfig = {
	/** With socks5 the proxy resolves the names. */
	readonly protocol: 'http' | 'https' | 'socks5';
	readonly host: string;
	readonly port: number;
	readonly username?: string;
	readonly password?: Secret;
	/** PEM file with authorities that are trusted for the TLS to the proxy itself. */
	readonly caFile?: string;
};

type Protocol = ProxyConfig['protocol'];
type Credentials = Pick<ProxyConfig, 'username' | 'password'>;

export const defaultProxyPorts: Record<Protocol, number> = {http: 80, https: 443, socks5: 1080};

/** What may stand before `://`. */
const protocols: Readonly<Record<string, Protocol | undefined>> = {
	http: 'http',
	https: 'https',
	socks5: 'socks5',
	socks5h: 'socks5',
};

// None of these messages repeats the URL: there is a password in it.
const faults = {
	url: 'is not a URL such as http://user:password@proxy.example:3128 (in the password write % / ? # as %25 %2F %3F %23)',
	protocol: 'is not an http://, https:// or socks5:// URL: other kinds of proxy are not supported',
	rest: 'has something after the port: in a password write / ? # as %2F %3F %23',
	port: 'names port 0: give the port on which the proxy listens',
	escape: 'has a % in its credentials that begins no valid escape: write % as %25',
	colon: 'has a ":" in the user name, which Basic authentication cannot carry',
	length: 'needs a user name and a password of 1 to 255 bytes each, or none of them: SOCKS5 carries no others',
	control: 'has a control character in its credentials',
} as const;
type Fault = keyof typeof faults;

/** The parts of a proxy's URL, or what is wrong with it. */
export function readProxyUrl(text: string): {readonly proxy: ProxyConfig} | {readonly fault: string} {
	const parts = proxyParts(text);
	return typeof parts === 'string' ? {fault: faults[parts]} : {proxy: parts};
}

function proxyParts(text: string): ProxyConfig | Fault {
	const trimmed = text.trim();
	const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(trimmed)?.[1]?.toLowerCase() ?? '';
	const protocol = Object.hasOwn(protocols, scheme) ? protocols[scheme] : undefined;
	if (!URL.canParse(trimmed)) return 'url';
	if (!protocol) return 'protocol';
	// Hosts are read alike whatever the protocol: URL knows addresses and international names only in the http one. It also
	// takes away port 80 there, so the port is read apart.
	const alike = `http${trimmed.slice(scheme.length)}`;
	const {host, port} = new URL(trimmed);
	if (host === '' || !URL.canParse(alike)) return 'url';
	const url = new URL(alike);
	if (url.pathname !== '/' || url.search !== '' || url.hash !== '') return 'rest';
	if (port === '0') return 'port';
	const credentials = credentialsOf(url, protocol);
	if (typeof credentials === 'string') return credentials;
	return {
		protocol,
		host: url.hostname.replace(/^\[|\]$/g, ''),
		port: port === '' ? defaultProxyPorts[protocol] : Number(port),
		...credentials,
	};
}

function credentialsOf(url: URL, protocol: Protocol): Credentials | Fault {
	if (url.username === '' && url.password === '') return {};
	const username = decoded(url.username);
	const password = decoded(url.password);
	if (username === undefined || password === undefined) return 'escape';
	if (/\p{Cc}/u.test(username + password)) return 'control';
	if (protocol !== 'socks5' && username.includes(':')) return 'colon';
	if (protocol === 'socks5' && ![username, password].every(isSocksField)) return 'length';
	return {username, password: new Secret(password)};
}

/** RFC 1929: one byte says how long it is. */
const isSocksField = (text: string): boolean => text !== '' && Buffer.byteLength(text) <= 255;

function decoded(text: string): string | undefined {
	try {
		return decodeURIComponent(text);
	} catch {
		return undefined;
	}
}

/** The URL of a proxy, taken apart: the password is a secret from here on. Empty means that there is no proxy (yet). */
export const proxyUrl = z.union([z.string(), z.instanceof(Secret)]).transform((value, context): ProxyConfig | undefined => {
	const text = value instanceof Secret ? value.reveal() : value;
	if (text.trim() === '') return undefined;
	const read = readProxyUrl(text);
	if ('proxy' in read) return read.proxy;
	context.addIssue({code: 'custom', message: read.fault});
	return z.NEVER;
});
