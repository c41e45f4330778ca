import type {AttemptBegin, AttemptEnd} from '../attempt.ts';
import {isBridgeError, toError} from '../errors.ts';
import type {Connection, OutboundRequest, Reply} from '../exporter.ts';
import {redact} from '../secret.ts';
import type {Submission} from '../submission.ts';

/** Where the bytes that left are kept. `begin` resolves when they are on disk. */
export type AttemptRecords = {
	begin(attempt: AttemptBegin): Promise<number>;
	end(sequence: number, end: AttemptEnd): Promise<void>;
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
			const duration = () => Math.max(0, now() - startedAt);
			const sequence = await records.begin({
				submissionId: submission.id,
				problemId: submission.problemId,
				type: submission.type,
				startedAt,
				connection: connection.name,
				destination: request.url.host,
				request: redact(request.body, request.secrets),
			});
			const reply = await sendNotingFailure(connection, request, signal, failure =>
				records.end(sequence, {duration: duration(), ...failure}),
			);
			await records.end(sequence, {
				duration: duration(),
				statusCode: reply.statusCode,
				reply: redact(reply.body, request.secrets),
				peerCertificate: reply.peerCertificate,
			});
			return reply;
		},
	};
}

type Failure = {readonly errorType: string; readonly error: string};

async function sendNotingFailure(
	connection: Connection,
	request: OutboundRequest,
	signal: AbortSignal,
	note: (failure: Failure) => Promise<void>,
): Promise<Reply> {
	try {
		return await connection.send(request, signal);
	} catch (thrown) {
		const error = redact(toError(thrown).message, request.secrets);
		// Why the request failed decides what comes next; an attempt without an end counts as interrupted at the next start.
		await note({errorType: isBridgeError(thrown) ? thrown.code : toError(thrown).name, error}).catch(() => {});
		throw thrown;
	}
}
