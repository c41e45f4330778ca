import {BridgeError} from '../errors.ts';
import {type Prepare, pageSize} from './sqlite.ts';

/** What `store.max_size` keeps for attempts and outcomes, at the most: 64 MiB. */
const mostReserve = 64 * 1024 ** 2;

/**
Refuses further events while the last part of `store.max_size` is still free: a store filled up to the end could not even
record an attempt, and so never send what it holds.
*/
export function refuseWhenFull(prepare: Prepare): void {
	const {used, most} = prepare(`
		SELECT page_count - freelist_count AS used, max_page_count AS most
		FROM pragma_page_count, pragma_freelist_count, pragma_max_page_count
	`).get() as {used: number; most: number};
	const reserve = Math.min(Math.floor(most / 4), mostReserve / pageSize);
	if (used < most - reserve) return;
	const size = Math.round((most * pageSize) / 1024 ** 2);
	throw new BridgeError('ERR_STORE_FULL', `the store is full: raise store.max_size (${size} MiB), the rest is kept for sending`);
}
