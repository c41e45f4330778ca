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
		isMissing: (sequence: number) => found.some(({kind, from, to}) => kind === 'missing' && from <= sequence && sequence <= to),
		acknowledge({kind, from, to}: BreakPlace) {
			const one = byBegin.get(`${kind} ${from}`);
			if (one && one.to <= to) one.acknowledged = true;
		},
	};
}

/** Whether the chain contains these places: it is shown one place after the other. */
function createLookout(places: readonly Place[]) {
	const found = new Map<Place, Containment>();
	return {
		pass({sequence, hash}: Place) {
			for (const one of places) if (one.sequence === sequence) found.set(one, one.hash === hash ? 'contained' : 'not_contained');
		},
		/** The chain begins here: what lies before can no longer be compared. */
		begin(anchor: Place) {
			this.pass(anchor);
			for (const one of places) if (one.sequence < anchor.sequence && !found.has(one)) found.set(one, 'forgotten');
		},
		resultOf: (place: Place): Containment => found.get(place) ?? 'not_contained',
	};
}

/** The first field that differs. */
const differenceOf = (entry: Entry, kept: Fields): string | undefined => Object.keys(kept).find(key => entry[key] !== kept[key]);

/** An acknowledgement speaks of what was found before it, and not of itself. */
const mayAcknowledge = (sequence: number, {kind, to}: BreakPlace): boolean =>
	kind === 'unrecorded' || kind === 'rewritten' || to < sequence;

/**
Follows a chain entry by entry, in the memory of one. What it finds is a break with its place and its kind; after it the
chain goes on from what is there.
*/
export function createVerifier({anchor, noted, head}: VerifierOptions) {
	const breaks = createBreaks();
	const lookout = createLookout([noted, head].flatMap(place => place ?? []));
	let [place, entries, compared] = [anchor, 0, 0];
	let first: string | undefined;
	let last: string | undefined;
	let isNotedAcknowledged = false;

	/** False when it does not follow from the one before, as far as that is there. */
	function chain(sequence: number, {entry, hash}: Link): boolean {
		const isGap = sequence > place.sequence + 1;
		const fits = isGap || hashOf(place.hash, entry) === hash;
		if (isGap) breaks.report('missing', 'entries', place.sequence + 1, sequence - 1);
		if (!fits) breaks.report('hash', 'entry', sequence);
		place = {sequence, hash};
		lookout.pass(place);
		return fits;
	}

	function acknowledge(entry: Entry) {
		for (const one of acknowledgedIn(entry).filter(place => mayAcknowledge(entry.sequence, place))) {
			breaks.acknowledge(one);
			if (one.kind === 'rewritten' && one.from === noted?.sequence) isNotedAcknowledged = true;
		}
	}

	/** Returns the entry where it had to be read. Nearly always in a store its text alone says that all is well. */
	function check(sequence: number, {entry: text, kept, isLost}: Link, read: Entry | undefined): Entry | undefined {
		if (kept) compared++;
		if (kept && toEntry(sequence, kept) === text) return undefined;
		const entry = read ?? readEntry(text);
		if (entry?.sequence !== sequence) {
			breaks.report('malformed', 'entry', sequence);
			return undefined;
		}
		const difference = kept && differenceOf(entry, kept);
		if (difference !== undefined) breaks.report('content', difference, sequence);
		if (isLost) breaks.report('lost', 'attempt', sequence);
		return entry;
	}

	/** What was cut out as a whole is said already. */
	function reportHeads() {
		const isGone = (one: Place | undefined): one is Place => one !== undefined && lookout.resultOf(one) === 'not_contained';
		if (isGone(head)) breaks.report('rewritten', 'head', head.sequence);
		if (!isGone(noted) || (isGone(head) && head.sequence === noted.sequence) || breaks.isMissing(noted.sequence)) return;
		breaks.report('rewritten', 'noted head', noted.sequence);
		if (isNotedAcknowledged) breaks.acknowledge({kind: 'rewritten', from: noted.sequence, to: noted.sequence});
	}

	lookout.begin(anchor);
	return {
		/** The place of the last entry that was added. */
		place: () => place,
		entries: () => entries,
		/** Nothing was found so far. */
		isWhole: () => breaks.found.length === 0,
		report: breaks.report,
		add(link: Link) {
			const read = link.sequence === undefined ? readEntry(link.entry) : undefined;
			const sequence = link.sequence ?? read?.sequence ?? place.sequence + 1;
			entries++;
			first ??= link.entry;
			if (sequence <= place.sequence) return breaks.report('malformed', 'order', sequence);
			last = link.entry;
			const fits = chain(sequence, link);
			const entry = check(sequence, link, read);
			if (fits && entry) acknowledge(entry);
		},
		/** The entries up to this place were forgotten meanwhile. */
		forget(newAnchor: Place) {
			place = newAnchor;
			lookout.begin(place);
		},
		finish(): Verification {
			reportHeads();
			return {
				anchor,
				entries,
				firstAt: first === undefined ? undefined : readEntry(first)?.at,
				lastAt: last === undefined ? undefined : readEntry(last)?.at,
				head: place,
				compared,
				breaks: breaks.found,
				containment: head && lookout.resultOf(head),
			};
		},
	};
}
export type Verifier = ReturnType<typeof createVerifier>;

/** Those that nobody has acknowledged. */
export const openBreaks = ({breaks}: Verification): Break[] => breaks.filter(({acknowledged}) => !acknowledged);
