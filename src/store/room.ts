import {BridgeError} from '../errors.ts';
import {type Prepare, pageSize} from './sqlite.ts';

/** What `store.max_size` keeps for attempts and outcomes, at the most: 64 MiB. */
const mostReserve = 64 * 1024 ** 2;

/** Refuses with ERR_STORE_FULL when less than so many times that part is free. */
function demandRoom(prepare: Prepare, times: number, what: string): void {
	const {used, most} = prepare(`
		SELECT page_count - freelist_count AS used, max_page_count AS most
		FROM pragma_page_count, pragma_freelist_count, pragma_max_page_count
	`).get() as {used: number; most: number};
	const reserve = Math.min(Math.floor(most / 4), mostReserve / pageSize);
	if (used < most - times * reserve) return;
	const size = Math.round((most * pageSize) / 1024 ** 2);
	throw new BridgeError('ERR_STORE_FULL', `the store is full: raise store.max_size (${size} MiB), the rest is kept for ${what}`);
}

/**
Refuses further events while the last part of `store.max_size` is still free: a store filled up to the end could not even
record an attempt, and so never send what it holds.
*/
export const refuseWhenFull = (prepare: Prepare): void => demandRoom(prepare, 1, 'sending');

/** Inventories are large, and each attempt is kept with all its bytes: they end before events do. */
export async function leaveRoomForFaults(prepare: Prepare): Promise<void> {
	demandRoom(prepare, 2, 'faults');
}
