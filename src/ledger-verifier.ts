import {
	acknowledgedIn,
	type Break,
	type BreakKind,
	type BreakPlace,
	type Entry,
	type Fields,
	hashOf,
	type Place,
	readEntry,
	toEntry,
} from './ledger.ts';

/** One entry as it lies in a store or in a file. */
export type Link = {
	/** Where it lies; undefined where only the entry itself says it. */
	readonly sequence?: number | undefined;
	readonly entry: string;
	readonly hash: string;
	/** What is kept of the same attempt: each of these fields must be the entry's. */
	readonly kept?: Fields | undefined;
	/** Nothing is kept of it, and nothing has forgotten it. */
	readonly isLost?: boolean | undefined;
};

export type VerifierOptions = {
	/** The place before the first entry. */
	readonly anchor: Place;
	/** A head that the store has noted: not to contain it is a break, which can be acknowledged. */
	readonly noted?: Place | undefined;
	/** A head that a person has kept: not to contain it is a break at all times. */
	readonly head?: Place | undefined;
};

/** Whether the chain contains a place: it may lie before what is still kept. */
export type Containment = 'contained' | 'forgotten' | 'not_contained';

export type Verification = {
	readonly anchor: Place;
	readonly entries: number;
	/** When the first and the last entry were written, as they say themselves. */
	readonly firstAt: string | undefined;
	readonly lastAt: string | undefined;
	readonly head: Place;
	/** Texts and attempts that were compared with what was recorded. */
	readonly compared: number;
	/** As they were found, acknowledged ones too. */
	readonly breaks: readonly Break[];
	/** Of the head that a person has kept. */
	readonly containment: Containment | undefined;
};

/** So many breaks are told apart; after them, those of one kind are one. */
const mostBreaks = 10_000;

type Found = {-readonly [Key in keyof Break]: Break[Key]};

function createBreaks() {
	const found: Found[] = [];
	const last = new Map<BreakKind, Found>();
	const byBegin = new Map<string, Found>();
	return {
		found,
		/** Neighbours of one kind are one break. */
		report(kind: BreakKind, what: string, from: number, to = from) {
			const before = last.get(kind);
			const isNeighbour = before?.to === from - 1 && before.what === what && !before.acknowledged;
			if (before && (isNeighbour || found.length >= mostBreaks)) {
				before.to = Math.max(before.to, to);
				before.acknowledged = false;
				if (before.what !== what) before.what = 'various';
				return;
			}
			const one: Found = {kind, from, to, what, acknowledged: false};
			found.push(one);
			last.set(kind, one);
			byBegin.set(`${kind} ${from}`, one);
		},
		acknowledge({kind, from, to}: BreakPlace) {
			const one = byBegin.get(`${kind} ${from}`);
			if (one && one.to <= to) one.acknowledged = true;
		},
	};
}

/** The first field that differs. */
const differenceOf = (entry: Entry, kept: Fields): string | undefined => Object.keys(kept).find(key => entry[key] !== kept[key]);

/**
Follows a chain entry by entry, in the memory of one. What it finds is a break with its place and its kind; after it the
chain goes on from what is there. An acknowledgement speaks of what was found before it.
*/
export function createVerifier({anchor, noted, head}: VerifierOptions) {
	const breaks = createBreaks();
	const watched = [noted, head].flatMap(place => place ?? []);
	const containments = new Map<Place, Containment>();
	let [place, entries, compared] = [anchor, 0, 0];
	let first: string | undefined;
	let last: string | undefined;
	let isNotedAcknowledged = false;

	function look(at: Place) {
		for (const one of watched)
			if (one.sequence === at.sequence) containments.set(one, one.hash === at.hash ? 'contained' : 'not_contained');
	}

	function chain(sequence: number, entry: string, hash: string) {
		if (sequence > place.sequence + 1) breaks.report('missing', 'entries', place.sequence + 1, sequence - 1);
		else if (hashOf(place.hash, entry) !== hash) breaks.report('hash', 'entry', sequence);
		place = {sequence, hash};
		look(place);
	}

	function acknowledge(entry: Entry) {
		for (const one of acknowledgedIn(entry)) {
			breaks.acknowledge(one);
			if (one.kind === 'rewritten' && one.from === noted?.sequence) isNotedAcknowledged = true;
		}
	}

	function checkContent(sequence: number, {entry: text, kept, isLost}: Link, read: Entry | undefined) {
		if (kept) compared++;
		if (kept && toEntry(sequence, kept) === text) return; // Nearly always in a store: then nothing needs to be read.
		const entry = read ?? readEntry(text);
		if (entry?.sequence !== sequence) return breaks.report('malformed', 'entry', sequence);
		const difference = kept && differenceOf(entry, kept);
		if (difference !== undefined) breaks.report('content', difference, sequence);
		if (isLost) breaks.report('lost', 'attempt', sequence);
		acknowledge(entry);
	}

	look(anchor);
	for (const one of watched) if (one.sequence < anchor.sequence) containments.set(one, 'forgotten');
	return {
		/** The place of the last entry that was added. */
		place: () => place,
		entries: () => entries,
		/** Nothing was found so far. */
		isWhole: () => breaks.found.length === 0,
		add(link: Link) {
			const read = link.sequence === undefined ? readEntry(link.entry) : undefined;
			const sequence = link.sequence ?? read?.sequence ?? place.sequence + 1;
			entries++;
			first ??= link.entry;
			if (sequence <= place.sequence) return breaks.report('malformed', 'order', sequence);
			last = link.entry;
			chain(sequence, link.entry, link.hash);
			checkContent(sequence, link, read);
		},
		/** The entries up to this place were forgotten meanwhile. */
		forget(newAnchor: Place) {
			place = newAnchor;
			look(place);
			for (const one of watched) if (one.sequence < place.sequence && !containments.has(one)) containments.set(one, 'forgotten');
		},
		report: breaks.report,
		finish(): Verification {
			const isMissing = ({sequence}: Place) =>
				breaks.found.some(({kind, from, to}) => kind === 'missing' && from <= sequence && sequence <= to);
			const containmentOf = (one: Place) => containments.get(one) ?? 'not_contained';
			const isHeadGone = head !== undefined && containmentOf(head) === 'not_contained';
			if (isHeadGone) breaks.report('rewritten', 'head', head.sequence);
			const isSaid = isHeadGone && head.sequence === noted?.sequence;
			if (noted && containmentOf(noted) === 'not_contained' && !isSaid && !isMissing(noted)) {
				breaks.report('rewritten', 'noted head', noted.sequence);
				if (isNotedAcknowledged) breaks.acknowledge({kind: 'rewritten', from: noted.sequence, to: noted.sequence});
			}
			return {
				anchor,
				entries,
				firstAt: first === undefined ? undefined : readEntry(first)?.at,
				lastAt: last === undefined ? undefined : readEntry(last)?.at,
				head: place,
				compared,
				breaks: breaks.found,
				containment: head && containmentOf(head),
			};
		},
	};
}
export type Verifier = ReturnType<typeof createVerifier>;

/** Those that nobody has acknowledged. */
export const openBreaks = ({breaks}: Verification): Break[] => breaks.filter(({acknowledged}) => !acknowledged);
