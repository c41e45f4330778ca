import {
	acknowledgementFields,
	type BegunAttempt,
	type BreakPlace,
	type EndedAttempt,
	endFields,
	endKinds,
	type Fields,
	mostAcknowledged,
	type Place,
	readEntry,
	requestFields,
} from '../ledger.ts';
import type {Link} from '../ledger-verifier.ts';
import {
	append,
	mostSequence,
	newestSequence,
	prunedRoutineSetting,
	prunedSetting,
	readAnchor,
	readJson,
	writeJson,
} from './ledger-chain.ts';
import type {Prepare} from './sqlite.ts';

const beforeSetting = 'ledger.before';
const verifiedSetting = 'ledger.verified';

export type LedgerState = {
	/** The place before the first entry that is kept. */
	readonly anchor: Place;
	/** The number of the newest entry there ever was; 0 when there is none. */
	readonly newest: number;
	/** Attempts up to this number were kept before the ledger began. */
	readonly before: number;
	/** How many of those are kept still. */
	readonly attemptsBefore: number;
	/** Whether there are rows where no entry can be: before the anchor, or beyond every number that was given. */
	readonly hasStrays: boolean;
};

const numberSetting = (prepare: Prepare, name: string): number => Number(readJson<number>(prepare, name)) || 0;

/** By the index, which is small: the attempts themselves are not. */
const attemptsBeforeSql = 'SELECT count(*) AS attempts FROM attempt INDEXED BY attempt_of_problem WHERE +sequence <= ?';

export async function ledgerState(prepare: Prepare): Promise<LedgerState> {
	const before = numberSetting(prepare, beforeSetting);
	const {attempts} = prepare(attemptsBeforeSql).get(before) as {attempts: number};
	const anchor = readAnchor(prepare);
	const strays = prepare('SELECT 1 FROM ledger WHERE sequence <= ?1 UNION ALL SELECT 1 FROM ledger WHERE sequence > ?2 LIMIT 1');
	const hasStrays = strays.get(anchor.sequence, mostSequence) !== undefined;
	return {anchor, newest: newestSequence(prepare), before, attemptsBefore: attempts, hasStrays};
}

export const newestLedgerEntry = async (prepare: Prepare): Promise<number> => newestSequence(prepare);

/** What the bridge has noted of its last verification, as JSON. */
export const readLedgerNote = async (prepare: Prepare): Promise<unknown> => readJson(prepare, verifiedSetting);
export const writeLedgerNote = async (prepare: Prepare, note: unknown): Promise<void> =>
	writeJson(prepare, verifiedSetting, note);

export type LedgerLink = Link & {
	readonly sequence: number;
	/** What left, or what came back; undefined when it is no longer kept. */
	readonly text: string | undefined;
};

/** A part of the chain, and what is kept of the same attempts. */
export type LedgerSlice = {
	readonly links: readonly LedgerLink[];
	/** As it is now: entries may have been forgotten meanwhile. */
	readonly anchor: Place;
	/** There were no more. */
	readonly isEnd: boolean;
};

export type SliceLimits = {
	readonly entries?: number;
	/** Bytes of texts, after which the part ends: the event loop waits for it. */
	readonly bytes?: number;
};

type Row = Omit<BegunAttempt, 'sequence'> &
	Omit<EndedAttempt, 'sequence' | 'duration'> & {
		readonly sequence: number;
		readonly entry: string;
		readonly hash: string;
		readonly attempt: number | null;
		readonly kind: string | null;
		readonly kept_attempt: number | null;
		readonly duration: number | null;
		readonly text: string | null;
		readonly has_other_text: number;
		/** Kept nowhere else: the chain alone vouches for it. */
		readonly peer_certificate: string | null;
	};

const fieldOf = (name: string) => `CASE WHEN json_valid(entry) THEN entry ->> '$.${name}' END`;

/** A number that somebody has put in place of another may be too large for an integer here: as a REAL it is read all the same. */
const sliceSql = `
	SELECT l.sequence, CAST(l.attempt AS REAL) AS attempt, l.entry, l.hash, l.kind, l.peer_certificate,
		CAST(a.sequence AS REAL) AS kept_attempt, a.submission_id, a.problem_id, a.type, a.connection, a.destination, a.error_type,
		CAST(a.started_at AS REAL) AS started_at, CAST(a.duration AS REAL) AS duration, CAST(a.status_code AS REAL) AS status_code,
		CASE WHEN l.kind = 'request' THEN a.request WHEN a.error_type IS NULL THEN a.reply ELSE a.error END AS text,
		CASE WHEN a.error_type IS NULL THEN a.error IS NOT NULL ELSE a.reply IS NOT NULL END AS has_other_text
	FROM (
		SELECT *, ${fieldOf('kind')} AS kind, ${fieldOf('peer_certificate_sha256')} AS peer_certificate FROM ledger
		WHERE sequence > ?1 AND sequence <= ${mostSequence} ORDER BY sequence LIMIT ?2
	) l LEFT JOIN attempt a ON a.sequence = l.attempt ORDER BY l.sequence
`;

/** The entries after a number. */
export async function ledgerSlice(
	prepare: Prepare,
	after: number,
	{entries = 250, bytes = 512 * 1024}: SliceLimits = {},
): Promise<LedgerSlice> {
	const rows: Row[] = [];
	let size = 0;
	for (const found of prepare(sliceSql).iterate(after, entries)) {
		const row = found as Row;
		rows.push(row);
		size += row.entry.length + (row.text?.length ?? 0);
		if (size >= bytes) break;
	}
	// Read after the rows: what was forgotten between the two is then known to be.
	const forgotten = forgottenIn(prepare);
	const links = rows.map(row => toLink(row, forgotten));
	return {links, anchor: readAnchor(prepare), isEnd: size < bytes && rows.length < entries};
}

/** Tells an attempt that was forgotten in its time from one that somebody took away. */
function forgottenIn(prepare: Prepare): (attempt: number) => boolean {
	const pruned = numberSetting(prepare, prunedSetting);
	const prunedRoutine = numberSetting(prepare, prunedRoutineSetting);
	return function isForgotten(attempt) {
		if (attempt <= pruned) return true;
		if (attempt > prunedRoutine) return false;
		// Its request is not in the chain any more when only its end is left at the front: then it is long over, too.
		const request = prepare('SELECT entry FROM ledger WHERE attempt = ? ORDER BY sequence LIMIT 1').get(attempt);
		return readEntry(String(request?.entry))?.problem_id === undefined;
	};
}

function toLink(row: Row, isForgotten: (attempt: number) => boolean): LedgerLink {
	const {sequence, entry, hash, attempt, kept_attempt: number} = row;
	const link = {sequence, entry, hash, text: undefined};
	if (row.kind === 'acknowledgement') return link;
	if (attempt === null) return {...link, kept: {attempt: null}};
	if (number === null) return {...link, isLost: !isForgotten(attempt)};
	return {...link, text: row.text ?? undefined, kept: keptOf({...row, sequence: number})};
}

function keptOf(row: Row): Fields {
	if (row.kind === 'request') return requestFields(row, row.text ?? '');
	if (row.duration === null) return {duration_millis: null}; // It has not ended, whatever the entry says.
	const {at, ...fields} = endFields({...row, duration: row.duration}, row.text, row.peer_certificate ?? undefined);
	return {
		...(fields.kind === 'interrupted' ? {} : {at}), // Of an interruption only the entry has the time.
		...fields,
		// An error stands for itself: a reply beside it, or the reverse, was put there by somebody else.
		...(row.has_other_text === 1 ? {reply_beside_error: true} : {}),
	};
}

export type AttemptSlice = {
	readonly last: number;
	readonly isEnd: boolean;
	/** Attempts of which an entry is not there. */
	readonly unrecorded: readonly {readonly attempt: number; readonly what: 'request' | 'end'}[];
};

const attemptSql = `
	SELECT CAST(sequence AS REAL) AS sequence, duration IS NOT NULL AS ended,
		(SELECT group_concat(${fieldOf('kind')}) FROM ledger WHERE ledger.attempt = attempt.sequence) AS kinds
	FROM attempt WHERE sequence > ?1 ORDER BY sequence LIMIT ?2
`;

/** Looks for attempts, after a number, that the ledger does not know. */
export async function unrecordedAttempts(prepare: Prepare, after: number, limit = 500): Promise<AttemptSlice> {
	const rows = prepare(attemptSql).all(after, limit) as {sequence: number; ended: number; kinds: string | null}[];
	const missingOf = (ended: number, kinds: string | null) => {
		const known = kinds?.split(',') ?? [];
		if (!known.includes('request')) return 'request';
		return ended === 1 && !known.some(kind => endKinds.includes(kind)) ? 'end' : undefined;
	};
	const unrecorded = rows.flatMap(({sequence: attempt, ended, kinds}) => {
		const what = missingOf(ended, kinds);
		return what ? [{attempt, what} as const] : [];
	});
	return {last: rows.at(-1)?.sequence ?? after, isEnd: rows.length < limit, unrecorded};
}

/** Puts into the ledger itself that these breaks are known, and why. */
export async function acknowledgeBreaks(
	prepare: Prepare,
	{at, reason, breaks}: {readonly at: number; readonly reason: string; readonly breaks: readonly BreakPlace[]},
): Promise<void> {
	for (let from = 0; from < breaks.length; from += mostAcknowledged) {
		append(prepare, null, acknowledgementFields(at, reason, breaks.slice(from, from + mostAcknowledged)));
	}
}

/** Numbers of the first entry that was not written before `from`, and of the last that was not after `to`: RFC 3339 in UTC. */
export async function ledgerRange(
	prepare: Prepare,
	from: string | undefined,
	to: string | undefined,
): Promise<{readonly first: number; readonly last: number} | undefined> {
	const time = fieldOf('at');
	const find = (operator: '>=' | '<=', order: 'ASC' | 'DESC', at: string | undefined) => {
		const isWanted = at === undefined ? '?1 IS NULL' : `${time} ${operator} ?1`;
		return prepare(
			`SELECT sequence FROM ledger WHERE sequence BETWEEN 1 AND ${mostSequence} AND ${isWanted} ORDER BY sequence ${order} LIMIT 1`,
		).get(at ?? null)?.sequence;
	};
	const [first, last] = [Number(find('>=', 'ASC', from) ?? 0), Number(find('<=', 'DESC', to) ?? 0)];
	return first === 0 || first > last ? undefined : {first, last};
}

/** The place before an entry. */
export async function placeBefore(prepare: Prepare, sequence: number): Promise<Place> {
	const row = prepare('SELECT sequence, hash FROM ledger WHERE sequence < ? ORDER BY sequence DESC LIMIT 1').get(sequence);
	return row ? {sequence: Number(row.sequence), hash: String(row.hash)} : readAnchor(prepare);
}
