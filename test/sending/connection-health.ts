import test from 'ava';
import fc from 'fast-check';
import {BridgeError, type BridgeErrorCode} from '../../src/errors.ts';
import type {Outcome} from '../../src/outcome.ts';
import {
	createConnectionHealth,
	damping,
	isConnectionsOwn,
	type Path,
	type PathObservation,
	resultOf,
	trialPause,
} from '../../src/sending/connection-health.ts';

const second = 1000;
const minute = 60 * second;
const answered: PathObservation = {ok: true};
const refused: PathObservation = {ok: false, errorType: 'ERR_CONNECTION_REFUSED', reason: 'It refuses.'};
const silent: PathObservation = {ok: false, uncertain: true, errorType: 'ERR_REPLY_TIMEOUT', reason: 'It is silent.'};

function observed(connections = ['proxy p:1', 'direct'], destinations = ['ibm:443']) {
	const changes: string[] = [];
	const health = createConnectionHealth({
		connections,
		destinations: () => destinations,
		onChange: ({connection, state}, previous) => changes.push(`${connection} ${previous} ${state}`),
	});
	const paths: Path[] = connections.flatMap(connection => destinations.map(destination => ({connection, destination})));
	return {
		health,
		changes,
		paths,
		see: (connection: string, results: readonly PathObservation[], from = 0) => {
			for (const [index, result] of results.entries()) health.observe(connection, 'ibm:443', result, from + index);
		},
		states: () => health.list().map(({state}) => state),
		order: (now: number) => health.order(paths, now).map(({connection}) => connection),
	};
}

test('a path is unknown until it was used; each is listed, and told apart', t => {
	const {health, changes, see, states} = observed(['proxy p:1', 'direct'], ['ibm:443', 'backup:443']);
	t.deepEqual(states(), ['unknown', 'unknown', 'unknown', 'unknown']);
	see('direct', [answered], 5);
	t.deepEqual(
		health.list().map(({connection, destination, state, lastSuccessAt}) => [connection, destination, state, lastSuccessAt]),
		[
			['proxy p:1', 'ibm:443', 'unknown', undefined],
			['proxy p:1', 'backup:443', 'unknown', undefined],
			['direct', 'ibm:443', 'connected', 5],
			['direct', 'backup:443', 'unknown', undefined],
		],
	);
	t.deepEqual(changes, ['direct unknown connected']);
});

for (const [title, results, changes] of [
	['one failure makes a sound path degraded, and no more', [answered, refused], ['unknown connected', 'connected degraded']],
	[
		'three failures in a row make it disconnected',
		[answered, refused, refused, refused],
		['unknown connected', 'connected degraded', 'degraded disconnected'],
	],
	[
		'two failures with an answer between them start no alarm',
		[answered, refused, refused, answered, refused, refused],
		['unknown connected', 'connected degraded'],
	],
	['the first result decides at once', [refused], ['unknown disconnected']],
	['one lucky answer ends no alarm', [refused, answered, refused, answered, refused], ['unknown disconnected']],
	[
		'two answers end the alarm, and three make it sound',
		[refused, answered, answered, answered],
		['unknown disconnected', 'disconnected degraded', 'degraded connected'],
	],
	['silence after it was reached never makes a path disconnected', [silent, silent, silent, silent], ['unknown degraded']],
	['silence shows that it is reached again', [refused, silent, silent], ['unknown disconnected', 'disconnected degraded']],
	[
		'silence does not make it sound',
		[refused, silent, answered, silent, answered, answered],
		['unknown disconnected', 'disconnected degraded'],
	],
] as const) {
	test(title, t => {
		const {see, changes: seen} = observed();
		see('direct', results);
		t.deepEqual(
			seen,
			changes.map(change => `direct ${change}`),
		);
	});
}

test('the last answer and the last failure stay known', t => {
	const {health, see} = observed();
	see('direct', [answered, answered, refused], 10);
	t.like(health.list()[1], {state: 'degraded', since: 12, lastSuccessAt: 11, errorType: 'ERR_CONNECTION_REFUSED'});
	see('direct', [answered, answered, answered], 20);
	t.like(health.list()[1], {state: 'connected', since: 22, lastSuccessAt: 22, errorType: undefined, reason: undefined});
});

test('a proxy that is down is down for every server behind it', t => {
	const {see, states} = observed(['proxy p:1', 'direct'], ['ibm:443', 'backup:443']);
	see('proxy p:1', [{...refused, everywhere: true}]);
	t.deepEqual(states(), ['disconnected', 'disconnected', 'unknown', 'unknown']);
});

test('a server that is not on the list leaves no trace', t => {
	const {health, changes, states} = observed();
	health.observe('direct', 'elsewhere:443', refused, 1);
	t.deepEqual([changes, states()], [[], ['unknown', 'unknown']]);
});

test('a connection that keeps failing is tried last, and at growing intervals in its old place', t => {
	const {see, order} = observed();
	see('proxy p:1', [refused]);
	t.deepEqual(order(29 * second), ['direct', 'proxy p:1']);
	const tries: number[] = [];
	for (let now = 0; now < 2 * 60 * minute; now += second) {
		if (order(now)[0] !== 'proxy p:1') continue;
		tries.push(now);
		see('proxy p:1', [refused], now);
	}
	const pauses = tries.slice(1).map((at, index) => at - (tries[index] ?? 0));
	t.is(tries[0], 30 * second);
	t.deepEqual(
		pauses.slice(0, 6).map(pause => Math.round(pause / minute)),
		[1, 2, 4, 8, 15, 15],
	);
});

test('a try in the old place is given out once, not to all that is sent meanwhile', t => {
	const {see, order} = observed();
	see('proxy p:1', [refused]);
	t.deepEqual(order(minute), ['proxy p:1', 'direct']);
	t.deepEqual(order(minute), ['direct', 'proxy p:1']);
	t.deepEqual(order(2 * minute), ['proxy p:1', 'direct'], 'and again when nothing is known of how it went');
});

test('after one answer the configured order is back for the next submission', t => {
	const {see, order} = observed();
	see('proxy p:1', [refused]);
	t.deepEqual(order(1), ['direct', 'proxy p:1']);
	see('proxy p:1', [answered], 2);
	t.deepEqual(order(3), ['proxy p:1', 'direct']);
});

test('a clock that was set back does not put the next try off', t => {
	const {see, order} = observed();
	see('proxy p:1', [refused], 1000 * minute);
	t.deepEqual(order(minute), ['proxy p:1', 'direct']);
});

test('when all are disconnected, the order is that of the configuration', t => {
	const {see, order} = observed();
	see('proxy p:1', [refused]);
	see('direct', [refused]);
	t.deepEqual(order(1), ['proxy p:1', 'direct']);
});

test('a path in doubt is to be looked at again soon, a sound one and an unknown one are not', t => {
	const {health, see} = observed(['proxy p:1', 'direct', 'proxy q:2']);
	see('direct', [answered, refused], 0);
	see('proxy p:1', [answered], 0);
	t.deepEqual(health.doubtful(second), []);
	t.deepEqual(
		health.doubtful(minute).map(({connection}) => connection),
		['direct'],
	);
	see('direct', [answered], minute);
	t.is(health.doubtful(minute).length, 1, 'after an answer the next result is wanted at once');
	see('direct', [answered, answered], minute);
	t.deepEqual(health.doubtful(2 * minute), []);
});

const anyConnection = fc.constantFrom('a', 'b', 'c');
const anyResult = fc.constantFrom(answered, refused, silent, {...refused, everywhere: true});
const anyHistory = fc.array(
	fc.record({
		connection: anyConnection,
		destination: fc.constantFrom('ibm:443', 'backup:443', 'elsewhere:1'),
		result: anyResult,
		pause: fc.integer({min: -20 * minute, max: 20 * minute}),
	}),
	{maxLength: 60},
);

function after(history: typeof anyHistory extends fc.Arbitrary<infer T> ? T : never) {
	const house = observed(['a', 'b', 'c'], ['ibm:443', 'backup:443']);
	let now = 100 * minute;
	for (const {connection, destination, result, pause} of history) {
		now += pause;
		house.health.order(house.paths, now);
		house.health.observe(connection, destination, result, now);
	}
	return {...house, now};
}

test('from any history the order is a permutation', t => {
	fc.assert(
		fc.property(anyHistory, history => {
			const {health, paths, now} = after(history);
			const key = (path: Path) => `${path.connection} ${path.destination}`;
			t.deepEqual(health.order(paths, now).map(key).sort(), paths.map(key).sort());
		}),
	);
	t.pass();
});

test('from any history, no path that is not disconnected is tried after one that is, but for its one try', t => {
	fc.assert(
		fc.property(anyHistory, history => {
			const {health, paths, now} = after(history);
			health.order(paths, now); // Takes the tries that are due.
			const stateOf = new Map(health.list().map(path => [`${path.connection} ${path.destination}`, path.state]));
			const states = health.order(paths, now).map(path => stateOf.get(`${path.connection} ${path.destination}`));
			const firstLost = states.indexOf('disconnected');
			t.true(firstLost === -1 || states.slice(firstLost).every(state => state === 'disconnected'));
		}),
	);
	t.pass();
});

test('from any history, three answers in a row make every path connected and bring the configured order back', t => {
	fc.assert(
		fc.property(anyHistory, history => {
			const {health, paths, now} = after(history);
			for (let round = 0; round < damping.successesToConnect; round++) {
				for (const {connection, destination} of paths) health.observe(connection, destination, answered, now);
			}
			t.true(health.list().every(({state}) => state === 'connected'));
			t.deepEqual(health.order(paths, now), paths);
		}),
	);
	t.pass();
});

test('from any history, three failures in a row make a path disconnected, and no try comes sooner than 30 s', t => {
	fc.assert(
		fc.property(anyHistory, fc.integer({min: 0, max: trialPause.firstMillis - 1}), (history, soon) => {
			const {health, paths, now} = after(history);
			for (let round = 0; round < damping.failuresToDisconnect; round++) health.observe('a', 'ibm:443', refused, now);
			for (const connection of ['b', 'c']) {
				for (let round = 0; round < damping.successesToConnect; round++) {
					health.observe(connection, 'ibm:443', answered, now);
				}
			}
			t.is(health.list()[0]?.state, 'disconnected');
			t.not(health.order(paths, now + soon)[0], paths[0]);
		}),
	);
	t.pass();
});

test('an event comes only with a change', t => {
	fc.assert(
		fc.property(anyHistory, history => {
			const {changes} = after(history);
			t.true(changes.every(change => change.split(' ')[1] !== change.split(' ')[2]));
		}),
	);
	t.pass();
});

const outcome = (status: 'deferred' | 'unreachable' | 'rejected', code: BridgeErrorCode, hop?: 'proxy'): Outcome => ({
	status,
	error: new BridgeError(code, code, {hop}),
});

test('what an outcome shows of its path: a refusal is an answer, and asking to come later is no answer', t => {
	t.deepEqual(resultOf({status: 'acknowledged', reference: 'x', answers: []}), {ok: true});
	t.deepEqual(resultOf(outcome('rejected', 'ERR_SUBMISSION_REJECTED')), {ok: true});
	t.like(resultOf(outcome('deferred', 'ERR_REPLY_TIMEOUT')), {ok: false, uncertain: true, errorType: 'ERR_REPLY_TIMEOUT'});
	t.like(resultOf(outcome('unreachable', 'ERR_CONNECTION_REFUSED')), {ok: false, everywhere: false});
	t.like(resultOf(outcome('unreachable', 'ERR_CONNECTION_REFUSED', 'proxy')), {ok: false, everywhere: true});
	t.like(resultOf({status: 'deferred', error: new TypeError('a bug')}), {errorType: 'TypeError'});
});

for (const [status, code] of [
	['deferred', 'ERR_NOT_READY'],
	['rejected', 'ERR_MALFORMED'],
	['deferred', 'ERR_STORE_FULL'],
] as const) {
	test(`what failed here with ${code} says nothing about a connection`, t => t.is(resultOf(outcome(status, code)), undefined));
}

for (const code of ['ERR_PROXY_AUTHENTICATION', 'ERR_PROXY_BUSY', 'ERR_NOT_CONFIGURED', 'ERR_PAC'] as const) {
	test(`${code} is the connection's own`, t => t.true(isConnectionsOwn(new BridgeError(code, code))));
}

for (const code of ['ERR_CONNECTION_REFUSED', 'ERR_PROXY_REFUSED', 'ERR_NAME_NOT_FOUND', 'ERR_TLS'] as const) {
	test(`${code} is not, unless the error says that the proxy is at fault`, t => {
		t.false(isConnectionsOwn(new BridgeError(code, code)));
		t.true(isConnectionsOwn(new BridgeError(code, code, {hop: 'proxy'})));
	});
}
