import {open} from 'node:fs/promises';
import type {HardwareEvent} from '../event.ts';
import {toEvent} from '../receivers/host/alert.ts';
import {readRecords, recordBytes, recordToFinding} from '../receivers/host/sel.ts';

/** As many records as the ids of IPMI allow for. */
const mostBytes = 65_536 * recordBytes;

/**
The events of a system event log that `ipmitool sel writeraw FILE` wrote, oldest first, about the machine of this name. Undefined
for a file of another kind: no text has a byte 0 in it, and each record has.
*/
export async function selEventsIn(file: string, host: string, now = Date.now()): Promise<readonly HardwareEvent[] | undefined> {
	const opened = await open(file);
	try {
		const {size} = await opened.stat();
		if (size === 0 || size > mostBytes || size % recordBytes !== 0) return undefined;
		const bytes = await opened.readFile();
		const records = bytes.includes(0) ? readRecords(bytes) : undefined;
		return records?.flatMap(record => {
			const finding = recordToFinding(record, undefined, file);
			return finding ? [toEvent('host/ipmi', finding, {'host.name': host}, now)] : [];
		});
	} finally {
		await opened.close();
	}
}
