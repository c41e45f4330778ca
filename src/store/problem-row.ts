import type {Selectable} from 'kysely';
import type {Problem, ProblemState} from '../problem.ts';
import {parseKept} from './failures.ts';
import {type ProblemTable, whole, wholeOrNull} from './schema.ts';

export type ProblemRow = Selectable<ProblemTable>;

const orUndefined = <Value>(value: Value | null): Value | undefined => value ?? undefined;

export function toProblem(row: ProblemRow): Problem {
	return {
		id: row.id,
		key: row.key,
		state: row.state as ProblemState,
		reason: row.reason,
		title: row.title,
		severity: row.severity,
		test: row.test === 1,
		count: row.count,
		firstSeen: row.first_seen,
		lastSeen: row.last_seen,
		systemKey: row.system_key,
		system: row.system === null ? undefined : parseKept(row.system),
		component: parseKept(row.component),
		transactionId: row.transaction_id,
		caseNumber: orUndefined(row.case_number),
		acceptedAt: orUndefined(row.accepted_at),
		recoveredAt: orUndefined(row.recovered_at),
		closedAt: orUndefined(row.closed_at),
		releaseAt: orUndefined(row.release_at),
		traceparent: orUndefined(row.traceparent),
	};
}

export function toRow(problem: Problem): ProblemRow {
	return {
		id: problem.id,
		key: problem.key,
		state: problem.state,
		reason: problem.reason,
		title: problem.title,
		severity: whole(problem.severity),
		test: problem.test ? 1 : 0,
		count: whole(problem.count),
		first_seen: whole(problem.firstSeen),
		last_seen: whole(problem.lastSeen),
		system_key: problem.systemKey,
		system: problem.system ? JSON.stringify(problem.system) : null,
		component: JSON.stringify(problem.component),
		transaction_id: problem.transactionId,
		case_number: problem.caseNumber ?? null,
		accepted_at: wholeOrNull(problem.acceptedAt),
		recovered_at: wholeOrNull(problem.recoveredAt),
		closed_at: wholeOrNull(problem.closedAt),
		release_at: wholeOrNull(problem.releaseAt),
		traceparent: problem.traceparent ?? null,
	};
}
