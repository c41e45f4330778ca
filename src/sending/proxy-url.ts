import {z} from 'zod';
import {Secret} from '../secret.ts';
import {secret} from '../settings.ts';

export type ProxyConfig = {
	readonly protocol: 'http' | 'https';
	readonly host: string;
	readonly port: number;
	readonly username?: string;
	readonly password?: Secret;
	/** PEM file with authorities that are trusted for the TLS to the proxy itself. */
	readonly caFile?: string;
};

const defaultPorts = {http: 80, https: 443} as const;

// None of these messages repeats the URL: there is a password in it.
const faults = {
	url: 'is not a URL such as http://user:password@proxy.example:3128 (in the password write % / ? # as %25 %2F %3F %23)',
	protocol: 'is not an http:// or https:// URL: other kinds of proxy are not supported',
	rest: 'has something after the port: in a password write / ? # as %2F %3F %23',
	port: 'names port 0: give the port on which the proxy listens',
	escape: 'has a % in its credentials that begins no valid escape: write % as %25',
	colon: 'has a ":" in the user name, which Basic authentication cannot carry',
	control: 'has a control character in its credentials',
} as const;

/** The parts of a proxy's URL, or what is wrong with it. */
function proxyParts(text: string): Omit<ProxyConfig, 'caFile'> | keyof typeof faults {
	if (!URL.canParse(text)) return 'url';
	const url = new URL(text);
	const protocol = url.protocol.slice(0, -1);
	if (protocol !== 'http' && protocol !== 'https') return 'protocol';
	if ((url.pathname !== '/' && url.pathname !== '') || url.search !== '' || url.hash !== '') return 'rest';
	if (url.port === '0') return 'port';
	const credentials = credentialsOf(url);
	if (typeof credentials === 'string') return credentials;
	const host = url.hostname.replace(/^\[|\]$/g, '');
	return {protocol, host, port: url.port === '' ? defaultPorts[protocol] : Number(url.port), ...credentials};
}

function credentialsOf(url: URL): Pick<ProxyConfig, 'username' | 'password'> | 'escape' | 'colon' | 'control' {
	if (url.username === '' && url.password === '') return {};
	const username = decoded(url.username);
	const password = decoded(url.password);
	if (username === undefined || password === undefined) return 'escape';
	if (username.includes(':')) return 'colon';
	if (/\p{Cc}/u.test(username + password)) return 'control';
	return {username, password: new Secret(password)};
}

function decoded(text: string): string | undefined {
	try {
		return decodeURIComponent(text);
	} catch {
		return undefined;
	}
}

/** The URL of a proxy, taken apart: the password is a secret from here on. */
export const proxyUrl = secret.transform((value, context) => {
	const parts = proxyParts(value.reveal());
	if (typeof parts !== 'string') return parts;
	context.addIssue({code: 'custom', message: faults[parts]});
	return z.NEVER;
});
