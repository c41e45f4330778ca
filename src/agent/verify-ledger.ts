import type {Place} from '../ledger.ts';
import {createVerifier, type Verification} from '../ledger-verifier.ts';
import type {Records} from '../store/store.ts';

export type LedgerReads = Pick<Records, 'ledgerState' | 'ledgerSlice' | 'unrecordedAttempts' | 'readLedgerNote'>;

export type VerifyOptions = {
	/** A head that a person has kept elsewhere. */
	readonly head?: Place | undefined;
	/** Called after each part, with the milliseconds that it took: others get their turn, or the end. */
	readonly pause?: (millis: number) => Promise<void>;
	readonly onProgress?: (sequence: number, newest: number) => void;
};

export type StoreVerification = Verification & {
	/** Attempts of before the ledger began, of which it cannot know. */
	readonly attemptsBefore: number;
	/** The head that the store has noted, unless the chain does not contain it. */
	readonly noted: Place | undefined;
};

const nextTurn = () => new Promise<void>(resolve => void setImmediate(resolve));

/** The whole ledger of a store, in parts: a bridge may write to it meanwhile. Attempts first, since acknowledgements speak of them, too. */
export async function verifyLedger(
	read: LedgerReads,
	{head, pause = nextTurn, onProgress = () => {}}: VerifyOptions = {},
): Promise<StoreVerification> {
	const {anchor, newest, before, attemptsBefore, hasStrays} = await read.ledgerState();
	const noted = headIn(await read.readLedgerNote());
	const verifier = createVerifier({anchor, noted, head});
	const inParts = async (part: () => Promise<{readonly isEnd: boolean}>) => {
		for (let isEnd = false; !isEnd; ) {
			const startedAt = performance.now();
			({isEnd} = await part());
			if (!isEnd) await pause(performance.now() - startedAt);
		}
	};
	if (hasStrays) verifier.report('malformed', 'number', anchor.sequence + 1);
	let last = before;
	await inParts(async () => {
		const slice = await read.unrecordedAttempts(last);
		for (const {attempt, what} of slice.unrecorded) verifier.report('unrecorded', what, attempt);
		last = slice.last;
		return slice;
	});
	await inParts(async () => {
		const slice = await read.ledgerSlice(verifier.place().sequence);
		const [first] = slice.links;
		const {sequence} = verifier.place();
		const isGap = first ? first.sequence > sequence + 1 : sequence < slice.anchor.sequence;
		if (isGap && slice.anchor.sequence > sequence) verifier.forget(slice.anchor);
		for (const link of slice.links) verifier.add(link);
		onProgress(verifier.place().sequence, Math.max(newest, verifier.place().sequence));
		return slice;
	});
	const {sequence: reached} = verifier.place();
	if (newest > reached) verifier.report('missing', 'entries', reached + 1, newest);
	const verification = verifier.finish();
	const isGone = verification.breaks.some(
		({kind, what, acknowledged}) => kind === 'rewritten' && what === 'noted head' && !acknowledged,
	);
	return {...verification, attemptsBefore, noted: isGone ? noted : undefined};
}

/** The place in a note, or undefined: anybody may have written it. */
function headIn(note: unknown): Place | undefined {
	const {sequence, hash} = Object((note as {head?: unknown} | null | undefined)?.head) as Partial<Place>;
	return Number.isSafeInteger(sequence) && Number(sequence) > 0 && typeof hash === 'string'
		? {sequence: Number(sequence), hash}
		: undefined;
}
