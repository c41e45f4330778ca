import test from 'ava';
import fc from 'fast-check';
import type {HardwareEvent} from '../../src/event.ts';
import {newsOf, type Recent, remember} from '../../src/processors/levels.ts';
import {countOf, eventOf, levelOf} from '../helpers/decisions.ts';

/** Which of the points are news, each in a request of its own or all in one. */
function newsIn(points: readonly number[], make: (value: number) => ReturnType<typeof eventOf>, together: boolean) {
	const known = new Map<string, number>();
	const requests = together ? [points.map(make)] : points.map(point => [make(point)]);
	return requests.flatMap(events => {
		const {areNews, changed} = newsOf(events, known);
		remember(known, changed);
		return areNews;
	});
}

const states: [points: number[], news: number[]][] = [
	[
		[1, 1, 0, 1],
		[1, 0, 1, 1],
	],
	[
		[0, 0, 1],
		[0, 0, 1],
	],
	[
		[1, 0, 0],
		[1, 1, 0],
	],
];
const counts: [points: number[], news: number[]][] = [
	[
		[5, 5, 6, 9],
		[0, 0, 1, 1],
	],
	[
		[0, 1],
		[0, 1],
	],
	[
		[7, 0, 1],
		[0, 0, 1],
	],
	[
		[7, 2],
		[0, 1],
	],
];

for (const together of [false, true]) {
	const how = together ? 'in one request' : 'one by one';
	for (const [points, news] of states) {
		test(`a state at ${points} ${how} is news at ${news}`, t => {
			t.deepEqual(newsIn(points, value => levelOf('d', 'failed', value), together).map(Number), news);
		});
	}
	for (const [points, news] of counts) {
		test(`a count at ${points} ${how} is news at ${news}`, t => {
			t.deepEqual(newsIn(points, value => countOf('d', 'uncorrected', value), together).map(Number), news);
		});
	}
}

test('how points are spread over requests does not change what is news', t => {
	fc.assert(
		fc.property(fc.array(fc.nat({max: 3}), {maxLength: 12}), fc.boolean(), (points, isState) => {
			const make = (value: number) => (isState ? levelOf('d', 'failed', value) : countOf('d', 'crc', value));
			t.deepEqual(newsIn(points, make, true), newsIn(points, make, false));
		}),
	);
});

test('an increase is news when there is one, and an occurrence always', t => {
	const increase = (value: number) => eventOf({measurement: {metric: 'hw.errors', series: 's', value, kind: 'increase'}});
	const events = [increase(0), increase(2), increase(2), eventOf()];
	const {areNews, changed} = newsOf(events, new Map());
	t.deepEqual(areNews, [false, true, true, true]);
	t.is(changed.size, 0);
});

test('series that never were in the state are not remembered', t => {
	t.is(newsOf([levelOf('d', 'failed', 0)], new Map()).changed.size, 0);
});

test('N of M: a state that flaps is no news, one that stays is, both ways', t => {
	const recent: Recent = new Map();
	const known = new Map<string, number>();
	const say = (value: number) => {
		const event = levelOf('t1', 'failed', value);
		const confirmed = {...event, measurement: {...event.measurement, confirm: {count: 3, of: 5}}} as HardwareEvent;
		const {areNews, changed} = newsOf([confirmed], known, recent);
		remember(known, changed);
		return areNews[0];
	};
	t.deepEqual([1, 0, 1, 0, 0].map(say), [false, false, false, false, false]);
	t.deepEqual([1, 1, 0, 1, 1].map(say), [false, true, false, false, false]);
	t.deepEqual([0, 0, 0].map(say), [false, true, false]);
});
