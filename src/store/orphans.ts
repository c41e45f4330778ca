import type {Kysely} from 'kysely';
import type {Problem} from '../problem.ts';
import type {SubmissionType} from '../submission.ts';
import {inChunks} from './chunks.ts';
import {type KeptEvent, toKeptEvent} from './event-row.ts';
import {toProblem} from './problem-row.ts';
import {lostMark, type Schema} from './schema.ts';

/** What is left of records that belong together after some of them were lost in a damaged file. Cheap when nothing is. */

const opensCase: readonly SubmissionType[] = ['hardware_alert', 'test'];

/** Problems that wait to be sent, and that nothing in the queue would send: to be offered again. */
export async function orphanedProblems(database: Kysely<Schema>, limit = 1000): Promise<Problem[]> {
	const rows = await database
		.selectFrom('problem')
		.selectAll()
		.where('state', '=', 'queued')
		.where(({not, exists, selectFrom}) =>
			not(
				exists(selectFrom('submission').select('sequence').whereRef('submission.transaction_id', '=', 'problem.transaction_id')),
			),
		)
		.limit(limit)
		.execute();
	return rows.map(toProblem);
}

export type OrphanedEvent = KeptEvent & {
	/** The id under which the lost problem is in the queue, or was sent: the problem made anew must use it again (G3). */
	readonly transactionId: string | undefined;
};

/**
Events whose problem is lost, oldest first. They are to be decided again: `keptIds` does not know them, and `insertEvents`
gives them their new problem.
*/
export async function orphanedEvents(database: Kysely<Schema>, limit = 1000): Promise<OrphanedEvent[]> {
	const rows = await database
		.selectFrom('event')
		.selectAll()
		.where('sequence', 'in', ({selectFrom}) => {
			const lostIn = (index: 'event_by_problem' | 'recent_event') =>
				selectFrom(index)
					.select('sequence')
					.where('problem_id', '>=', lostMark)
					.where('problem_id', '<', `${lostMark}\u{10ffff}`);
			return lostIn('event_by_problem').unionAll(lostIn('recent_event'));
		})
		.orderBy('sequence')
		.limit(limit)
		.execute();
	const events = rows.map(row => ({...toKeptEvent(row), problemId: row.problem_id.slice(lostMark.length)}));
	const transactionIds = await transactionIdsOf(database, [...new Set(events.map(({problemId}) => problemId))]);
	return events.map(event => ({...event, transactionId: transactionIds.get(event.problemId)}));
}

/** What stands in the queue counts more than what was attempted once. */
async function transactionIdsOf(database: Kysely<Schema>, problemIds: readonly string[]): Promise<Map<string, string>> {
	const attempted = await inChunks(problemIds, chunk =>
		database
			.selectFrom('attempt')
			.select(['problem_id', 'submission_id as transaction_id'])
			.where('problem_id', 'in', chunk)
			.where('type', 'in', opensCase)
			.orderBy('sequence')
			.execute(),
	);
	const queued = await inChunks(problemIds, chunk =>
		database
			.selectFrom('submission')
			.select(['problem_id', 'transaction_id'])
			.where('type', 'in', opensCase)
			.where('problem_id', 'in', chunk)
			.execute(),
	);
	return new Map([...attempted, ...queued].map(row => [row.problem_id ?? '', row.transaction_id]));
}
