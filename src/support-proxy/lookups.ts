import {isPublic, plainAddress} from './addresses.ts';
import {type AllowList, listKey} from './allow-list.ts';
import type {Target} from './authority.ts';

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

/**
Whether an address is now one of those of a listed name with this port. Only listed names are ever looked up. An address of the
inner network is nobody's, whatever a name server says: list it by itself where that is meant.
*/
export function createLookups(resolve: Resolve, {timeoutMillis = 5000, keepMillis = 5000, now = Date.now}: LookupOptions = {}) {
	const known = new Map<string, {readonly at: number; readonly addresses: Promise<readonly string[]>}>();
	const addressesOf = (host: string): Promise<readonly string[]> => {
		const kept = known.get(host);
		if (kept && Math.abs(now() - kept.at) < keepMillis) return kept.addresses;
		const addresses = lookUp(resolve, host, timeoutMillis);
		known.set(host, {at: now(), addresses});
		return addresses;
	};
	return async function isListedNow({host, port}: Target, {names}: AllowList): Promise<boolean> {
		if (!isPublic(host)) return false;
		const hosts = [...names.keys()].filter(key => portOf(key) === port).map(hostOf);
		for (const gone of known.keys()) if (!names.has(listKey(gone, port)) && known.size > names.size) known.delete(gone);
		const found = await Promise.all([...new Set(hosts)].map(addressesOf));
		return found.some(addresses => addresses.includes(host));
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
