import {anchorSetting, mostSequence, prunedRoutineSetting, prunedSetting, writeJson} from './ledger-chain.ts';
import type {Prepare} from './sqlite.ts';

/** Otherwise an attempt that is gone would count as taken away. */
export function noteForgottenAttempt(prepare: Prepare, problemId: string | null, sequence: number): void {
	prepare(`
		INSERT INTO setting (name, value) VALUES (?2, ?1)
		ON CONFLICT (name) DO UPDATE SET value = max(CAST(value AS INTEGER), CAST(excluded.value AS INTEGER))
	`).run(String(sequence), problemId === null ? prunedRoutineSetting : prunedSetting);
}

const frontSql = `
	SELECT l.sequence, l.hash, CASE WHEN json_valid(l.entry) THEN l.entry ->> '$.at' END AS at, a.sequence IS NOT NULL AS kept
	FROM ledger l LEFT JOIN attempt a ON a.sequence = l.attempt
	WHERE l.sequence BETWEEN 1 AND ${mostSequence} ORDER BY l.sequence LIMIT ?
`;

/**
Forgets entries that are older than `before` and whose attempt is gone, from the front only, so that what stays is one
chain: the last one that goes leaves its place. Returns how many went.
*/
export function forgetEntries(prepare: Prepare, before: number, limit: number): number {
	const rows = prepare(frontSql).all(limit) as {sequence: number; hash: string; at: string | null; kept: number}[];
	const stays = rows.findIndex(({at, kept}) => kept === 1 || Date.parse(at ?? '') >= before);
	const gone = stays === -1 ? rows : rows.slice(0, stays);
	const last = gone.at(-1);
	if (!last) return 0;
	prepare('DELETE FROM ledger WHERE sequence BETWEEN 1 AND ?').run(last.sequence);
	writeJson(prepare, anchorSetting, {sequence: last.sequence, hash: last.hash});
	return gone.length;
}
