import {isBridgeError, toError} from '../errors.ts';
import type {Connection} from '../exporter.ts';
import {redact} from '../secret.ts';
import type {Submission} from '../submission.ts';

/** Where the bytes that left are kept. `begin` resolves when they are on disk. */
export type AttemptRecords = {
	begin(attempt: {
		readonly submissionId: string;
		readonly problemId: string | undefined;
		readonly type: string;
		readonly startedAt: number;
		readonly connection: string;
		readonly destination: string;
		readonly request: string;
	}): Promise<number>;
	end(
		sequence: number,
		end: {
			readonly duration: number;
			readonly statusCode?: number;
			readonly reply?: string;
			readonly errorType?: string;
			readonly error?: string;
		},
	): Promise<void>;
};

/**
The same connection, with each request on record before it leaves and each reply after it: what a killed bridge had sent
is known, and what cannot be recorded is not sent (G5). Keys are taken out of both (G6).
*/
export function recorded(connection: Connection, submission: Submission, records: AttemptRecords, now = Date.now): Connection {
	return {
		name: connection.name,
		async send(request, signal) {
			const startedAt = now();
			const sequence = await records.begin({
				submissionId: submission.id,
				problemId: submission.problemId,
				type: submission.type,
				startedAt,
				connection: connection.name,
				destination: request.url.host,
				request: redact(request.body, request.secrets),
			});
			try {
				const reply = await connection.send(request, signal);
				const kept = redact(reply.body, request.secrets);
				await records.end(sequence, {duration: now() - startedAt, statusCode: reply.statusCode, reply: kept});
				return reply;
			} catch (thrown) {
				const error = redact(toError(thrown).message, request.secrets);
				const errorType = isBridgeError(thrown) ? thrown.code : toError(thrown).name;
				await records.end(sequence, {duration: now() - startedAt, errorType, error});
				throw thrown;
			}
		},
	};
}
