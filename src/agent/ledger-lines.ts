import {BridgeError} from '../errors.ts';
import type {Place} from '../ledger.ts';
import type {LedgerSlice, Records} from '../store/store.ts';

/** What the first line of an exported ledger says of the file. */
export const ledgerFormat = {format: 'callhome-ledger', version: 1} as const;

export type ExportReads = Pick<Records, 'ledgerState' | 'ledgerSlice' | 'ledgerRange' | 'placeBefore'>;

export type ExportOptions = {
	/** Unix milliseconds: from the first entry that was not written before, to the last that was not after. */
	readonly from?: number | undefined;
	readonly to?: number | undefined;
	readonly programVersion: string;
	readonly now?: () => number;
	readonly onProgress?: (sequence: number, last: number) => void;
};

/** What was exported. */
export type Exported = {readonly anchor: Place; readonly head: Place; readonly entries: number};

const timeOf = (millis: number | undefined) => (millis === undefined ? undefined : new Date(millis).toISOString());
const line = (value: unknown) => `${JSON.stringify(value)}\n`;

/**
An exported ledger, as JSON lines: the first says what it is and which place comes before; each entry with its hash, and the
text of which it has the digest while that is kept; the last line says where it ends, so that a file that was cut is seen.
A part at a time: a bridge may write meanwhile. Rejects with ERR_NOT_READY when entries were forgotten before they were read.
*/
export async function* exportLines(read: ExportReads, options: ExportOptions): AsyncGenerator<string, Exported> {
	const {programVersion, now = Date.now, onProgress = () => {}} = options;
	const [from, to] = [timeOf(options.from), timeOf(options.to)];
	const range = await read.ledgerRange(from, to);
	const anchor = range ? await read.placeBefore(range.first) : (await read.ledgerState()).anchor;
	yield line({...ledgerFormat, program_version: programVersion, exported_at: timeOf(now()), anchor, from, to});
	let head = anchor;
	let entries = 0;
	for (let isEnd = range === undefined; !isEnd; ) {
		const slice = await read.ledgerSlice(head.sequence);
		refuseForgotten(slice, head);
		const links = slice.links.filter(({sequence}) => sequence <= (range?.last ?? 0));
		if (links.length > 0) yield links.map(({entry, hash, text}) => line({entry, hash, text})).join('');
		const last = links.at(-1);
		if (last) head = {sequence: last.sequence, hash: last.hash};
		entries += links.length;
		onProgress(head.sequence, range?.last ?? 0);
		isEnd = slice.isEnd || links.length < slice.links.length;
	}
	yield line({head, entries});
	return {anchor, head, entries};
}

function refuseForgotten({links: [first], anchor}: LedgerSlice, {sequence}: Place): void {
	if (anchor.sequence <= sequence || first?.sequence === sequence + 1) return;
	throw new BridgeError('ERR_NOT_READY', 'entries of the ledger became too old and were forgotten meanwhile: export it again');
}
