import type {AttemptBegin, AttemptEnd} from '../attempt.ts';
import type {Config} from '../config.ts';
import {serversFor} from '../destinations/list.ts';
import {traced, tracedConnection} from '../own-telemetry/journey.ts';
import {addressOf, authority} from '../sending/address.ts';
import {createDrain} from '../sending/drain.ts';
import {recorded} from '../sending/recorded.ts';
import {type SubmissionServer, throughConnections} from '../sending/sender.ts';
import {createSettle} from '../sending/settling.ts';
import {createStranded} from '../sending/stranded.ts';
import type {Store} from '../store/store.ts';
import type {SubmissionType} from '../submission.ts';
import {attributeNames, type Instruments} from '../telemetry.ts';
import type {Backend} from './backend.ts';
import {openConnectivity} from './connectivity.ts';
import type {Log} from './log.ts';
import {errorOf, reportSettled} from './reporting.ts';
import {expectVouched} from './trust.ts';
import type {Ways} from './ways.ts';

/** Submissions under way at once. */
const concurrency = 8;

type Surroundings = {
	readonly instruments: () => Instruments;
	readonly log: Log;
	readonly ways: Ways;
	/** Without consent or keys nothing is taken from the queue (G5). */
	readonly maySend: boolean;
	/** Nor any of these. */
	readonly withheld: readonly SubmissionType[];
};

/** Queue, connections and exporter: everything between a stored submission and its settled outcome. */
export function openSending(
	config: Config,
	backend: Backend,
	store: Store,
	{instruments, log, ways, maySend, withheld}: Surroundings,
	stack: AsyncDisposableStack,
) {
	const connections = ways.list.filter(({traffic}) => traffic.includes('events'));
	const servers = () => serversOf(ways, backend);
	expectVouched(ways, backend, servers);
	const stranded = createStranded();
	const connectivity = openConnectivity({
		connections: connections.map(({name}) => name),
		servers,
		store,
		log,
		onWay: sendStranded,
	});
	stack.defer(() => connectivity.close());
	ways.setOrder((names, destination) => {
		const paths = names.map(connection => ({connection, destination}));
		return connectivity.health.order(paths, Date.now()).map(({connection}) => connection);
	});
	ways.onStage((connection, destination, {stage, error}) => {
		if (!error) return;
		const attributes = {
			[attributeNames.connection]: connection,
			[attributeNames.destination]: authority(destination),
			[attributeNames.stage]: stage,
			[attributeNames.errorType]: error.code,
		};
		instruments().connectionStageFailures.add(1, attributes);
	});
	const attempts = {
		begin: (attempt: AttemptBegin) => store.write(records => records.beginAttempt(attempt)),
		end: (sequence: number, end: AttemptEnd) => store.write(records => records.endAttempt(sequence, end)),
	};
	const send = throughConnections(connections, backend.exporter, {
		destination: connectivity.destination(),
		servers,
		order: paths => connectivity.health.order(paths, Date.now()),
		wrap: (connection, submission) => tracedConnection(recorded(connection, submission, attempts)),
		observe: attempt => {
			connectivity.observe(attempt);
			const {connection, destination, durationMillis, outcome} = attempt;
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
		onSettled: settled => {
			stranded.settled(settled.submission.id, settled.outcome);
			connectivity.settled(settled.outcome);
			reportSettled(settled, connectivity.destination(), instruments());
		},
		answeredBy: connectivity.answeredBy,
	});
	const drain = createDrain({
		due: async (now, underWay, limit) => (maySend ? store.read.dueSubmissions(now, underWay, limit, withheld) : []),
		nextDueAt: async underWay => (maySend ? store.read.nextDueAt(underWay, withheld) : undefined),
		send: traced(send),
		settle,
		log,
		concurrency,
	});
	stack.defer(() => drain.shutdown());
	return {drain, connectivity, connections, servers, sendStranded};

	/** Their pauses were for a way that may be there now. */
	async function sendStranded() {
		const ids = stranded.take();
		const notBefore = Date.now();
		await store.write(async records => {
			for (const id of ids) await records.changeSubmission(id, {notBefore});
		});
		drain.wake();
	}
}

/** The sandbox is one server, wherever it listens today. */
function serversOf(ways: Ways, backend: Backend): readonly SubmissionServer[] {
	if (backend.sandbox) return [addressOf(backend.sandbox)];
	const servers = serversFor(ways.destinations(), 'problem_reporting');
	return servers.flatMap(({host, ports: [port], path}) => (port === undefined ? [] : [{host, port, path}]));
}
