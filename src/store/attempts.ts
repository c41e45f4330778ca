import type {AttemptBegin, AttemptEnd} from '../attempt.ts';
import {type EndedAttempt, endFields, interrupted, requestFields} from '../ledger.ts';
import {append} from './ledger-chain.ts';
import {leaveRoomForFaults} from './room.ts';
import {whole, wholeOrNull} from './schema.ts';
import type {Prepare} from './sqlite.ts';

/** Each change of an attempt and its entry of the ledger are one transaction: neither is there without the other. */

/**
Kept before the request leaves: what a killed bridge had sent is known afterwards. From here until its outcome is settled
nobody knows whether it arrived, so it is asked after before it is sent again (G3). Returns the attempt's number. Rejects with
ERR_STORE_FULL an inventory for which the store is too full: then it does not leave.
*/
export async function beginAttempt(prepare: Prepare, attempt: AttemptBegin): Promise<number> {
	const {submissionId, problemId = null, type, connection, destination, request} = attempt;
	if (type === 'inventory') await leaveRoomForFaults(prepare);
	const startedAt = whole(attempt.startedAt);
	prepare('UPDATE submission SET uncertain = 1 WHERE id = ?').run(submissionId);
	const {lastInsertRowid} = prepare(`
		INSERT INTO attempt (submission_id, problem_id, type, started_at, connection, destination, request)
		VALUES (?, ?, ?, ?, ?, ?, ?)
	`).run(submissionId, problemId, type, startedAt, connection, destination, request);
	const sequence = Number(lastInsertRowid);
	const begun = {
		sequence,
		submission_id: submissionId,
		problem_id: problemId,
		type,
		started_at: startedAt,
		connection,
		destination,
	};
	append(prepare, sequence, requestFields(begun, request));
	return sequence;
}

/** An attempt ends once. With an error no reply is kept. */
export async function endAttempt(prepare: Prepare, sequence: number, end: AttemptEnd): Promise<void> {
	const {statusCode, errorType, error, reply} = end;
	const type = errorType ?? (error === undefined ? null : 'Error');
	const text = (type === null ? reply : error) ?? null;
	const ended = prepare(`
		UPDATE attempt SET duration = ?, status_code = ?, reply = ?, error_type = ?, error = ?
		WHERE sequence = ? AND duration IS NULL RETURNING sequence, started_at, duration, status_code, error_type
	`).get(
		whole(end.duration),
		wholeOrNull(statusCode),
		type === null ? text : null,
		type,
		type === null ? null : text,
		sequence,
	) as EndedAttempt | undefined;
	if (ended) append(prepare, sequence, endFields(ended, text, end.peerCertificate));
}

/** Ends the attempts that a killed bridge left open. Returns how many there were. */
export async function endInterrupted(prepare: Prepare, now = Date.now()): Promise<number> {
	const error = 'the bridge ended during this attempt';
	const open = prepare('SELECT sequence FROM attempt WHERE duration IS NULL ORDER BY sequence').all();
	const end = prepare(`
		UPDATE attempt SET duration = 0, error_type = '${interrupted}', error = ? WHERE sequence = ?
		RETURNING sequence, started_at, duration, status_code, error_type
	`);
	for (const {sequence} of open as {sequence: number}[]) {
		const ended = end.get(error, sequence) as EndedAttempt;
		append(prepare, sequence, endFields({...ended, started_at: whole(now)}, error));
	}
	return open.length;
}
