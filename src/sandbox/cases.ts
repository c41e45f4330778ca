import {z} from 'zod';
import type {Journal} from './journal.ts';

const caseEntry = z.object({
	entry: z.literal('case'),
	at: z.number(),
	case_number: z.string(),
	event_id: z.string(),
	asset: z.string(),
	asset_id: z.string(),
	code: z.string(),
	test: z.boolean(),
});
/** What the journal is made of. The cases are what results when every entry is applied in order. */
const entrySchema = z.discriminatedUnion('entry', [
	caseEntry,
	z.object({entry: z.literal('refusal'), at: z.number(), event_id: z.string(), error: z.string()}),
	z.object({entry: z.literal('repetition'), at: z.number(), event_id: z.string()}),
	z.object({entry: z.literal('confirmation'), at: z.number(), event_id: z.string()}),
]);
type Entry = z.output<typeof entrySchema>;

export type SandboxCase = {
	readonly caseNumber: string;
	readonly eventId: string;
	readonly asset: string;
	readonly assetId: string;
	readonly code: string;
	readonly test: boolean;
	/** Unix milliseconds, like all times here. The case counts from now on; its number can be asked for later. */
	readonly openedAt: number;
	/** When the service event came: once, and again for each repetition that joined this case. */
	readonly receivedTimes: readonly number[];
};

/** What the sandbox knows under the id of a service event. */
export type Transaction = {
	readonly eventId: string;
	readonly at: number;
	/** Absent while the case is pending. */
	readonly caseNumber?: string;
	/** Instead of a case. */
	readonly error?: string;
	readonly complete: boolean;
	readonly confirmed: boolean;
};

export type ServiceReport = {
	readonly eventId: string;
	readonly asset: string;
	readonly assetId: string;
	readonly code: string;
	readonly test: boolean;
};

export const transactionLifeMillis = 72 * 3_600_000;
const limits = {cases: 100_000, receivedTimes: 1000};

export type CaseOptions = {readonly caseDelayMillis: number; readonly duplicateDetection: boolean};
type Opened = SandboxCase & {receivedTimes: number[]};
type Known = {eventId: string; at: number; opened?: Opened; error?: string; confirmed: boolean};

export function createCases(journal: Journal, options: CaseOptions, now: () => number, random: () => number) {
	const cases = new Map<string, Opened>();
	const transactions = new Map<string, Known>();

	const applied: {[K in Entry['entry']]: (entry: Extract<Entry, {entry: K}>) => void} = {
		case(entry) {
			const opened = openedBy(entry);
			keepLast(cases, opened.caseNumber, opened);
			keepLast(transactions, entry.event_id, {eventId: entry.event_id, at: entry.at, opened, confirmed: false});
		},
		refusal({event_id, at, error}) {
			keepLast(transactions, event_id, {eventId: event_id, at, error, confirmed: false});
		},
		repetition({event_id, at}) {
			const times = transactions.get(event_id)?.opened?.receivedTimes;
			if (times && times.length < limits.receivedTimes) times.push(at);
		},
		confirmation({event_id}) {
			const known = transactions.get(event_id);
			if (known) known.confirmed = true;
		},
	};
	const apply = <E extends Entry>(entry: E) => (applied[entry.entry] as (entry: E) => void)(entry);

	function write(entry: Entry) {
		journal.append(entry); // First on disk: a killed process must not forget a case that a client was told of.
		apply(entry);
	}

	for (const line of journal.entries()) {
		const entry = entrySchema.safeParse(line);
		if (entry.success) apply(entry.data);
	}

	return {
		/** A service event. Refused with a text, it opens no case, and may come again when the cause is mended. */
		receive(report: ServiceReport, refusal?: string) {
			const at = now();
			const {eventId: event_id, asset, assetId: asset_id, code, test} = report;
			if (options.duplicateDetection && transactions.get(event_id)?.opened) return write({entry: 'repetition', at, event_id});
			if (refusal !== undefined) return write({entry: 'refusal', at, event_id, error: refusal});
			write({entry: 'case', at, case_number: freeNumber(cases, random), event_id, asset, asset_id, code, test});
		},
		confirm(eventId: string) {
			const known = transactions.get(eventId);
			if (known && !known.confirmed) write({entry: 'confirmation', at: now(), event_id: eventId});
		},
		/** Those of the ids that are known and not expired. */
		find(eventIds: readonly string[]): Transaction[] {
			const found = [...new Set(eventIds)].map(id => transactions.get(id)).filter(known => known !== undefined);
			return found
				.filter(({at}) => now() < at + transactionLifeMillis)
				.map(known => shown(known, now() >= known.at + options.caseDelayMillis));
		},
		list: (): readonly SandboxCase[] =>
			[...cases.values()].map(opened => ({...opened, receivedTimes: [...opened.receivedTimes]})),
	};
}
export type Cases = ReturnType<typeof createCases>;

const openedBy = ({case_number, event_id, asset, asset_id, code, test, at}: z.output<typeof caseEntry>): Opened => ({
	caseNumber: case_number,
	eventId: event_id,
	asset,
	assetId: asset_id,
	code,
	test,
	openedAt: at,
	receivedTimes: [at],
});

const shown = ({eventId, at, opened, error, confirmed}: Known, isDecided: boolean): Transaction => ({
	eventId,
	at,
	...(isDecided && opened && {caseNumber: opened.caseNumber}),
	...(isDecided && error !== undefined && {error}),
	complete: isDecided,
	confirmed,
});

/** Anew at the end of the map, whose oldest goes when there are too many. */
function keepLast<V>(map: Map<string, V>, key: string, value: V) {
	map.delete(key);
	map.set(key, value);
	const [oldest] = map.size > limits.cases ? map.keys() : [];
	if (oldest !== undefined) map.delete(oldest);
}

function freeNumber(cases: ReadonlyMap<string, unknown>, random: () => number): string {
	let digits = Math.floor(random() * 1e9);
	while (cases.has(caseNumberOf(digits))) digits = (digits + 1) % 1e9;
	return caseNumberOf(digits);
}

const caseNumberOf = (digits: number) => `TS${String(digits).padStart(9, '0')}`;
