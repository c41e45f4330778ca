import type {Purpose} from '../destination.ts';
import {plainAddress} from './addresses.ts';
import type {Index} from './allow-list.ts';
import type {Target} from './authority.ts';

/** The addresses of a name to which a client may be led. */
export type Resolve = (host: string, signal: AbortSignal) => Promise<readonly string[]>;

export type LookupOptions = {
	/** Of each name. */
	readonly timeoutMillis?: number;
	/** For so long an answer is good, or those who ask for addresses could have the names looked up all the time. */
	readonly keepMillis?: number;
	readonly now?: () => number;
};

const portOf = (key: string) => Number(key.slice(key.lastIndexOf(' ') + 1));
const hostOf = (key: string) => key.slice(0, key.lastIndexOf(' '));
/** More names than any list has: what is no longer asked for is forgotten. */
const mostKnown = 1000;

/**
What an address is listed for: the purposes of the listed names with this port whose address it is now. Only listed names are
ever looked up, so that nobody can have the bridge ask for names of their own.
*/
export function createLookups(resolve: Resolve, {timeoutMillis = 5000, keepMillis = 5000, now = Date.now}: LookupOptions = {}) {
	const known = new Map<string, {readonly at: number; readonly addresses: Promise<readonly string[]>}>();
	const addressesOf = (host: string): Promise<readonly string[]> => {
		const kept = known.get(host);
		if (kept && Math.abs(now() - kept.at) < keepMillis) return kept.addresses;
		const addresses = lookUp(resolve, host, timeoutMillis);
		if (known.size >= mostKnown) known.clear();
		known.set(host, {at: now(), addresses});
		return addresses;
	};
	return async function purposesNow({host, port}: Target, {names}: Index): Promise<ReadonlySet<Purpose>> {
		const keys = [...names.keys()].filter(key => portOf(key) === port);
		const found = await Promise.all(keys.map(async key => ({key, addresses: await addressesOf(hostOf(key))})));
		const listed = found.filter(({addresses}) => addresses.includes(host));
		return new Set(listed.flatMap(({key}) => [...(names.get(key) ?? [])]));
	};
}

/** A name that cannot be looked up has no address. */
async function lookUp(resolve: Resolve, host: string, timeoutMillis: number): Promise<readonly string[]> {
	const {promise: tooLate, reject} = Promise.withResolvers<never>();
	const timer = setTimeout(() => reject(new Error('too late')), timeoutMillis);
	try {
		const addresses = await Promise.race([resolve(host, AbortSignal.timeout(timeoutMillis)), tooLate]);
		return addresses.flatMap(address => plainAddress(address) ?? []);
	} catch {
		return [];
	} finally {
		clearTimeout(timer);
	}
}
