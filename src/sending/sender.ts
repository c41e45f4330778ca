import {BridgeError, isBridgeError} from '../errors.ts';
import type {Connection, Exporter, Sender} from '../exporter.ts';
import type {Outcome} from '../outcome.ts';
import type {Submission} from '../submission.ts';

/** One attempt over one connection. */
export type Attempt = {
	readonly connection: string;
	readonly destination: string;
	/** Unix milliseconds. */
	readonly startedAt: number;
	readonly durationMillis: number;
	readonly outcome: Outcome;
};

export type SenderOptions = {
	/** Host of the backend, as metrics and messages name it. */
	readonly destination: string;
	readonly observe?: (attempt: Attempt) => void;
	/** Puts something around a connection for one submission, such as the record of what goes over it. */
	readonly wrap?: (connection: Connection, submission: Submission) => Connection;
	readonly now?: () => number;
};

/** Tries the connections in order. Only an unreachable one passes the turn on. */
export function throughConnections(
	connections: readonly Connection[],
	exporter: Exporter,
	{destination, observe = () => {}, wrap = connection => connection, now = Date.now}: SenderOptions,
): Sender {
	async function attempt(connection: Connection, submission: Submission, signal: AbortSignal): Promise<Outcome> {
		const startedAt = now();
		const outcome = await exporter(submission, wrap(connection, submission), signal);
		// What a shutdown cut short says nothing about the connection.
		if (signal.aborted && outcome.status === 'unreachable') return outcome;
		observe({connection: connection.name, destination, startedAt, durationMillis: now() - startedAt, outcome});
		return outcome;
	}

	return async function send(submission, signal) {
		const failures: Failure[] = [];
		for (const connection of connections) {
			const outcome = await attempt(connection, submission, signal);
			if (outcome.status !== 'unreachable') return outcome;
			failures.push({connection: connection.name, error: outcome.error});
		}
		return {status: 'unreachable', error: allFailed(failures, destination)};
	};
}

type Failure = {readonly connection: string; readonly error: Error};

/** Names each connection with its reason. The code is that of the connection that the operator put first. */
function allFailed(failures: readonly Failure[], destination: string): BridgeError {
	const [first] = failures;
	if (!first) return new BridgeError('ERR_CONFIG', `There is no connection to ${destination}: name one under connections.`);
	const reasons = failures.map(({connection, error}) => `${connection}: ${error.message}`);
	const code = isBridgeError(first.error) ? first.error.code : 'ERR_CONNECTION_REFUSED';
	return new BridgeError(code, `No connection leads to ${destination}. ${reasons.join(' ')}`, {
		cause: new AggregateError(failures.map(({error}) => error)),
	});
}
