import {setTimeout as pause} from 'node:timers/promises';
import test from 'ava';
import {createTurns} from '../../src/processors/turns.ts';

test('those that share a key go one after the other, others at once, and a failure holds nobody up', async t => {
	const inTurn = createTurns();
	const order: string[] = [];
	const act = (name: string, millis: number) => async () => {
		order.push(`${name} begins`);
		await pause(millis);
		order.push(`${name} ends`);
		if (name === 'first') throw new Error('refused');
		return name;
	};
	const first = inTurn(['a', 'b'], act('first', 30));
	const second = inTurn(['b', 'c'], act('second', 10));
	const third = inTurn(['c'], act('third', 1));
	const apart = inTurn(['d'], act('apart', 1));
	await t.throwsAsync(first, {message: 'refused'});
	t.deepEqual(await Promise.all([second, third, apart]), ['second', 'third', 'apart']);
	const shared = order.filter(line => !line.startsWith('apart'));
	t.deepEqual(shared, ['first begins', 'first ends', 'second begins', 'second ends', 'third begins', 'third ends']);
	t.true(order.indexOf('apart ends') < order.indexOf('first ends'));
});
