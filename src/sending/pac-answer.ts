import {defaultProxyPorts, type ProxyConfig, readProxyUrl} from './proxy-url.ts';
import type {Candidate} from './way.ts';

export type PacAnswer = {
	/** In the order in which they are to be tried. */
	readonly candidates: readonly Candidate[];
	/** Why the others are passed over. */
	readonly passedOver: readonly string[];
};

type Credentials = Pick<ProxyConfig, 'username' | 'password'>;

const maxEntries = 8;

const keywords: Readonly<Record<string, ProxyConfig['protocol'] | undefined>> = {
	PROXY: 'http',
	HTTP: 'http',
	HTTPS: 'https',
	SOCKS: 'socks5',
	SOCKS5: 'socks5',
};

/** What FindProxyForURL answered, such as `PROXY a.example:3128; SOCKS5 [2001:db8::1]; DIRECT`. Empty stands for DIRECT. */
export function readPacAnswer(text: string, credentials: Credentials, allowDirect: boolean): PacAnswer {
	const entries = text.split(';').map(entry => entry.trim());
	const given = entries.filter(entry => entry !== '');
	const candidates: Candidate[] = [];
	const passedOver: string[] = [];
	for (const entry of given.length === 0 ? ['DIRECT'] : given.slice(0, maxEntries)) {
		const read = readEntry(entry, credentials, allowDirect);
		if ('reason' in read) passedOver.push(`${printableAnswer(entry, 60)} (${read.reason})`);
		else candidates.push(read.candidate);
	}
	if (given.length > maxEntries) passedOver.push(`${given.length - maxEntries} more (only the first ${maxEntries} count)`);
	return {candidates, passedOver};
}

function readEntry(
	entry: string,
	credentials: Credentials,
	allowDirect: boolean,
): {readonly candidate: Candidate} | {readonly reason: string} {
	const [word = '', place = '', ...rest] = entry.split(/\s+/);
	const keyword = word.toUpperCase();
	if (keyword === 'DIRECT' && place === '') return allowDirect ? {candidate: 'direct'} : {reason: 'allow_direct is not set'};
	if (keyword === 'SOCKS4') return {reason: 'SOCKS4 is not supported'};
	const protocol = Object.hasOwn(keywords, keyword) ? keywords[keyword] : undefined;
	if (!protocol) return {reason: 'not known'};
	if (place === '' || rest.length > 0 || /[/@?#\\]/.test(place)) return {reason: 'not HOST:PORT'};
	const read = readProxyUrl(`${protocol}://${place}`);
	if ('fault' in read) return {reason: 'not HOST:PORT'};
	const {host, port} = read.proxy;
	return {candidate: {protocol, host, port: port || defaultProxyPorts[protocol], ...credentials}};
}

/** One line of what a script said. Somebody may have written credentials into it, which PAC files do not have. */
export function printableAnswer(text: string, maxLength: number): string {
	const bounded = text.slice(0, maxLength * 4);
	// What the bound cuts in two may have had its @ behind the cut.
	const whole = bounded.length < text.length ? bounded.replace(/\S*$/, '') : bounded;
	const line = whole.replaceAll(/[\p{C}\s]+/gu, ' ').replaceAll(/\S+@/g, '[redacted]@');
	const isLong = line.length > maxLength || whole.length < text.length;
	return isLong ? `${line.slice(0, maxLength).toWellFormed()}…` : line;
}
