import {hash} from 'node:crypto';

/**
The ledger of what left: one chain of entries, so that nobody can change, insert or take out one without breaking the rest.
An entry is the text of a JSON object, kept and exported as that very text. Its hash is the SHA-256, in lower-case hex, of
the previous entry's hash, a line feed, and the text in UTF-8. Before the first entry stand 64 zeros.
*/
export const genesis = '0'.repeat(64);

export const hashOf = (previous: string, entry: string): string => hash('sha256', `${previous}\n${entry}`);

/** An entry's number, which begins at 1 and has no gaps, and its hash. */
export type Place = {readonly sequence: number; readonly hash: string};

export const start: Place = {sequence: 0, hash: genesis};

/** `SEQUENCE:HASH`, the form in which a person keeps a place elsewhere. */
export const placeText = ({sequence, hash}: Place): string => `${sequence}:${hash}`;

/** Undefined when it is none. */
export function readPlace(text: string): Place | undefined {
	const [, sequence, hash = ''] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text.trim()) ?? [];
	return sequence === undefined ? undefined : {sequence: Number(sequence), hash};
}

/** What an entry says besides its number. Times are RFC 3339 in UTC. */
export type Fields = Readonly<Record<string, unknown>>;

/** The text of an entry. A field that is undefined is left out. */
export const toEntry = (sequence: number, fields: Fields): string => JSON.stringify({sequence, ...fields});

const earliest = Date.parse('0000-01-01T00:00:00.000Z');
const latest = Date.parse('9999-12-31T23:59:59.999Z');

/** A clock may say anything: what has no year of four digits is the nearest moment that has one. */
export const instant = (millis: number): string =>
	new Date(Number.isNaN(millis) ? 0 : Math.min(Math.max(millis, earliest), latest)).toISOString();

/** A text by its SHA-256 and its length, both of its bytes in UTF-8. */
export const digest = (text: string | null) => ({
	text_sha256: text === null ? undefined : hash('sha256', text),
	text_length: text === null ? undefined : Buffer.byteLength(text),
});

/** An attempt as the store keeps it, with the keys taken out (G6). Times are Unix milliseconds. */
export type BegunAttempt = {
	readonly sequence: number;
	readonly submission_id: string;
	readonly problem_id: string | null;
	readonly type: string;
	readonly started_at: number;
	readonly connection: string;
	readonly destination: string;
};
export type EndedAttempt = {
	readonly sequence: number;
	readonly started_at: number;
	readonly duration: number;
	readonly status_code: number | null;
	readonly error_type: string | null;
};

/** What stands in the place of the error type when the bridge ended during an attempt. */
export const interrupted = 'interrupted';

/** A text as SQLite gives it back. */
const kept = (text: string): string => text.toWellFormed();

export const requestFields = (attempt: BegunAttempt, request: string): Fields => ({
	at: instant(attempt.started_at),
	kind: 'request',
	attempt: attempt.sequence,
	submission_id: kept(attempt.submission_id),
	problem_id: attempt.problem_id === null ? undefined : kept(attempt.problem_id),
	type: kept(attempt.type),
	connection: kept(attempt.connection),
	destination: kept(attempt.destination),
	...digest(request),
});

/** `text` is the reply, or the words of the error. What certificate the server showed is nowhere but in the ledger. */
export const endFields = (attempt: EndedAttempt, text: string | null, peerCertificate?: string): Fields => ({
	at: instant(attempt.started_at + attempt.duration),
	kind: attempt.error_type === null ? 'reply' : attempt.error_type === interrupted ? 'interrupted' : 'error',
	attempt: attempt.sequence,
	duration_millis: attempt.duration,
	status_code: attempt.status_code ?? undefined,
	error_type: attempt.error_type === null ? undefined : kept(attempt.error_type),
	...digest(text),
	...(peerCertificate === undefined ? {} : {peer_certificate_sha256: peerCertificate}),
});

/** Kinds of entries that say how an attempt ended. */
export const endKinds: readonly string[] = ['reply', 'error', 'interrupted'];

/** What a verification can find, and what it says of it. */
export const breakKinds = {
	missing: 'entries are missing',
	hash: 'the hash does not follow from the entry and the one before it',
	malformed: 'not an entry of the ledger, or not in its place',
	content: 'what is kept differs from what was recorded',
	lost: 'what was recorded is no longer kept, though nothing has forgotten it',
	unrecorded: 'kept attempts of which the ledger does not know',
	rewritten: 'the ledger does not contain the head that was noted earlier',
} as const;
export type BreakKind = keyof typeof breakKinds;

/** Where the chain is broken: numbers of entries; of `unrecorded`, numbers of attempts. */
export type BreakPlace = {readonly kind: BreakKind; readonly from: number; readonly to: number};
export type Break = BreakPlace & {
	/** What is concerned, such as `request` or `destination`. */
	readonly what: string;
	/** A person has said that it is known. */
	readonly acknowledged: boolean;
};

/** Breaks that one acknowledgement names. */
export const mostAcknowledged = 500;

export const acknowledgementFields = (at: number, reason: string, breaks: readonly BreakPlace[]): Fields => ({
	at: instant(at),
	kind: 'acknowledgement',
	reason: kept(reason),
	breaks: breaks.map(({kind, from, to}) => ({kind, from, to})),
});

/** An entry that has been read. Whatever else it says is a newer version's. */
export type Entry = Fields & {readonly sequence: number; readonly at: string; readonly kind: string};

const isNumber = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 1;

/** Undefined when the text is no entry. */
export function readEntry(text: string): Entry | undefined {
	try {
		const entry = JSON.parse(text);
		const {sequence, at, kind} = entry;
		const isEntry = isNumber(sequence) && typeof at === 'string' && at.length <= 40 && typeof kind === 'string';
		return isEntry ? entry : undefined;
	} catch {
		return undefined;
	}
}

/** The breaks that an acknowledgement names; of another entry, none. */
export function acknowledgedIn(entry: Entry): BreakPlace[] {
	if (entry.kind !== 'acknowledgement' || !Array.isArray(entry.breaks)) return [];
	return entry.breaks.slice(0, mostAcknowledged).filter(isBreakPlace);
}

function isBreakPlace(value: unknown): value is BreakPlace {
	if (typeof value !== 'object' || value === null) return false;
	const {kind, from, to} = value as Partial<Record<string, unknown>>;
	return typeof kind === 'string' && Object.hasOwn(breakKinds, kind) && isNumber(from) && isNumber(to) && from <= to;
}
