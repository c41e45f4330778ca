import test from 'ava';
import fc from 'fast-check';
import type {Outcome} from '../../src/outcome.ts';
import {pauseAfter, retrySchema} from '../../src/sending/retry.ts';

const policy = retrySchema.parse({});
const middle = () => 0.5;
const error = new Error('no way');
const unreachable: Outcome = {status: 'unreachable', error};
const deferred = (retryAfterMillis?: number): Outcome => ({
	status: 'deferred',
	error,
	...(retryAfterMillis === undefined ? {} : {retryAfterMillis}),
});

test('the pause doubles from 30 seconds to 30 minutes, and stays there', t => {
	const pauses = [1, 2, 3, 6, 7, 8, 100, 5000].map(attempts => pauseAfter(attempts, unreachable, policy, middle) / 1000);
	t.deepEqual(pauses, [30, 60, 120, 960, 1800, 1800, 1800, 1800]);
});

test('the jitter is a fifth to either side', t => {
	t.is(
		pauseAfter(1, unreachable, policy, () => 0),
		24_000,
	);
	t.is(
		pauseAfter(1, unreachable, policy, () => 1),
		36_000,
	);
});

test('never sooner than asked, and at most a day for the asking', t => {
	t.is(pauseAfter(1, deferred(90_000), policy, middle), 90_000);
	t.is(pauseAfter(8, deferred(90_000), policy, middle), 1_800_000);
	t.is(pauseAfter(1, deferred(10 * 365 * 86_400_000), policy, middle), 86_400_000);
});

test('a pause is a whole number of milliseconds that the queue can keep, whatever the policy', t => {
	const policies = fc.record({
		initial_interval: fc.integer({min: 1, max: 86_400_000}).map(millis => `${millis}ms`),
		max_interval: fc.integer({min: 1, max: 86_400_000}).map(millis => `${millis}ms`),
		multiplier: fc.double({min: 1, max: 10, noNaN: true}),
		randomization_factor: fc.double({min: 0, max: 1, noNaN: true}),
	});
	const attempts = fc.integer({min: 1, max: 100_000});
	fc.assert(
		fc.property(policies, attempts, fc.double({min: 0, max: 1, noNaN: true}), (settings, count, random) => {
			const pause = pauseAfter(count, unreachable, retrySchema.parse(settings), () => random);
			return Number.isSafeInteger(pause) && pause >= 1 && pause <= 2 * 86_400_000;
		}),
	);
	t.pass();
});

test('an interval of nothing, which would hammer, and one beyond a day are refused', t => {
	for (const initial_interval of ['0s', '25h']) t.false(retrySchema.safeParse({initial_interval}).success);
	t.true(retrySchema.safeParse({initial_interval: '10ms', max_interval: '24h'}).success);
});
