import {giveOrder} from '../agent/control.ts';
import {acknowledgeLedger, countByKind} from '../agent/ledger.ts';
import {verifyLedger} from '../agent/verify-ledger.ts';
import type {Config} from '../config.ts';
import {BridgeError, isBridgeError} from '../errors.ts';
import {type Break, breakKinds, type Place, placeText, readPlace} from '../ledger.ts';
import {openBreaks, type Verification} from '../ledger-verifier.ts';
import {isLocked} from '../store/lock.ts';
import {openStoreForReading} from '../store/store.ts';
import {verifyFile} from './ledger-file.ts';
import {alone} from './operate.ts';
import {facts, type Output, printable, table} from './print.ts';

/** Exit code of a ledger that is broken. */
const broken = 1;
const mostLines = 100;
const progressMillis = 2000;

export type VerifyOptions = {readonly head?: string | undefined};

/** Of --head. */
function toHead(text: string | undefined): Place | undefined {
	const head = text === undefined ? undefined : readPlace(text);
	if (text !== undefined && !head)
		throw new BridgeError('ERR_USAGE', `"${text}" is not a head: write SEQUENCE:HASH as "callhome ledger verify" prints it`);
	return head;
}

/** Tells on standard error, now and then, how far long work has come. */
export function progress(what: string): (sequence: number, of?: number, unit?: string) => void {
	let saidAt = Date.now();
	return (sequence, of, unit = '') => {
		if (Date.now() - saidAt < progressMillis) return;
		saidAt = Date.now();
		process.stderr.write(`${what} ${sequence}${of === undefined ? '' : `, ${of}${unit}`}\n`);
	};
}

/** Verifies the ledger of the configured store, whether its bridge runs or not. */
export async function verifyStore(config: Config, options: VerifyOptions): Promise<Output> {
	const head = toHead(options.head);
	const {read, close} = openStoreForReading(config.store.directory);
	try {
		const say = progress('verified up to entry');
		const verification = await verifyLedger(read, {head, onProgress: (sequence, newest) => say(sequence, newest, ' in all')});
		return outputOf(verification, head, verification.attemptsBefore);
	} finally {
		await close();
	}
}

/** Verifies an exported ledger: neither a store nor a configuration is needed. */
export async function verifyExported(file: string, options: VerifyOptions): Promise<Output> {
	const head = toHead(options.head);
	const say = progress('verified up to entry');
	return outputOf(await verifyFile(file, {head, onProgress: (sequence, percent) => say(sequence, percent, ' %')}), head);
}

function outputOf(verification: Verification, head: Place | undefined, attemptsBefore?: number): Output {
	const {anchor, entries, firstAt, lastAt, head: last, compared, breaks, containment} = verification;
	const open = openBreaks(verification);
	const json = {
		intact: open.length === 0,
		entries,
		first_at: firstAt ?? null,
		last_at: lastAt ?? null,
		anchor,
		head: last,
		compared,
		...(attemptsBefore === undefined ? {} : {attempts_before: attemptsBefore}),
		...(head ? {kept_head: {...head, result: containment}} : {}),
		counts: countByKind(open),
		breaks: breaks.map(({kind, from, to, what, acknowledged}) => ({kind, from, to, what, acknowledged})),
	};
	const known = breaks.length - open.length;
	const lines = [
		open.length === 0 ? 'The ledger is intact.' : `The ledger is broken in ${open.length} place(s).`,
		...facts([
			['Entries', entries === 0 ? 'none' : `${entries}, after ${anchor.sequence} up to ${last.sequence}`],
			['First', firstAt === undefined ? undefined : printable(firstAt)],
			['Last', lastAt === undefined ? undefined : printable(lastAt)],
			['Compared', `${compared} with the texts that are kept`],
			['Older', attemptsBefore ? `${attemptsBefore} attempts were kept before the ledger began` : undefined],
			['Acknowledged', known > 0 ? `${known} break(s)` : undefined],
			['Kept head', head && containmentText[containment ?? 'not_contained']],
			['Head', placeText(last)],
		]),
		...breakLines(breaks),
		...(head || entries === 0 || open.length > 0
			? []
			: ['Keep the head elsewhere: --head tells later whether the ledger still contains it.']),
	];
	return {json, lines, exitCode: open.length === 0 ? 0 : broken};
}

const containmentText = {
	contained: 'is contained',
	forgotten: 'lies before the first entry that is kept: it cannot be compared',
	not_contained: 'is NOT contained: the ledger was cut, or made anew',
};

function breakLines(breaks: readonly Break[]): string[] {
	if (breaks.length === 0) return [];
	const rows = breaks
		.slice(0, mostLines)
		.map(({kind, from, to, what, acknowledged}) => [
			kind,
			`${kind === 'unrecorded' ? 'attempt' : 'entry'} ${from}${to > from ? ` to ${to}` : ''}`,
			acknowledged ? 'acknowledged' : '',
			`${breakKinds[kind]} (${what})`,
		]);
	const more = breaks.length - rows.length;
	return [
		'',
		...table(['BREAK', 'WHERE', 'STATE', 'WHAT'], rows),
		...(more > 0 ? [`… and ${more} more: --json has them all`] : []),
	];
}

/** Through the bridge that runs, or on its store when none does. */
export async function acknowledge(config: Config, reason: string): Promise<Output> {
	const {directory} = config.store;
	const say = progress('verified up to entry');
	const onProgress = (sequence: number, newest: number) => say(sequence, newest, ' in all');
	try {
		const count = await (isLocked(directory)
			? giveOrder(directory, {operation: 'acknowledge_ledger', reason})
			: alone(config, store => acknowledgeLedger(store, reason, {onProgress})));
		return {json: {acknowledged: Number(count)}, lines: [`${count} break(s) acknowledged. They stay listed.`]};
	} catch (error) {
		if (!isBridgeError(error, 'ERR_USAGE')) throw error;
		return {json: {acknowledged: 0, message: error.message}, lines: [error.message]};
	}
}
