import test from 'ava';
import fc from 'fast-check';
import {pacDates} from '../../src/sending/pac-dates.ts';

/** A Tuesday. */
const evening = [2026, 10, 24, 18, 48, 30] as const;
type Functions = ReturnType<typeof pacDates>;

const cases: [name: keyof Functions, holds: unknown[][], fails: unknown[][]][] = [
	[
		'weekdayRange',
		[['TUE'], ['tue'], ['MON', 'FRI'], ['TUE', 'TUE'], ['FRI', 'TUE'], ['TUE', 'MON'], ['SUN', 'SAT']],
		[['MON'], ['WED', 'MON'], ['SAT', 'MON'], ['WED', 'SAT'], ['DAY'], ['MON', 'DAY'], []],
	],
	[
		'timeRange',
		[
			[18],
			[9, 18],
			[18, 20],
			[22, 19],
			[0, 23],
			[18, 48, 18, 48],
			[18, 0, 19, 0],
			[23, 0, 18, 48],
			[0, 0, 0, 23, 59, 59],
			[18, 48, 30, 18, 48, 30],
		],
		[[17], [19, 20], [19, 17], [18, 49, 20, 0], [9, 0, 18, 47], [18, 48, 31, 23, 0, 0], [0, 0, 0, 18, 48, 29]],
	],
	[
		'dateRange',
		[
			[24],
			['NOV'],
			[2026],
			[20, 25],
			[24, 3],
			['OCT', 'NOV'],
			['OCT', 'MAR'],
			[2020, 2026],
			[1, 'JUN', 24, 'NOV'],
			[24, 'NOV', 3, 'JAN'],
			['OCT', 2026, 'MAR', 2027],
			[24, 'NOV', 2026, 24, 'NOV', 2026],
			['nov', 24, 2026, 'dec', 1, 2026],
		],
		[
			[25],
			['DEC'],
			[2025],
			[25, 31],
			[25, 23],
			['DEC', 'OCT'],
			[2027, 2030],
			[2030, 2020],
			[1, 'JUN', 23, 'NOV'],
			[25, 'NOV', 23, 'NOV'],
			['DEC', 2026, 'MAR', 2027],
			[25, 'NOV', 2026, 31, 'DEC', 2030],
			[1, 'JAN', 2027, 1, 'JAN', 2020],
		],
	],
];

for (const [name, holds, fails] of cases) {
	test(`${name} knows a Tuesday evening in November, here and in Greenwich`, t => {
		const here = pacDates(() => new Date(...evening))[name];
		const greenwich = pacDates(() => new Date(Date.UTC(...evening)))[name];
		for (const [parameters, expected] of [
			...holds.map(one => [one, true] as const),
			...fails.map(one => [one, false] as const),
		]) {
			t.is(here(...parameters), expected, `${name}(${parameters})`);
			t.is(greenwich(...parameters, 'GMT'), expected, `${name}(${parameters}, GMT)`);
		}
	});
}

test('a wrong number of parameters, and what is no date, are said', t => {
	const {dateRange, timeRange} = pacDates();
	t.throws(() => dateRange(), {message: 'dateRange: takes 1, 2, 4 or 6 parameters and GMT'});
	t.throws(() => dateRange(1, 2, 3), {message: /takes 1, 2, 4 or 6/});
	t.throws(() => timeRange(1, 2, 3, 4, 5, 6, 7, 8), {message: /^timeRange: takes/});
	t.throws(() => dateRange('Movember'), {message: 'dateRange: Movember is no day, month or year'});
});

test('a range and the one from the day after its end to the day before its start make a whole year', t => {
	const day = fc.date({min: new Date(2001, 0, 1), max: new Date(2001, 11, 31), noInvalidDate: true});
	const months = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
	const parts = (date: Date, shift: number) => {
		const moved = new Date(date.getFullYear(), date.getMonth(), date.getDate() + shift);
		return [moved.getDate(), months[moved.getMonth()]];
	};
	const property = fc.property(day, day, day, (now, from, to) => {
		const {dateRange} = pacDates(() => now);
		const inside = dateRange(...parts(from, 0), ...parts(to, 0));
		const isWholeYear = String(parts(to, 1)) === String(parts(from, 0));
		const outside = !isWholeYear && dateRange(...parts(to, 1), ...parts(from, -1));
		t.true(inside !== outside, `${now} ${from} ${to}`);
	});
	t.notThrows(() => fc.assert(property));
});
