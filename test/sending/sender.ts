import test from 'ava';
import {BridgeError, type BridgeErrorCode} from '../../src/errors.ts';
import type {Connection, Exporter} from '../../src/exporter.ts';
import type {Outcome} from '../../src/outcome.ts';
import {type Attempt, throughConnections} from '../../src/sending/sender.ts';
import {submissionOf} from '../helpers/submissions.ts';

const submission = submissionOf('heartbeat');
const signal = new AbortController().signal;
const connection = (name: string): Connection => ({
	name,
	send: async () => {
		throw new Error('nobody sends here');
	},
});
const unreachable = (code: BridgeErrorCode, message: string): Outcome => ({
	status: 'unreachable',
	error: new BridgeError(code, message),
});
const acknowledged: Outcome = {status: 'acknowledged', reference: 'r', answers: []};

/** An exporter whose outcome depends on the connection, and which keeps the order in which it was asked. */
function exporterWith(outcomes: Record<string, Outcome>) {
	const asked: string[] = [];
	const exporter: Exporter = async (_submission, {name}) => {
		asked.push(name);
		const outcome = outcomes[name];
		if (!outcome) throw new Error(`${name} is not to be tried`);
		return outcome;
	};
	return {asked, exporter};
}
const three = ['proxy a:1', 'proxy b:2', 'direct'].map(connection);
const destination = 'esupport.example';

test('connections are tried in order until one reaches the destination', async t => {
	const {asked, exporter} = exporterWith({
		'proxy a:1': unreachable('ERR_CONNECTION_REFUSED', 'refused'),
		'proxy b:2': acknowledged,
	});
	t.is(await throughConnections(three, exporter, {destination})(submission, signal), acknowledged);
	t.deepEqual(asked, ['proxy a:1', 'proxy b:2']);
});

for (const outcome of [
	{status: 'deferred', error: new Error('later'), uncertain: true},
	{status: 'rejected', error: new Error('never')},
] as const) {
	test(`${outcome.status} does not pass the turn on`, async t => {
		const {asked, exporter} = exporterWith({'proxy a:1': outcome});
		t.is(await throughConnections(three, exporter, {destination})(submission, signal), outcome);
		t.deepEqual(asked, ['proxy a:1']);
	});
}

test('when no connection leads anywhere, each is named with its reason', async t => {
	const {exporter} = exporterWith({
		'proxy a:1': unreachable('ERR_PROXY_AUTHENTICATION', 'It wants a password.'),
		'proxy b:2': unreachable('ERR_CONNECTION_REFUSED', 'It refuses.'),
		direct: unreachable('ERR_CERTIFICATE', 'It is inspected.'),
	});
	const outcome = await throughConnections(three, exporter, {destination})(submission, signal);
	t.is(outcome.status, 'unreachable');
	const {error} = outcome as Outcome & {status: 'unreachable'};
	t.true(error instanceof BridgeError && error.code === 'ERR_PROXY_AUTHENTICATION');
	t.is(
		error.message,
		'No connection leads to esupport.example. proxy a:1: It wants a password. proxy b:2: It refuses. direct: It is inspected.',
	);
	t.true(error.cause instanceof AggregateError && error.cause.errors.length === 3);
});

test('every attempt is observed, with its time and outcome', async t => {
	const failed = unreachable('ERR_CONNECTION_REFUSED', 'refused');
	const {exporter} = exporterWith({'proxy a:1': failed, 'proxy b:2': acknowledged});
	const times = [1000, 1300, 2000, 2050];
	const attempts: Attempt[] = [];
	const send = throughConnections(three, exporter, {
		destination,
		observe: attempt => attempts.push(attempt),
		now: () => times.shift() ?? 0,
	});
	await send(submission, signal);
	t.deepEqual(attempts, [
		{connection: 'proxy a:1', destination, startedAt: 1000, durationMillis: 300, outcome: failed},
		{connection: 'proxy b:2', destination, startedAt: 2000, durationMillis: 50, outcome: acknowledged},
	]);
});

test('what a shutdown cuts short is not held against the connection', async t => {
	const attempts: Attempt[] = [];
	const {exporter} = exporterWith({direct: unreachable('ERR_CONNECTION_TIMEOUT', 'given up')});
	const send = throughConnections([connection('direct')], exporter, {destination, observe: attempt => attempts.push(attempt)});
	t.is((await send(submission, AbortSignal.abort())).status, 'unreachable');
	t.deepEqual(attempts, []);
});

test('the caller may put something around each connection', async t => {
	const {asked, exporter} = exporterWith({'recorded direct for s1': acknowledged});
	const send = throughConnections([connection('direct')], exporter, {
		destination,
		wrap: (inner, {id}) => ({...inner, name: `recorded ${inner.name} for ${id}`}),
	});
	await send(submission, signal);
	t.deepEqual(asked, ['recorded direct for s1']);
});

test('without any connection the outcome says so', async t => {
	const {exporter} = exporterWith({});
	t.like(await throughConnections([], exporter, {destination})(submission, signal), {
		status: 'unreachable',
		error: {code: 'ERR_CONFIG'},
	});
});
