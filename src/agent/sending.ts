import type {AttemptBegin, AttemptEnd} from '../attempt.ts';
import type {Config} from '../config.ts';
import {emitConnectionChange} from '../own-telemetry/events.ts';
import {traced, tracedConnection} from '../own-telemetry/journey.ts';
import {createConnectionHealth} from '../sending/connection-health.ts';
import {createConnection} from '../sending/connections.ts';
import {createDrain} from '../sending/drain.ts';
import {recorded} from '../sending/recorded.ts';
import {throughConnections} from '../sending/sender.ts';
import {createSettle} from '../sending/settling.ts';
import type {Store} from '../store/store.ts';
import {attributeNames, type Instruments} from '../telemetry.ts';
import type {Backend} from './backend.ts';
import type {Log} from './log.ts';
import {errorOf, reportSettled} from './reporting.ts';

/** Submissions under way at once. */
const concurrency = 8;

type Surroundings = {
	readonly instruments: () => Instruments;
	readonly log: Log;
	/** Without consent or keys nothing is taken from the queue (G5). */
	readonly maySend: boolean;
};

/** Queue, connections and exporter: everything between a stored submission and its settled outcome. */
export function openSending(
	config: Config,
	backend: Backend,
	store: Store,
	{instruments, log, maySend}: Surroundings,
	stack: AsyncDisposableStack,
) {
	const connections = config.connections.map(connection => createConnection(connection, {ca: backend.authorities}));
	for (const connection of connections) stack.defer(() => connection.close());
	const health = createConnectionHealth(
		connections.map(({name}) => name),
		backend.destination,
		({connection, destination, state}) => emitConnectionChange(connection, destination, state),
	);
	const attempts = {
		begin: (attempt: AttemptBegin) => store.write(records => records.beginAttempt(attempt)),
		end: (sequence: number, end: AttemptEnd) => store.write(records => records.endAttempt(sequence, end)),
	};
	const send = throughConnections(connections, backend.exporter, {
		destination: backend.destination,
		wrap: (connection, submission) => tracedConnection(recorded(connection, submission, attempts)),
		observe: ({connection, destination, startedAt, durationMillis, outcome}) => {
			health.observe(connection, outcome, startedAt + durationMillis);
			const attributes = {
				[attributeNames.connection]: connection,
				[attributeNames.destination]: destination,
				...errorOf(outcome),
			};
			instruments().connectionAttempts.add(1, attributes);
			instruments().connectionDuration.record(durationMillis / 1000, attributes);
		},
	});
	const settle = createSettle({
		write: store.write,
		policy: {retry: config.exporter.retry_on_failure, caseQuery: backend.caseQuery},
		onSettled: settled => reportSettled(settled, backend.destination, instruments()),
	});
	const drain = createDrain({
		due: async (now, underWay, limit) => (maySend ? store.read.dueSubmissions(now, underWay, limit) : []),
		nextDueAt: async underWay => (maySend ? store.read.nextDueAt(underWay) : undefined),
		send: traced(send),
		settle,
		log,
		concurrency,
	});
	stack.defer(() => drain.shutdown());
	return {drain, health};
}
