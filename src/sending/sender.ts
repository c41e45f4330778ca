import {BridgeError, isBridgeError} from '../errors.ts';
import type {Connection, Exporter, Sender} from '../exporter.ts';
import type {Outcome} from '../outcome.ts';
import type {Submission} from '../submission.ts';
import {type Address, authority} from './address.ts';
import {isConnectionsOwn, type Path} from './connection-health.ts';

/** One attempt over one connection. */
export type Attempt = {
	readonly connection: string;
	/** The server that was spoken to, HOST:PORT. */
	readonly destination: string;
	/** Unix milliseconds. */
	readonly startedAt: number;
	readonly durationMillis: number;
	readonly outcome: Outcome;
};

export type SenderOptions = {
	/** Host of the backend, as metrics and messages name it. */
	readonly destination: string;
	/** The primary server and its backups (S44). Without any, the requests go where the exporter sends them. */
	readonly servers?: () => readonly SubmissionServer[];
	/** The order in which the paths are tried, when it is not that of the configuration. */
	readonly order?: <Candidate extends Path>(paths: readonly Candidate[]) => readonly Candidate[];
	readonly observe?: (attempt: Attempt) => void;
	/** Puts something around a connection for one submission, such as the record of what goes over it. */
	readonly wrap?: (connection: Connection, submission: Submission) => Connection;
	readonly now?: () => number;
};

/** A server, and what is asked for there when it is not what the exporter asks for. */
export type SubmissionServer = Address & {readonly path?: string | undefined};

type Way = Path & {readonly over: Connection; readonly server: SubmissionServer | undefined};

/**
Tries each connection in order, and over each one the servers in order. Only an unreachable one passes the turn on. When it
is the connection itself that fails, such as a proxy that is down, no other server is asked over it.
*/
export function throughConnections(
	connections: readonly Connection[],
	exporter: Exporter,
	{destination, servers = () => [], order = ways => ways, observe, wrap = inner => inner, now = Date.now}: SenderOptions,
): Sender {
	function waysNow(): readonly Way[] {
		const known = servers();
		return connections.flatMap((over): Way[] =>
			known.length === 0
				? [{connection: over.name, destination, over, server: undefined}]
				: known.map(server => ({connection: over.name, destination: authority(server), over, server})),
		);
	}

	async function attempt({over, server, ...path}: Way, submission: Submission, signal: AbortSignal): Promise<Outcome> {
		const startedAt = now();
		const wrapped = wrap(over, submission);
		const outcome = await exporter(submission, server ? atServer(wrapped, server) : wrapped, signal);
		// What a shutdown cut short says nothing about the connection.
		if (signal.aborted && outcome.status === 'unreachable') return outcome;
		observe?.({...path, startedAt, durationMillis: now() - startedAt, outcome});
		return outcome;
	}

	return async function send(submission, signal) {
		const ways = waysNow();
		const failures: Failure[] = [];
		const given = new Set<Connection>();
		for (const way of order(ways)) {
			if (given.has(way.over)) continue;
			const outcome = await attempt(way, submission, signal);
			if (outcome.status !== 'unreachable') return outcome;
			failures.push({way, error: outcome.error});
			if (isConnectionsOwn(outcome.error)) given.add(way.over);
			if (signal.aborted) break;
		}
		return {status: 'unreachable', error: allFailed(failures, ways, ways[0]?.destination ?? destination)};
	};
}

/** The same connection, to another server. What lies inside, such as the record, sees where the request really goes. */
function atServer(connection: Connection, server: SubmissionServer): Connection {
	return {
		name: connection.name,
		send(request, signal) {
			const url = new URL(request.url);
			url.host = authority(server);
			if (server.path) [url.pathname = '', url.search = ''] = server.path.split(/(?=\?)/);
			return connection.send({...request, url}, signal);
		},
	};
}

type Failure = {readonly way: Way; readonly error: Error};

/** Names each connection and server with its reason. The code is that of the way that the operator put first. */
function allFailed(failures: readonly Failure[], ways: readonly Way[], destination: string): BridgeError {
	const first = ways.flatMap(way => failures.filter(failure => failure.way === way))[0];
	if (!first) return new BridgeError('ERR_CONFIG', `There is no connection to ${destination}: name one under connections.`);
	const hasBackups = new Set(ways.map(way => way.destination)).size > 1;
	const nameOf = (way: Way) => (hasBackups ? `${way.connection} to ${way.destination}` : way.connection);
	const reasons = failures.map(({way, error}) => `${nameOf(way)}: ${error.message}`);
	const code = isBridgeError(first.error) ? first.error.code : 'ERR_CONNECTION_REFUSED';
	return new BridgeError(code, `No connection leads to ${destination}. ${reasons.join(' ')}`, {
		cause: new AggregateError(failures.map(({error}) => error)),
	});
}
