import {setTimeout as wait} from 'node:timers/promises';
import {z} from 'zod';
import {BridgeError} from '../errors.ts';
import {type Break, breakKinds} from '../ledger.ts';
import {openBreaks} from '../ledger-verifier.ts';
import {observeLedger} from '../own-telemetry/ledger.ts';
import type {Records, Store} from '../store/store.ts';
import {every, type Upkeep} from './upkeep.ts';
import {type StoreVerification, type VerifyOptions, verifyLedger} from './verify-ledger.ts';

const verifyIntervalMillis = 3_600_000;

/** Of the time, the part that a verification leaves to the rest of the bridge: four times what it takes itself. */
const restAfter = (millis: number) => Math.max(5, 4 * millis);

const noteSchema = z.object({
	/** Unix milliseconds. */
	at: z.number(),
	entries: z.number(),
	/** The newest entry, so that a ledger that was cut or made anew is seen. */
	head: z.object({sequence: z.number(), hash: z.string()}),
	/** By kind, without those that are acknowledged. */
	breaks: z.record(z.string(), z.number()),
	/** Tells whether they are the same as those of an earlier verification. */
	found: z.string(),
});
type Note = z.infer<typeof noteSchema>;

/** Undefined before the first verification, and when what is stored cannot be read. */
export const readNote = async (read: Pick<Records, 'readLedgerNote'>): Promise<Note | undefined> =>
	noteSchema.safeParse(await read.readLedgerNote()).data;

export const countByKind = (breaks: readonly Break[]): Record<string, number> =>
	Object.fromEntries(Object.keys(breakKinds).map(name => [name, breaks.filter(({kind}) => kind === name).length]));

/** Such as `1 missing, 2 content`; empty when there are none. */
export const countsText = (counts: Readonly<Record<string, number>>): string =>
	Object.entries(counts)
		.filter(([, count]) => count > 0)
		.map(([kind, count]) => `${count} ${kind}`)
		.join(', ');

/** Puts into the ledger that its breaks are known, and why. Returns how many. Rejects with ERR_USAGE when there is none. */
export async function acknowledgeLedger(
	store: Store,
	reason: string,
	options: VerifyOptions = {},
	now = Date.now,
): Promise<number> {
	const breaks = openBreaks(await verifyLedger(store.read, options));
	if (breaks.length === 0) throw new BridgeError('ERR_USAGE', 'the ledger has no break that is not acknowledged already');
	const text = `the breaks of the ledger are acknowledged (${countsText(countByKind(breaks))}): ${reason}`;
	await store.write(async records => {
		await records.acknowledgeBreaks({at: now(), reason, breaks});
		await records.addActivities([{at: now(), level: 'warn', word: 'ledger_acknowledged', text}]);
	});
	return breaks.length;
}

export type LedgerWatch = {
	/** Registers its metrics with the OpenTelemetry SDK that is in force now. */
	observe(): void;
	/** Returns how many breaks were acknowledged. */
	acknowledge(reason: string): Promise<number>;
};

/** Verifies the whole ledger at the start and then each hour, a part at a time, and says when it is broken and when it no longer is. */
export function watchLedger(
	{store, log, stack}: Pick<Upkeep, 'store' | 'log' | 'stack'>,
	{intervalMillis = verifyIntervalMillis, now = Date.now} = {},
): LedgerWatch {
	const stop = new AbortController();
	const pause = (millis: number) => wait(restAfter(millis), undefined, {signal: stop.signal});
	let last: {at: number; breaks: Record<string, number>} | undefined;
	let turn: Promise<unknown> = Promise.resolve();

	/** One after the other. */
	function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
		const result = turn.then(work);
		turn = result.catch(() => {});
		return result;
	}

	async function verify() {
		const before = await readNote(store.read);
		const verification = await verifyLedger(store.read, {pause});
		const note = noteOf(verification, now());
		const isFirst = last === undefined;
		last = {at: note.at, breaks: note.breaks};
		const change = changeBetween(before, note);
		if (change) log(change.level, change.text);
		else if (isFirst && countsText(note.breaks) !== '') log('warn', brokenText(note.breaks));
		await store.write(async records => {
			await records.writeLedgerNote(note);
			if (change) await records.addActivities([{at: note.at, ...change}]);
		});
	}

	const unlessStopped = (work: () => Promise<void>) => async () => {
		await inTurn(work).catch(error => (stop.signal.aborted ? undefined : Promise.reject(error)));
	};
	every(intervalMillis, 'the ledger could not be verified', unlessStopped(verify), {log, stack});
	stack.defer(() => stop.abort()); // Goes first: what is under way is not waited for to its end.
	return {
		observe: () => observeLedger({newest: () => store.read.newestLedgerEntry(), verified: () => last}),
		acknowledge: reason =>
			inTurn(async () => {
				const count = await acknowledgeLedger(store, reason, {pause}, now);
				await verify();
				return count;
			}),
	};
}

/** A head that the chain does not contain stays noted: the break is there until it is acknowledged. */
function noteOf(verification: StoreVerification, at: number): Note {
	const open = openBreaks(verification);
	return {
		at,
		entries: verification.entries,
		head: verification.noted ?? verification.head,
		breaks: countByKind(open),
		found: open
			.map(({kind, from}) => `${kind} ${from}`)
			.slice(0, 100)
			.join(', '),
	};
}

const brokenText = (breaks: Note['breaks']) =>
	`the ledger of what left is broken (${countsText(breaks)}): "callhome ledger verify" names each place`;

function changeBetween(before: Note | undefined, {breaks, found}: Note) {
	if (found === (before?.found ?? '')) return undefined;
	if (found !== '') return {level: 'error' as const, word: 'ledger_broken', text: brokenText(breaks)};
	return {level: 'info' as const, word: 'ledger_intact', text: 'the ledger of what left has no break any more'};
}
