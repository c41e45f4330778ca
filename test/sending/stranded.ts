import test from 'ava';
import {BridgeError} from '../../src/errors.ts';
import type {Outcome} from '../../src/outcome.ts';
import {createStranded} from '../../src/sending/stranded.ts';

const noWay: Outcome = {status: 'unreachable', error: new BridgeError('ERR_CONNECTION_REFUSED', 'No connection leads there.')};
const later: Outcome = {status: 'deferred', error: new Error('later')};
const accepted: Outcome = {status: 'acknowledged', reference: 'x', answers: []};

test('what found no way is stranded, until it is taken or gets an answer', t => {
	const {settled, take} = createStranded();
	for (const id of ['a', 'b', 'c', 'd']) settled(id, noWay);
	settled('a', noWay);
	settled('b', later);
	settled('c', accepted);
	t.deepEqual(take(), ['a', 'd']);
	t.deepEqual(take(), []);
});

test('what IBM asked to bring later is not stranded', t => {
	const {settled, take} = createStranded();
	settled('a', later);
	t.deepEqual(take(), []);
});

test('not more are known than memory allows', t => {
	const {settled, take} = createStranded();
	for (let index = 0; index < 10_100; index++) settled(String(index), noWay);
	t.is(take().length, 10_000);
});
