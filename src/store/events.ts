import type {Selectable} from 'kysely';
import {type KeptEvent, toKeptEvent} from './event-row.ts';
import {sequencesOfProblem} from './recent.ts';
import type {EventTable} from './schema.ts';
import type {Prepare} from './sqlite.ts';

const ofProblem = sequencesOfProblem('event_by_problem', 'recent_event');

/** The events of a problem, oldest first. */
export async function eventsOf(prepare: Prepare, problemId: string, limit = 100): Promise<KeptEvent[]> {
	const select = prepare(`SELECT * FROM event WHERE sequence IN (${ofProblem}) ORDER BY sequence LIMIT ?2`);
	return (select.all(problemId, limit) as Selectable<EventTable>[]).map(toKeptEvent);
}

/** How many events were ever kept: as many as `tallyProblems` adds up to, at all times. */
export async function countEvents(prepare: Prepare): Promise<number> {
	return Number(prepare("SELECT value FROM total WHERE name = 'events'").get()?.value ?? 0);
}

export async function reassignEvents(prepare: Prepare, fromProblemId: string, toProblemId: string): Promise<void> {
	prepare(`UPDATE event SET problem_id = ?3 WHERE sequence IN (${ofProblem})`).run(fromProblemId, -1, toProblemId);
	for (const index of ['event_by_problem', 'recent_event']) {
		prepare(`UPDATE ${index} SET problem_id = ? WHERE problem_id = ?`).run(toProblemId, fromProblemId);
	}
}
