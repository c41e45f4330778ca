import {type Fields, hashOf, type Place, start, toEntry} from '../ledger.ts';
import type {Prepare} from './sqlite.ts';

/** The place before the first entry that is kept. */
export const anchorSetting = 'ledger.anchor';
/** The highest number of an attempt that was forgotten. */
export const prunedSetting = 'ledger.pruned';
/** The same of attempts that belong to no problem: they are forgotten sooner. */
export const prunedRoutineSetting = 'ledger.pruned_routine';

/**
An attempt and its entry lie in different tables; a page of either may be lost: no number is used twice after that. Of a store
of before the ledger all attempts are older than it.
*/
export const numbering: readonly string[] = [
	`INSERT INTO sqlite_sequence (name, seq) SELECT name, 0 FROM (SELECT 'attempt' AS name UNION ALL SELECT 'ledger')
		WHERE name NOT IN (SELECT name FROM sqlite_sequence)`,
	`UPDATE sqlite_sequence SET seq = max(seq, (SELECT coalesce(max(attempt), 0) FROM ledger)) WHERE name = 'attempt'`,
	`UPDATE sqlite_sequence SET seq = max(seq, (
			SELECT coalesce(max(CAST(coalesce(value ->> '$.head.sequence', value ->> '$.sequence', 0) AS INTEGER)), 0) FROM setting
			WHERE name IN ('ledger.anchor', 'ledger.verified') AND json_valid(value)
		)) WHERE name = 'ledger'`,
	`INSERT OR IGNORE INTO setting (name, value) SELECT 'ledger.before', coalesce(max(sequence), 0) FROM attempt
		WHERE NOT EXISTS (SELECT 1 FROM ledger)`,
];

export function readJson<Value>(prepare: Prepare, name: string): Value | undefined {
	const value = prepare('SELECT value FROM setting WHERE name = ?').get(name)?.value;
	try {
		return typeof value === 'string' ? JSON.parse(value) : undefined;
	} catch {
		return undefined;
	}
}

export function writeJson(prepare: Prepare, name: string, value: unknown): void {
	prepare('INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value').run(
		name,
		JSON.stringify(value),
	);
}

export function readAnchor(prepare: Prepare): Place {
	const anchor = readJson<Partial<Place> | null>(prepare, anchorSetting);
	const {sequence, hash} = anchor ?? {};
	return Number.isSafeInteger(sequence) && typeof hash === 'string' ? {sequence: Number(sequence), hash} : start;
}

/**
A number beyond this one was never given: it was put there, or read from a damaged page. It keeps nothing from being sent,
since the chain goes on after what lies before it.
*/
export const mostSequence = 2 ** 52;

const lastRow = (prepare: Prepare) =>
	prepare(`SELECT sequence, hash FROM ledger WHERE sequence <= ${mostSequence} ORDER BY sequence DESC LIMIT 1`).get() as
		| Place
		| undefined;

/** The number of the newest entry there ever was. Whatever was done to either of the two, it is used no second time. */
export function newestSequence(prepare: Prepare, last = lastRow(prepare)): number {
	const row = prepare(`SELECT seq FROM sqlite_sequence WHERE name = 'ledger' AND seq <= ${mostSequence}`).get();
	return Math.max(Number(row?.seq ?? 0), last?.sequence ?? 0);
}

/** Adds an entry to the end of the chain. */
export function append(prepare: Prepare, attempt: number | null, fields: Fields): void {
	const last = lastRow(prepare);
	const sequence = newestSequence(prepare, last) + 1;
	const entry = toEntry(sequence, fields);
	const hash = hashOf(last?.hash ?? readAnchor(prepare).hash, entry);
	prepare('INSERT INTO ledger (sequence, attempt, entry, hash) VALUES (?, ?, ?, ?)').run(sequence, attempt, entry, hash);
}
