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

/** Connections that keep where their requests go, and an exporter that asks them. */
function wired(outcomeOf: (connection: string, host: string) => Outcome) {
	const went: string[] = [];
	const connections = ['proxy a:1', 'direct'].map(name => ({
		name,
		send: async ({url}: {url: URL}) => {
			went.push(`${name} ${url.href}`);
			return {statusCode: 200, headers: {}, body: ''};
		},
	}));
	const exporter: Exporter = async (_submission, over, limit) => {
		const url = new URL('https://primary.example:8443/connect/api/v1?x=1');
		await over.send({url, method: 'POST', headers: {}, body: '', secrets: []}, limit);
		return outcomeOf(over.name, new URL(went.at(-1)?.split(' ').at(-1) ?? '').host);
	};
	return {went, connections, exporter};
}
const primary = {host: 'primary.example', port: 8443};
const backup = {host: 'backup.example', port: 443};
const overV6 = {host: '2001:db8::1', port: 444};
const nowhere = (connection: string, host: string) => unreachable('ERR_CONNECTION_REFUSED', `${connection} ${host} refuses.`);

test('over each connection the primary server is asked, then its backups', async t => {
	const {went, connections, exporter} = wired(nowhere);
	const attempts: string[] = [];
	const outcome = await throughConnections(connections, exporter, {
		destination: 'primary.example:8443',
		servers: () => [primary, backup, overV6],
		observe: attempt => attempts.push(`${attempt.connection} ${attempt.destination}`),
	})(submission, signal);
	t.deepEqual(went, [
		'proxy a:1 https://primary.example:8443/connect/api/v1?x=1',
		'proxy a:1 https://backup.example/connect/api/v1?x=1',
		'proxy a:1 https://[2001:db8::1]:444/connect/api/v1?x=1',
		'direct https://primary.example:8443/connect/api/v1?x=1',
		'direct https://backup.example/connect/api/v1?x=1',
		'direct https://[2001:db8::1]:444/connect/api/v1?x=1',
	]);
	t.deepEqual(attempts.slice(0, 3), [
		'proxy a:1 primary.example:8443',
		'proxy a:1 backup.example:443',
		'proxy a:1 [2001:db8::1]:444',
	]);
	t.regex(
		(outcome as Outcome & {status: 'unreachable'}).error.message,
		/^No connection leads to primary\.example:8443\. proxy a:1 to primary\.example:8443: proxy a:1 primary\.example:8443 refuses\. proxy a:1 to backup/,
	);
});

test('a backup server takes what the primary does not, over the same connection', async t => {
	const {went, connections, exporter} = wired((name, host) => (host === 'backup.example' ? acknowledged : nowhere(name, host)));
	const send = throughConnections(connections, exporter, {destination, servers: () => [primary, backup]});
	t.is(await send(submission, signal), acknowledged);
	t.is(went.length, 2);
});

for (const [title, error] of [
	['wants a password', new BridgeError('ERR_PROXY_AUTHENTICATION', 'It wants a password.')],
	['is down', new BridgeError('ERR_CONNECTION_REFUSED', 'The proxy refuses.', {hop: 'proxy'})],
] as const) {
	test(`no backup server is asked over a proxy that ${title}`, async t => {
		const {went, connections, exporter} = wired(name => (name === 'proxy a:1' ? {status: 'unreachable', error} : acknowledged));
		await throughConnections(connections, exporter, {destination, servers: () => [primary, backup]})(submission, signal);
		t.deepEqual(
			went.map(line => line.split(' https')[0]),
			['proxy a:1', 'direct'],
		);
	});
}

test('the record of what goes over a connection names the server that it really goes to', async t => {
	const {connections, exporter} = wired((_name, host) => (host === 'backup.example' ? acknowledged : nowhere('', host)));
	const recorded: string[] = [];
	const send = throughConnections(connections, exporter, {
		destination,
		servers: () => [primary, backup],
		wrap: inner => ({
			name: inner.name,
			send: (request, limit) => {
				recorded.push(request.url.host);
				return inner.send(request, limit);
			},
		}),
	});
	await send(submission, signal);
	t.deepEqual(recorded, ['primary.example:8443', 'backup.example']);
});

test('a server that replaces the one of the endpoint is the one that is asked', async t => {
	const {went, connections, exporter} = wired(() => acknowledged);
	await throughConnections(connections, exporter, {destination, servers: () => [backup]})(submission, signal);
	t.deepEqual(went, ['proxy a:1 https://backup.example/connect/api/v1?x=1']);
});

test('what is known of the paths decides the order, and the code stays that of the first one configured', async t => {
	const {asked, exporter} = exporterWith({
		'proxy a:1': unreachable('ERR_PROXY_BUSY', 'It is busy.'),
		'proxy b:2': unreachable('ERR_CONNECTION_REFUSED', 'It refuses.'),
		direct: unreachable('ERR_CERTIFICATE', 'It is inspected.'),
	});
	const send = throughConnections(three, exporter, {destination, order: ways => ways.toReversed()});
	t.like(await send(submission, signal), {status: 'unreachable', error: {code: 'ERR_PROXY_BUSY'}});
	t.deepEqual(asked, ['direct', 'proxy b:2', 'proxy a:1']);
});

test('a shutdown ends the round: no further connection is tried', async t => {
	const {asked, exporter} = exporterWith({'proxy a:1': unreachable('ERR_CONNECTION_TIMEOUT', 'given up')});
	await throughConnections(three, exporter, {destination})(submission, AbortSignal.abort());
	t.deepEqual(asked, ['proxy a:1']);
});

test('without any connection the outcome says so', async t => {
	const {exporter} = exporterWith({});
	t.like(await throughConnections([], exporter, {destination})(submission, signal), {
		status: 'unreachable',
		error: {code: 'ERR_CONFIG'},
	});
});
