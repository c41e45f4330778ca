import {countsText, readNote} from '../agent/ledger.ts';
import type {Records} from '../store/store.ts';
import {timeText} from './print.ts';

/** What `status` says of the ledger. */
export type LedgerStatus = {
	/** The number of the newest entry. */
	readonly entries: number;
	readonly last_verification: string | null;
	/** By kind, at that verification, without those that are acknowledged; null before the first. */
	readonly breaks: Readonly<Record<string, number>> | null;
};

export async function readLedgerStatus(read: Records): Promise<LedgerStatus> {
	const note = await readNote(read);
	return {
		entries: await read.newestLedgerEntry(),
		last_verification: timeText(note?.at) ?? null,
		breaks: note?.breaks ?? null,
	};
}

export function ledgerText({entries, last_verification, breaks}: LedgerStatus): string {
	const found = countsText(breaks ?? {});
	const state = found === '' ? 'intact' : `broken (${found}): "callhome ledger verify"`;
	const verified = last_verification === null ? 'not verified yet' : `${state}, last verified ${last_verification}`;
	return `${entries} entries, ${verified}`;
}
