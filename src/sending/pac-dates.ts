/**
dateRange, timeRange and weekdayRange of Netscape's specification, as browsers read them: bounds are included, a range may go
over the end of the week, the day or the year, and "GMT" as the last parameter takes the time of Greenwich.
*/
type Parameters = readonly unknown[];

const weekdays = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
const months = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];

export function pacDates(now: () => Date = () => new Date()) {
	return {
		dateRange: (...parameters: Parameters) => dateRange(momentOf(parameters, now()), given(parameters)),
		timeRange: (...parameters: Parameters) => timeRange(momentOf(parameters, now()), given(parameters)),
		weekdayRange: (...parameters: Parameters) => weekdayRange(momentOf(parameters, now()), given(parameters)),
	};
}

type Moment = ReturnType<typeof momentOf>;

function momentOf(parameters: Parameters, date: Date) {
	if (isGmt(parameters.at(-1))) {
		const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
		const [hour, minute, second] = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()];
		return {year, month, day, weekday: date.getUTCDay(), hour, minute, second};
	}
	const [year, month, day] = [date.getFullYear(), date.getMonth(), date.getDate()];
	const [hour, minute, second] = [date.getHours(), date.getMinutes(), date.getSeconds()];
	return {year, month, day, weekday: date.getDay(), hour, minute, second};
}

const isGmt = (parameter: unknown): boolean => String(parameter).toUpperCase() === 'GMT';
const given = (parameters: Parameters): Parameters => (isGmt(parameters.at(-1)) ? parameters.slice(0, -1) : parameters);

/** From a later to an earlier one it goes over the end. */
const isBetween = (from: number, value: number, to: number): boolean =>
	from <= to ? from <= value && value <= to : from <= value || value <= to;

function weekdayRange({weekday}: Moment, parameters: Parameters): boolean {
	const [from = -1, to = from] = parameters.map(name => weekdays.indexOf(String(name).toUpperCase()));
	return from >= 0 && to >= 0 && isBetween(from, weekday, to);
}

/** Hours, hours and minutes, or hours, minutes and seconds, each once or twice; one hour alone stands for all of it. */
function timeRange({hour, minute, second}: Moment, parameters: Parameters): boolean {
	const numbers = parameters.map(Number);
	const [from, to] = numbers.length === 1 ? [numbers, numbers] : halvesOf(numbers, 'timeRange');
	const present = [hour, minute, second].slice(0, from.length);
	const inOrder = (parts: readonly number[]) => parts.reduce((sum, part) => sum * 60 + part, 0);
	return isBetween(inOrder(from), inOrder(present), inOrder(to));
}

/** Days, months and years in any mixture, once or twice; what is not named may be any. */
function dateRange(moment: Moment, parameters: Parameters): boolean {
	const [from, to] = parameters.length === 1 ? [parameters, parameters] : halvesOf(parameters, 'dateRange');
	const [first, last] = [partsOf(from), partsOf(to)];
	const inOrder = (parts: Partial<Moment>) =>
		(['year', 'month', 'day'] as const).reduce((sum, part) => sum * 32 + (first[part] === undefined ? 0 : (parts[part] ?? 0)), 0);
	if (first.year !== undefined && inOrder(first) > inOrder(last)) return false; // No year comes after the last one.
	return isBetween(inOrder(first), inOrder(moment), inOrder(last));
}

function partsOf(parameters: Parameters): Partial<Moment> {
	const parts: {year?: number; month?: number; day?: number} = {};
	for (const parameter of parameters) {
		const number = Number(parameter);
		const month = months.indexOf(String(parameter).toUpperCase());
		if (month >= 0) parts.month = month;
		else if (number >= 1 && number <= 31) parts.day = number;
		else if (number > 31) parts.year = number;
		else throw new TypeError(`dateRange: ${String(parameter)} is no day, month or year`);
	}
	return parts;
}

function halvesOf<Part>(parameters: readonly Part[], name: string): readonly [readonly Part[], readonly Part[]] {
	const middle = parameters.length / 2;
	if (Number.isInteger(middle) && middle >= 1 && middle <= 3) return [parameters.slice(0, middle), parameters.slice(middle)];
	throw new TypeError(`${name}: takes 1, 2, 4 or 6 parameters and GMT`);
}
