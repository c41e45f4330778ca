import type {SQLInputValue} from 'node:sqlite';
import type {Activity} from '../activity.ts';
import {type Problem, recentKey} from '../problem.ts';
import {type KeptEvent, toRow as toEventRow, toKeptId} from './event-row.ts';
import {type ProblemRow, toProblem, toRow as toProblemRow} from './problem-row.ts';
import {findEvent, noteActivity, noteEvent, renoteEvent, settleRecent} from './recent.ts';
import {refuseWhenFull} from './room.ts';
import {lostMark, whole} from './schema.ts';
import type {Prepare} from './sqlite.ts';

/**
What every event reads and writes while it is decided: the hot path of the store. A statement for one row, prepared once,
costs a few microseconds; to put a query together for a list costs more than all else that happens to an event.
*/

/** Which of the ids are kept already. An event whose problem is lost is to be decided again, so it does not count. */
export async function keptIds(prepare: Prepare, ids: readonly string[]): Promise<Set<string>> {
	const hasProblem = prepare(`SELECT 1 FROM event WHERE sequence = ? AND problem_id NOT LIKE '${lostMark}%'`);
	const isKept = (id: string) => {
		const sequence = findEvent(prepare, toKeptId(id));
		return sequence !== undefined && hasProblem.get(sequence) !== undefined;
	};
	return new Set(ids.filter(isKept));
}

/** Keeps the events, in their order. Refused with ERR_STORE_FULL while there is still room to send what is kept. */
export async function insertEvents(prepare: Prepare, events: readonly KeptEvent[]): Promise<void> {
	if (events.length === 0) return;
	refuseWhenFull(prepare);
	const insert = prepare('INSERT INTO event (id, problem_id, decision, received_at, body) VALUES (?, ?, ?, ?, ?)');
	let [inserted, decidedAgain] = [0, 0];
	for (const event of events) {
		const {id, problem_id, decision, received_at, body} = toEventRow(event);
		const known = findEvent(prepare, id);
		if (known !== undefined) {
			if (decideAgain(prepare, known, problem_id, decision)) decidedAgain++;
			continue;
		}
		noteEvent(prepare, id, problem_id, insert.run(id, problem_id, decision, received_at, body).lastInsertRowid);
		inserted++;
	}
	prepare("UPDATE total SET value = value + ? WHERE name = 'events'").run(inserted + decidedAgain);
	settleRecent(prepare, 'recent_events', inserted);
}

/** Gives an event its new problem, when the one that it had is lost. */
function decideAgain(prepare: Prepare, sequence: number, problemId: string, decision: string): boolean {
	const lost = prepare(`SELECT problem_id FROM event WHERE sequence = ? AND problem_id LIKE '${lostMark}%'`).get(sequence);
	if (!lost) return false;
	prepare('UPDATE event SET problem_id = ?, decision = ? WHERE sequence = ?').run(problemId, decision, sequence);
	renoteEvent(prepare, sequence, String(lost.problem_id), problemId);
	return true;
}

/** The problem that stands for each of the faults, by the fault's key. Closed ones too: a fault may come back. */
export async function problemsByKeys(prepare: Prepare, keys: readonly string[]): Promise<Map<string, Problem>> {
	const findId = prepare('SELECT problem_id FROM problem_key WHERE key = ?');
	const find = prepare('SELECT * FROM problem WHERE id = ?');
	const problems = new Map<string, Problem | undefined>();
	const byKey = new Map<string, Problem>();
	for (const key of keys) {
		const {problem_id: id} = (findId.get(key) ?? {}) as {problem_id?: string};
		if (id === undefined) continue;
		if (!problems.has(id)) {
			const row = find.get(id) as ProblemRow | undefined;
			problems.set(id, row && toProblem(row));
		}
		const problem = problems.get(id);
		if (problem) byKey.set(key, problem);
	}
	return byKey;
}

const columns = [
	'id',
	'key',
	'state',
	'reason',
	'title',
	'severity',
	'test',
	'count',
	'first_seen',
	'last_seen',
	'system_key',
	'system',
	'component',
	'transaction_id',
	'case_number',
	'accepted_at',
	'recovered_at',
	'closed_at',
	'release_at',
	'traceparent',
] as const satisfies readonly (keyof ProblemRow)[];

const upsert = `
	INSERT INTO problem (${columns}) VALUES (${columns.map(() => '?')})
	ON CONFLICT (id) DO UPDATE SET ${columns.slice(1).map(column => `${column} = excluded.${column}`)}
`;

/** What changes when one more event joins a problem. */
const counted: ReadonlySet<string> = new Set(['count', 'lastSeen'] satisfies (keyof Problem)[]);

const hasOnlyCounted = (before: Problem, after: Problem): boolean =>
	Object.keys(after).every(key => counted.has(key) || before[key as keyof Problem] === after[key as keyof Problem]);

/** Each problem once. Of one that `stored` has as it was read in this transaction, only what has changed is written. */
export async function saveProblems(
	prepare: Prepare,
	problems: readonly Problem[],
	stored?: ReadonlyMap<string, Problem>,
): Promise<void> {
	const save = prepare(upsert);
	const join = prepare('UPDATE problem SET count = ?, last_seen = ? WHERE id = ?');
	for (const problem of problems) {
		const before = stored?.get(problem.id);
		if (before && hasOnlyCounted(before, problem)) {
			join.run(whole(problem.count), whole(problem.lastSeen), problem.id);
			continue;
		}
		const row = toProblemRow(problem);
		save.run(...columns.map(column => row[column] as SQLInputValue));
	}
}

export const saveProblem = (prepare: Prepare, problem: Problem): Promise<void> => saveProblems(prepare, [problem]);

/** From now on this problem stands for the faults. */
export async function assignKeys(prepare: Prepare, keys: readonly string[], problemId: string): Promise<void> {
	const assign = prepare(
		'INSERT INTO problem_key (key, problem_id) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET problem_id = excluded.problem_id',
	);
	for (const key of keys) assign.run(key, problemId);
}

/**
How many problems of each system began since `since`, by `recentKey`: those that are held for the same reason count
together, and those that are not held count together. Tests do not count.
*/
export async function countRecentProblems(
	prepare: Prepare,
	systemKeys: readonly string[],
	since: number,
): Promise<Map<string, number>> {
	const tally = prepare(`
		SELECT state, reason, count(*) AS count FROM problem
		WHERE system_key = ? AND first_seen >= ? AND test = 0 GROUP BY state, reason
	`);
	const counts = new Map<string, number>();
	for (const systemKey of systemKeys) {
		for (const row of tally.all(systemKey, since)) {
			const {state, reason, count} = row as {state: string; reason: string; count: number};
			const key = recentKey(systemKey, state === 'held' && reason !== 'storm' ? reason : '');
			counts.set(key, (counts.get(key) ?? 0) + count);
		}
	}
	return counts;
}

export async function addActivities(prepare: Prepare, activities: readonly Activity[]): Promise<void> {
	const insert = prepare('INSERT INTO activity (at, level, word, problem_id, text) VALUES (?, ?, ?, ?, ?)');
	let noted = 0;
	for (const {at, level, word, problemId, text} of activities) {
		const {lastInsertRowid} = insert.run(whole(at), level, word, problemId ?? null, text);
		if (problemId === undefined) continue;
		noteActivity(prepare, problemId, lastInsertRowid);
		noted++;
	}
	settleRecent(prepare, 'recent_activities', noted);
}
