import {isBridgeError} from '../errors.ts';
import {type ConnectivityState, stateText, writeState} from '../sending/connectivity-state.ts';
import {every, type Upkeep} from './upkeep.ts';

/** So old may be what `callhome status` says of a running bridge. */
const keepIntervalMillis = 5000;

/** Keeps what is known of the connections where `callhome status` finds it. Written when it has changed, and once at the start. */
export function keepConnectivityState(read: () => ConnectivityState, upkeep: Upkeep): void {
	let kept = '';
	const keep = async () => {
		const text = stateText(read());
		if (text === kept) return;
		const written = upkeep.store.write(records => writeState(records, text));
		// Of a full or damaged disk the store speaks itself, and this comes again in a moment.
		kept = await written.then(
			() => text,
			error => (isBridgeError(error, 'ERR_STORE_FULL', 'ERR_STORE_BUSY', 'ERR_STORE_DAMAGED') ? kept : Promise.reject(error)),
		);
	};
	every(keepIntervalMillis, 'the state of the connections could not be kept', keep, upkeep);
}
