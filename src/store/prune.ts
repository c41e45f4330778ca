import {forgetEntries, noteForgottenAttempt} from './ledger-front.ts';
import {removeActivity, removeEvent} from './recent.ts';
import type {Prepare} from './sqlite.ts';

export type PruneLimits = {
	/** Unix milliseconds. Events, attempts and activities of problems that were closed before go. */
	readonly closedBefore: number;
	/** Attempts that belong to no problem, such as heartbeats and inventories, go when they are older. */
	readonly routineBefore?: number;
	/** The problems themselves, and the faults they stand for, stay until then, for a fault may relapse. */
	readonly relapsedBefore: number;
	/** Rows deleted by one call, at the most: writers wait for it. */
	readonly limit?: number;
};

/** Problems of which nothing is to be sent any more, closed before `?1`. */
const finished = `
	SELECT id FROM problem WHERE state = 'closed' AND closed_at < ?1
		AND id NOT IN (SELECT problem_id FROM submission WHERE problem_id IS NOT NULL)
`;

/** At most `?2` of what belongs to finished problems, by two indexes. */
const ofFinished = (large: string, recent: string) => `
	SELECT * FROM (SELECT problem_id, sequence FROM ${large} WHERE problem_id IN (${finished}) LIMIT ?2)
	UNION ALL SELECT * FROM (SELECT problem_id, sequence FROM ${recent} WHERE problem_id IN (${finished}) LIMIT ?2) LIMIT ?2
`;

/** What belongs to no problem, and what is left of a problem that is lost. */
const ownerlessActivities = `
	SELECT problem_id, sequence FROM activity
	WHERE at < ?1 AND NOT EXISTS (SELECT 1 FROM problem WHERE problem.id = problem_id)
	ORDER BY sequence LIMIT ?2
`;
const orphanedAttempts = `
	SELECT problem_id, sequence FROM attempt
	WHERE problem_id IS NOT NULL AND started_at < ?1 AND NOT EXISTS (SELECT 1 FROM problem WHERE problem.id = problem_id)
	ORDER BY sequence LIMIT ?2
`;
const routineAttempts = `
	SELECT problem_id, sequence FROM attempt WHERE problem_id IS NULL AND started_at < ?1 ORDER BY started_at LIMIT ?2
`;

const attemptsOfFinished = `SELECT problem_id, sequence FROM attempt WHERE problem_id IN (${finished}) LIMIT ?2`;

type Row = {readonly problem_id: string | null; readonly sequence: number};
type Remove = (prepare: Prepare, problemId: string | null, sequence: number) => void;

const removeAttempt: Remove = (prepare, problemId, sequence) => {
	prepare('DELETE FROM attempt WHERE sequence = ?').run(sequence);
	noteForgottenAttempt(prepare, problemId, sequence);
};

const steps: readonly (readonly [query: string, remove: Remove, since?: 'routineBefore'])[] = [
	[
		ofFinished('event_by_problem', 'recent_event'),
		(prepare, problemId, sequence) => removeEvent(prepare, String(problemId), sequence),
	],
	[attemptsOfFinished, removeAttempt],
	[ofFinished('activity_by_problem', 'recent_activity'), removeActivity],
	[orphanedAttempts, removeAttempt],
	[routineAttempts, removeAttempt, 'routineBefore'],
	[ownerlessActivities, removeActivity],
];

/**
Forgets what is long over, a bounded part with each call. Returns how many rows went: call it again until that is 0. The
events of a pruned problem stay in `countEvents` and in `tallyProblems`, whose counts never go back.
*/
export async function prune(prepare: Prepare, limits: PruneLimits): Promise<number> {
	const {closedBefore, relapsedBefore, limit = 1000} = limits;
	let removed = 0;
	for (const [query, remove, since = 'closedBefore'] of steps) {
		if (removed >= limit) return removed;
		const rows = prepare(query).all(limits[since] ?? closedBefore, limit - removed) as Row[];
		for (const {problem_id: problemId, sequence} of rows) remove(prepare, problemId, sequence);
		removed += rows.length;
	}
	if (removed < limit) removed += forgetEntries(prepare, closedBefore, limit - removed);
	if (removed > 0) return removed; // Problems go when nothing points to them any more.
	return removeProblems(prepare, Math.min(closedBefore, relapsedBefore), limit);
}

function removeProblems(prepare: Prepare, before: number, limit: number): number {
	const rows = prepare(`${finished} LIMIT ?2`).all(before, limit) as {id: string}[];
	for (const {id} of rows) {
		prepare('DELETE FROM problem_key WHERE problem_id = ?').run(id);
		prepare('DELETE FROM problem WHERE id = ?').run(id);
	}
	return rows.length;
}
