import {promises as dns} from 'node:dns';
import {BlockList, isIP} from 'node:net';
import {BridgeError, toError} from '../errors.ts';

/** Which kinds of address a name is asked for. `any` tries both, IPv6 first (RFC 8305). */
export type Family = 'ipv4' | 'ipv6' | 'any';

/** All addresses of a name, in the order in which they are to be tried. Of an address, itself. */
export type Lookup = (host: string, family: Family, signal: AbortSignal) => Promise<readonly string[]>;

export type LookupOptions = {
	/** DNS servers to be asked instead of the system's resolver, as `192.0.2.53` or `[2001:db8::53]:5353`. */
	readonly servers?: readonly string[];
	/** A name may stand for this machine, such as for a tunnel that begins here. */
	readonly allowLoopback?: boolean;
	/** A name must stand for an address of the Internet, or of this machine where that may be: nobody is led into a private network by it. */
	readonly publicOnly?: boolean;
	/** Addresses that are meant for the name, whatever network they lie in. */
	readonly meant?: (host: string) => readonly string[];
	/** For a site without DNS: the addresses that are known for the name. */
	readonly known?: (host: string) => readonly string[];
};

/** Addresses that no server elsewhere has: this machine, this link, everybody. A name that stands for them was answered by a liar. */
const nowhere = rangesOf([
	['0.0.0.0', 8],
	['127.0.0.0', 8],
	['169.254.0.0', 16],
	['224.0.0.0', 3], // Multicast, reserved, broadcast.
	['::', 127], // Unspecified and loopback.
	['fe80::', 10],
	['ff00::', 8],
]);

const loopback = rangesOf([
	['127.0.0.0', 8],
	['::1', 128],
]);

/** Addresses of private networks and of tests (RFC 1918, 6598, 2544, 5737, 3879, 4193, 3849, 8215), and IPv4 in its old disguise. */
const notPublic = rangesOf([
	['10.0.0.0', 8],
	['100.64.0.0', 10],
	['172.16.0.0', 12],
	['192.0.0.0', 24],
	['192.0.2.0', 24],
	['192.168.0.0', 16],
	['198.18.0.0', 15],
	['198.51.100.0', 24],
	['203.0.113.0', 24],
	['::', 96],
	['fc00::', 7],
	['fec0::', 10],
	['2001:db8::', 32],
	['64:ff9b:1::', 48],
]);

/** A range of IPv4 counts also where a translator has it within IPv6 (RFC 6052). Node sees to addresses such as ::ffff:10.0.0.1. */
function rangesOf(ranges: readonly (readonly [net: string, prefix: number])[]): BlockList {
	const list = new BlockList();
	for (const [net, prefix] of ranges) {
		list.addSubnet(net, prefix, isIP(net) === 6 ? 'ipv6' : 'ipv4');
		if (isIP(net) === 4) list.addSubnet(`64:ff9b::${net}`, 96 + prefix, 'ipv6');
	}
	return list;
}

const isIn = (list: BlockList, address: string): boolean => list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');

/** By its name it is this machine (RFC 6761). */
const isLocalName = (host: string): boolean => /^(.*\.)?localhost\.?$/i.test(host);

export function createLookup({
	servers = [],
	allowLoopback,
	publicOnly,
	known = () => [],
	meant = () => [],
}: LookupOptions = {}): Lookup {
	const ask = servers.length > 0 ? askServers(servers) : askSystem;
	return async function lookup(host, family, signal) {
		const isAddress = isIP(host) !== 0;
		const found = isAddress ? [host] : await orKnown(ask(host, family, signal), known(host));
		const mayBeHere = isAddress || allowLoopback === true || isLocalName(host);
		const isMeant = (address: string) => meant(host).includes(address) || (allowLoopback === true && isIn(loopback, address));
		const usable = publicOnly
			? found.filter(address => isMeant(address) || (!isIn(nowhere, address) && !isIn(notPublic, address)))
			: found.filter(address => mayBeHere || !isIn(nowhere, address));
		if (usable.length === 0)
			throw found.some(address => !isIn(nowhere, address)) ? privateOnly(host, found) : misleading(host, found);
		return usable;
	};
}

/** A failed lookup leads to the known addresses, if there are any. */
async function orKnown(asked: Promise<readonly string[]>, known: readonly string[]): Promise<readonly string[]> {
	return known.length === 0 ? asked : asked.catch(() => known);
}

function misleading(host: string, found: readonly string[]): BridgeError {
	const message =
		`The name ${host} resolves to ${found.slice(0, 4).join(', ')}, where no server of that name can be. ` +
		'A DNS server gives wrong answers, as a filter does: have the name excepted from it.';
	return new BridgeError('ERR_NAME_MISLEADING', message);
}

function privateOnly(host: string, found: readonly string[]): BridgeError {
	const message =
		`The name ${host} resolves to ${found.slice(0, 4).join(', ')}, which is no address of the Internet, and nobody is led into a ` +
		'private network by a name. Where the server does stand there, list the address with it under "destinations".';
	return new BridgeError('ERR_NAME_MISLEADING', message);
}

/** What the system says: its hosts file, its DNS servers, whatever it is set up with. Cannot be given up: the answer is not waited for. */
async function askSystem(host: string, family: Family, signal: AbortSignal): Promise<readonly string[]> {
	const answer = dns.lookup(host, {all: true, family: familyNumber[family], order: 'verbatim'});
	const found = await unlessAborted(answer, signal).catch(cause => {
		throw signal.aborted ? cause : notFound(host, family, toError(cause), "this machine's resolver");
	});
	return interleaved(found.map(({address}) => address));
}

const familyNumber = {ipv4: 4, ipv6: 6, any: 0} as const;
/** One server has this long for one try. */
const tryMillis = 1500;

/** Asks these servers and nobody else. */
function askServers(servers: readonly string[]) {
	return async function askNamed(host: string, family: Family, signal: AbortSignal): Promise<readonly string[]> {
		const resolver = new dns.Resolver({timeout: tryMillis, tries: 2});
		resolver.setServers(servers);
		const giveUp = () => resolver.cancel();
		signal.addEventListener('abort', giveUp, {once: true});
		try {
			const questions = [
				...(family === 'ipv4' ? [] : [resolver.resolve6(host)]),
				...(family === 'ipv6' ? [] : [resolver.resolve4(host)]),
			];
			const answers = await unlessAborted(Promise.allSettled(questions), signal);
			const found = answers.flatMap(answer => (answer.status === 'fulfilled' ? answer.value : []));
			const failed = answers.find(answer => answer.status === 'rejected');
			if (found.length === 0) throw notFound(host, family, toError(failed?.reason), `the DNS server ${servers.join(', ')}`);
			return interleaved(found);
		} finally {
			signal.removeEventListener('abort', giveUp);
		}
	};
}

async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
	signal.throwIfAborted();
	const {promise, reject} = Promise.withResolvers<never>();
	const stop = () => reject(signal.reason);
	signal.addEventListener('abort', stop, {once: true});
	work.catch(() => {}); // It may fail after it was given up.
	return Promise.race([work, promise]).finally(() => signal.removeEventListener('abort', stop));
}

/** Codes that say that the DNS server is at fault, and not the name. */
const noAnswer = /^(EAI_AGAIN|ETIMEOUT|ECONNREFUSED|ESERVFAIL|EREFUSED|EBADRESP|ECANCELLED|EFORMERR|ENOTIMP)$/;

function notFound(host: string, family: Family, cause: Error, asked: string): BridgeError {
	const code = 'code' in cause ? String(cause.code) : cause.name;
	const kind = family === 'any' ? '' : ` with ${family === 'ipv4' ? 'IPv4' : 'IPv6'}`;
	const message = noAnswer.test(code)
		? `The name ${host} cannot be resolved: ${asked} gives no answer (${code}). Check whether DNS works here, or use a proxy, which resolves names itself.`
		: `The name ${host} cannot be resolved${kind} (${code}). Check its spelling and what ${asked} knows of it, or use a proxy, which resolves names itself.`;
	return new BridgeError('ERR_NAME_NOT_FOUND', message, {cause});
}

/** IPv6 and IPv4 by turns, each in its order. */
function interleaved(addresses: readonly string[]): readonly string[] {
	const six = addresses.filter(address => isIP(address) === 6);
	const four = addresses.filter(address => isIP(address) === 4);
	const longest = Math.max(six.length, four.length);
	return Array.from({length: longest}, (_, index) => [six[index], four[index]])
		.flat()
		.filter(address => address !== undefined);
}
