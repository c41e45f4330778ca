import type {Prepare} from './sqlite.ts';

/**
What an event or an activity is found by: an id, which comes in no order, or one of many problems. In an index of all events
nearly each of them would touch another page, which is written twice, and that costs many times what the event itself does.
So the newest ones have a small index of their own, and go into the large one many at a time, in its order.
*/

/** So many are still looked up quickly, and take a moment to be moved: about 0.1 s while nothing else is written. */
const mostRecent = 16_384;

export function findEvent(prepare: Prepare, keptId: string): number | undefined {
	const find = prepare(
		'SELECT sequence FROM recent_event WHERE id = ?1 UNION ALL SELECT sequence FROM event_by_id WHERE id = ?1',
	);
	return find.get(keptId)?.sequence as number | undefined;
}

/** The sequences of what belongs to one problem, which is `?1`, the first `?2` in either index. */
export const sequencesOfProblem = (
	large: 'event_by_problem' | 'activity_by_problem',
	recent: 'recent_event' | 'recent_activity',
) => `
	SELECT sequence FROM (SELECT sequence FROM ${large} WHERE problem_id = ?1 ORDER BY sequence LIMIT ?2)
	UNION ALL SELECT sequence FROM (SELECT sequence FROM ${recent} WHERE problem_id = ?1 ORDER BY sequence LIMIT ?2)
`;

export const noteEvent = (prepare: Prepare, keptId: string, problemId: string, sequence: number | bigint): void =>
	void prepare('INSERT INTO recent_event (id, problem_id, sequence) VALUES (?, ?, ?)').run(keptId, problemId, sequence);

export const noteActivity = (prepare: Prepare, problemId: string, sequence: number | bigint): void =>
	void prepare('INSERT INTO recent_activity (problem_id, sequence) VALUES (?, ?)').run(problemId, sequence);

/** The event belongs to another problem from now on. */
export function renoteEvent(prepare: Prepare, sequence: number, fromProblemId: string, toProblemId: string): void {
	for (const index of ['recent_event', 'event_by_problem'] as const) {
		prepare(`UPDATE ${index} SET problem_id = ? WHERE problem_id = ? AND sequence = ?`).run(toProblemId, fromProblemId, sequence);
	}
}

/** Removes the event and what it is found by. */
export function removeEvent(prepare: Prepare, problemId: string, sequence: number): void {
	const id = prepare('DELETE FROM event WHERE sequence = ? RETURNING id').get(sequence)?.id as string | undefined;
	if (id !== undefined) prepare('DELETE FROM event_by_id WHERE id = ?').run(id);
	removeNote(prepare, ['recent_event', 'event_by_problem', 'recent_events'], problemId, sequence);
}

export function removeActivity(prepare: Prepare, problemId: string | null, sequence: number): void {
	prepare('DELETE FROM activity WHERE sequence = ?').run(sequence);
	if (problemId === null) return;
	removeNote(prepare, ['recent_activity', 'activity_by_problem', 'recent_activities'], problemId, sequence);
}

type Index = readonly [recent: string, large: string, total: RecentTotal];

function removeNote(prepare: Prepare, [recent, large, total]: Index, problemId: string, sequence: number): void {
	const removeFrom = (index: string) =>
		prepare(`DELETE FROM ${index} WHERE problem_id = ? AND sequence = ?`).run(problemId, sequence).changes;
	if (removeFrom(recent) > 0) countRecent(prepare, total, -1);
	else removeFrom(large);
}

type RecentTotal = 'recent_events' | 'recent_activities';

const countRecent = (prepare: Prepare, name: RecentTotal, more: number): void =>
	void prepare('UPDATE total SET value = value + ? WHERE name = ?').run(more, name);

const moves: Record<RecentTotal, readonly string[]> = {
	recent_events: [
		'INSERT INTO event_by_id SELECT id, sequence FROM recent_event ORDER BY id',
		'INSERT INTO event_by_problem SELECT problem_id, sequence FROM recent_event ORDER BY problem_id, sequence',
		'DELETE FROM recent_event',
	],
	recent_activities: [
		'INSERT INTO activity_by_problem SELECT problem_id, sequence FROM recent_activity ORDER BY problem_id, sequence',
		'DELETE FROM recent_activity',
	],
};

/** Counts those that were just noted, and moves all of them when they are many. */
export function settleRecent(prepare: Prepare, name: RecentTotal, noted: number): void {
	if (noted === 0) return;
	countRecent(prepare, name, noted);
	const row = prepare('SELECT value FROM total WHERE name = ?').get(name);
	if (Number(row?.value) < mostRecent) return;
	for (const statement of moves[name]) prepare(statement).run();
	prepare('UPDATE total SET value = 0 WHERE name = ?').run(name);
}

/** Fills the large indexes from the tables, for a store that has none. */
export const indexing: readonly string[] = [
	'INSERT INTO event_by_id SELECT id, sequence FROM event ORDER BY id',
	'INSERT INTO event_by_problem SELECT problem_id, sequence FROM event ORDER BY problem_id, sequence',
	`INSERT INTO activity_by_problem SELECT problem_id, sequence FROM activity WHERE problem_id IS NOT NULL
		ORDER BY problem_id, sequence`,
];

const idsOf = 'SELECT id, sequence FROM event_by_id UNION ALL SELECT id, sequence FROM recent_event';
const eventsOf = 'SELECT problem_id, sequence FROM event_by_problem UNION ALL SELECT problem_id, sequence FROM recent_event';
const activitiesOf =
	'SELECT problem_id, sequence FROM activity_by_problem UNION ALL SELECT problem_id, sequence FROM recent_activity';

const bothWays = (one: string, other: string) => [
	`SELECT 1 FROM (SELECT * FROM (${one}) EXCEPT SELECT * FROM (${other})) LIMIT 1`,
	`SELECT 1 FROM (SELECT * FROM (${other}) EXCEPT SELECT * FROM (${one})) LIMIT 1`,
];

/** Each finds a row when an index does not agree with its table. */
export const disagreements: readonly string[] = [
	...bothWays('SELECT id, sequence FROM event', idsOf),
	...bothWays('SELECT problem_id, sequence FROM event', eventsOf),
	...bothWays('SELECT problem_id, sequence FROM activity WHERE problem_id IS NOT NULL', activitiesOf),
];
