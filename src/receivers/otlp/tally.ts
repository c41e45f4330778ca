import {isBridgeError} from '../../errors.ts';
import type {HardwareEvent} from '../../event.ts';
import type {Reading} from './reader.ts';
import {limits} from './record.ts';
import {malformed} from './wire.ts';

/** A record tells of one event, of several states of one part, or of nothing. */
type Read = () => HardwareEvent | readonly HardwareEvent[] | undefined;

export type Tally = ReturnType<typeof createTally>;

/**
Counts the records of one request. What is wrong inside of a record costs that record alone: it is counted and named.
What is wrong around the records, where one ends and the next begins, throws ERR_MALFORMED for the request; so do so many
unreadable records, or so many events, that no working sender would put them into one request.
*/
export function createTally() {
	const events: HardwareEvent[] = [];
	let records = 0;
	let unreadable = 0;
	let malformedMessage = '';

	function attempt(read: Read): ReturnType<Read> {
		try {
			return read();
		} catch (error) {
			if (!isBridgeError(error, 'ERR_MALFORMED')) throw error;
			refuse(error);
			return undefined;
		}
	}

	function refuse(error: Error): void {
		if (unreadable === 0) malformedMessage = `record ${records}: ${error.message}`;
		if (++unreadable <= limits.malformedRecords) return;
		throw malformed(`more than ${limits.malformedRecords} unreadable records, the first: ${malformedMessage}`);
	}

	return {
		record(read: Read): void {
			records++;
			const found = attempt(read);
			if (found) events.push(...[found].flat());
			if (events.length > limits.selectedRecords) {
				throw malformed(`more than ${limits.selectedRecords} hardware events in one request: send smaller batches`);
			}
		},
		reading: (): Reading => ({records, malformed: unreadable, malformedMessage, events}),
	};
}
