import test from 'ava';
import {BridgeError, type BridgeErrorCode} from '../../src/errors.ts';
import type {Outcome} from '../../src/outcome.ts';
import {createConnectionHealth} from '../../src/sending/connection-health.ts';

const acknowledged: Outcome = {status: 'acknowledged', reference: 'x', answers: []};
const outcome = (status: 'deferred' | 'unreachable' | 'rejected', code: BridgeErrorCode): Outcome => ({
	status,
	error: new BridgeError(code, code),
});

function observed() {
	const changes: string[] = [];
	const health = createConnectionHealth(['direct', 'proxy p:1'], 'ibm:443', ({connection, state}) =>
		changes.push(`${connection} ${state}`),
	);
	return {health, changes, state: () => health.list().map(({state, lastSuccessAt}) => `${state} ${lastSuccessAt}`)};
}

test('a connection is unknown until it was used, and each is told apart', t => {
	const {health, changes, state} = observed();
	t.deepEqual(state(), ['unknown undefined', 'unknown undefined']);
	health.observe('proxy p:1', acknowledged, 5);
	t.deepEqual(state(), ['unknown undefined', 'connected 5']);
	t.deepEqual(changes, ['proxy p:1 connected']);
});

test('a refusal is an answer: connected; no answer is degraded; no way is disconnected, and the last answer stays known', t => {
	const {health, changes, state} = observed();
	health.observe('direct', outcome('rejected', 'ERR_SUBMISSION_REJECTED'), 1);
	health.observe('direct', acknowledged, 2);
	health.observe('direct', outcome('deferred', 'ERR_REPLY_TIMEOUT'), 3);
	t.is(state()[0], 'degraded 2');
	health.observe('direct', outcome('unreachable', 'ERR_CONNECTION_REFUSED'), 4);
	t.is(state()[0], 'disconnected 2');
	t.deepEqual(changes, ['direct connected', 'direct degraded', 'direct disconnected']);
});

for (const [status, code] of [
	['deferred', 'ERR_NOT_READY'],
	['rejected', 'ERR_MALFORMED'],
	['deferred', 'ERR_STORE_FULL'],
] as const) {
	test(`what failed here with ${code} says nothing about a connection`, t => {
		const {health, changes, state} = observed();
		health.observe('direct', outcome(status, code), 1);
		t.is(state()[0], 'unknown undefined');
		t.deepEqual(changes, []);
	});
}
