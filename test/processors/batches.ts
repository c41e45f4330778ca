import {setTimeout as pause} from 'node:timers/promises';
import test from 'ava';
import fc from 'fast-check';
import {BridgeError} from '../../src/errors.ts';
import {createBatches} from '../../src/processors/batches.ts';

test('requests that come while a batch is under way make the next one, and each gets its own results', async t => {
	const batches: string[][] = [];
	const join = createBatches<string, string>(async items => {
		batches.push([...items]);
		await pause(10);
		return items.map(item => item.toUpperCase());
	});
	const first = join(['a', 'b']);
	await pause(5);
	const rest = Promise.all([join(['c']), join([]), join(['d', 'e'])]);
	t.deepEqual(await first, ['A', 'B']);
	t.deepEqual(await rest, [['C'], [], ['D', 'E']]);
	t.deepEqual(batches, [
		['a', 'b'],
		['c', 'd', 'e'],
	]);
});

test('requests that come turn after turn join one batch, and a stream without end does not keep the first one waiting', async t => {
	const lengths: number[] = [];
	const join = createBatches<number, number>(async items => {
		lengths.push(items.length);
		return items;
	});
	let isAnswered = false;
	const first = join([0]).then(() => {
		isAnswered = true;
	});
	let sent = 1;
	const others: Promise<unknown>[] = [];
	while (!isAnswered && sent < 1000) {
		others.push(join([sent++]));
		await new Promise(resolve => setImmediate(resolve));
	}
	await Promise.all([first, ...others]);
	t.true((lengths[0] ?? 0) >= 32 && (lengths[0] ?? 0) <= 65, `the first batch had ${lengths[0]}`);
	t.is(
		lengths.reduce((sum, length) => sum + length, 0),
		sent,
	);
});

test('a request that fails by its own fault fails no other', async t => {
	const join = createBatches<number, number>(async items => {
		if (items.includes(13)) throw new Error('thirteen');
		return items.map(item => item * 2);
	});
	const [one, two, three] = await Promise.allSettled([join([1]), join([13, 2]), join([3])]);
	t.deepEqual(
		[one, three],
		[
			{status: 'fulfilled', value: [2]},
			{status: 'fulfilled', value: [6]},
		],
	);
	t.like(two, {status: 'rejected'});
	t.deepEqual(await join([4]), [8], 'and it goes on');
});

test('a full disk is full for all of a batch, and is not tried once for each', async t => {
	let runs = 0;
	const join = createBatches<number, number>(async () => {
		runs++;
		throw new BridgeError('ERR_STORE_FULL', 'full');
	});
	const outcomes = await Promise.allSettled([join([1]), join([2]), join([3])]);
	t.true(outcomes.every(({status}) => status === 'rejected'));
	t.is(runs, 1);
});

test('batches are bounded, and never run at the same time', async t => {
	const lengths = fc.array(fc.nat({max: 3000}), {minLength: 1, maxLength: 12});
	await fc.assert(
		fc.asyncProperty(lengths, async requests => {
			let under = 0;
			const join = createBatches<number, number>(async items => {
				t.is(++under, 1);
				t.true(items.length <= 4096 + 3000);
				await pause(0);
				under--;
				return items;
			});
			const results = await Promise.all(requests.map((length, index) => join(Array<number>(length).fill(index))));
			t.deepEqual(
				results.map(items => items.length),
				requests,
			);
			t.true(results.every((items, index) => items.every(item => item === index)));
		}),
		{numRuns: 50},
	);
});
