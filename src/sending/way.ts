import type {Address} from './address.ts';
import type {ProxyConfig} from './proxy-url.ts';

/** One way to a destination: through a proxy, or straight there. */
export type Candidate = ProxyConfig | 'direct';

/**
What an entry of `connections` amounts to for one destination, in the order in which it is to be tried: a PAC file may name
several. Rejects with ERR_NOT_CONFIGURED when it amounts to nothing, so that the next entry has its turn, or with ERR_PAC.
*/
export type Candidates = (destination: Address, signal: AbortSignal) => Promise<readonly Candidate[]>;
