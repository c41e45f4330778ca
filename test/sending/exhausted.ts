import test from 'ava';
import {BridgeError} from '../../src/errors.ts';
import type {Outcome} from '../../src/outcome.ts';
import {createConnectionHealth} from '../../src/sending/connection-health.ts';
import {createExhaustionWatch, type Exhaustion, reasonsOf} from '../../src/sending/exhausted.ts';

const noWay: Outcome = {status: 'unreachable', error: new BridgeError('ERR_CONNECTION_REFUSED', 'No connection leads there.')};
const accepted: Outcome = {status: 'acknowledged', reference: 'x', answers: []};
const later: Outcome = {status: 'deferred', error: new Error('later')};
const refused = {ok: false, errorType: 'ERR_CONNECTION_REFUSED', reason: 'It refuses.'};

function watched() {
	const changes: Exhaustion[] = [];
	let clock = 0;
	const health = createConnectionHealth({
		connections: ['proxy p:1', 'direct'],
		destinations: () => ['ibm:443', 'backup:443'],
		onChange: (now, previous) => watch.changed(now, previous, clock),
	});
	const watch = createExhaustionWatch({paths: health.list, onChange: change => changes.push(change)});
	return {
		watch,
		health,
		changes,
		see(connection: string, destination: string, ok: boolean, at: number) {
			clock = at;
			health.observe(connection, destination, ok ? {ok} : refused, at);
		},
	};
}

test('a submission that finds no way begins the outage, and the next ones do not begin it again', t => {
	const {watch, changes} = watched();
	watch.settled(noWay, 10);
	watch.settled(noWay, 20);
	t.like(changes, [{exhausted: true, since: 10, at: 10}]);
	t.is(changes.length, 1);
	t.true(watch.isExhausted());
	watch.settled(accepted, 30);
	watch.settled(accepted, 40);
	t.like(changes[1], {exhausted: false, since: 10, at: 30});
	t.is(changes.length, 2);
	t.false(watch.isExhausted());
});

test('to be asked to come later is a way', t => {
	const {watch, changes} = watched();
	watch.settled(later, 1);
	t.deepEqual(changes, []);
});

test('when the last path is found disconnected the outage begins, without any submission', t => {
	const {see, changes} = watched();
	see('proxy p:1', 'ibm:443', false, 1);
	see('proxy p:1', 'backup:443', false, 2);
	see('direct', 'ibm:443', false, 3);
	t.deepEqual(changes, [], 'one path is not known yet');
	see('direct', 'backup:443', false, 4);
	t.like(changes, [{exhausted: true, since: 4}]);
	t.is(changes[0]?.paths.length, 4);
	t.regex(reasonsOf(changes[0]?.paths ?? []), /^proxy p:1 to ibm:443: It refuses\. .* direct to backup:443: It refuses\.$/);
});

test('a lucky answer does not end the outage, a second one does', t => {
	const {watch, see, changes} = watched();
	for (const connection of ['proxy p:1', 'direct']) {
		for (const destination of ['ibm:443', 'backup:443']) see(connection, destination, false, 1);
	}
	watch.settled(noWay, 1);
	see('direct', 'ibm:443', true, 2);
	watch.settled(accepted, 2);
	see('direct', 'ibm:443', false, 3);
	t.is(changes.length, 1);
	see('direct', 'ibm:443', true, 4);
	see('direct', 'ibm:443', true, 5);
	t.like(changes[1], {exhausted: false, since: 1, at: 5});
});

test('a path that is not known yet is said so', t => {
	const {health} = watched();
	t.regex(reasonsOf(health.list()), /direct to ibm:443: not used yet/);
});

test('a path that is found to work again ends the outage, although nothing was sent since', t => {
	const {watch, see, changes} = watched();
	see('proxy p:1', 'ibm:443', true, 1);
	see('proxy p:1', 'ibm:443', false, 2);
	watch.settled(noWay, 3);
	t.true(watch.isExhausted());
	see('direct', 'ibm:443', false, 4);
	see('proxy p:1', 'ibm:443', true, 5);
	see('proxy p:1', 'ibm:443', true, 6);
	t.true(watch.isExhausted(), 'it is in doubt still');
	see('proxy p:1', 'ibm:443', true, 7);
	t.like(changes[1], {exhausted: false, since: 3, at: 7});
});
