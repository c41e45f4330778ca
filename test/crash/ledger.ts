import {createHash} from 'node:crypto';

/** What lies in the store of the ledger and of the attempts it is about. */
export type LedgerEvidence = {
	readonly entries: readonly {
		readonly sequence: number;
		readonly attempt: number | null;
		readonly entry: string;
		readonly hash: string;
	}[];
	readonly attempts: readonly {
		readonly sequence: number;
		readonly destination: string;
		readonly request: string;
		/** The reply, or the words of the error; null while it has not ended. */
		readonly end: string | null;
	}[];
};

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** What is wrong with it, found with a formula of its own: each attempt is recorded once and ends once, and the chain has no gap. */
export function ledgerFaults({entries, attempts}: LedgerEvidence): string[] {
	const faults: string[] = [];
	let previous = '0'.repeat(64);
	for (const [index, {sequence, entry, hash}] of entries.entries()) {
		if (sequence !== index + 1) faults.push(`the ledger has ${sequence} in the place of ${index + 1}`);
		if (sha256(`${previous}\n${entry}`) !== hash)
			faults.push(`entry ${sequence} of the ledger does not follow from the one before`);
		previous = hash;
	}
	const byAttempt = Map.groupBy(entries, ({attempt}) => attempt);
	for (const {sequence, destination, request, end} of attempts) {
		const [begin, ...ends] = (byAttempt.get(sequence) ?? []).map(({entry}) => JSON.parse(entry));
		if (begin?.kind !== 'request' || begin.text_sha256 !== sha256(request) || begin.destination !== destination)
			faults.push(`the request of attempt ${sequence} is not as the ledger has it`);
		if (ends.length !== (end === null ? 0 : 1)) faults.push(`attempt ${sequence} has ${ends.length} ends in the ledger`);
		if (end !== null && ends[0]?.text_sha256 !== sha256(end))
			faults.push(`the end of attempt ${sequence} is not as the ledger has it`);
	}
	return faults;
}
