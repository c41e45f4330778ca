/**
Names as Prometheus has them, by the rules of the strategy UnderscoreEscapingWithSuffixes: what the Collector's Prometheus
exporter and Prometheus' own OTLP receiver make of the same metrics. Dashboards and alert rules depend on every character.
*/

/** What the rules tell apart: only a counter gets `_total`, only a gauge `_ratio`. */
export type MetricKind = 'counter' | 'gauge' | 'updowncounter' | 'histogram';

/** UCUM units that have a word of their own; any other passes as it is. */
const unitWords = new Map(
	Object.entries({
		d: 'days',
		h: 'hours',
		min: 'minutes',
		s: 'seconds',
		ms: 'milliseconds',
		us: 'microseconds',
		ns: 'nanoseconds',
		By: 'bytes',
		KiBy: 'kibibytes',
		MiBy: 'mebibytes',
		GiBy: 'gibibytes',
		TiBy: 'tibibytes',
		KBy: 'kilobytes',
		MBy: 'megabytes',
		GBy: 'gigabytes',
		TBy: 'terabytes',
		m: 'meters',
		V: 'volts',
		A: 'amperes',
		J: 'joules',
		W: 'watts',
		g: 'grams',
		Cel: 'celsius',
		Hz: 'hertz',
		'1': '',
		'%': 'percent',
	}),
);

/** After a slash `m` is a minute. */
const perUnitWords = new Map(Object.entries({s: 'second', m: 'minute', h: 'hour', d: 'day', w: 'week', mo: 'month', y: 'year'}));

const startingWithDigit = /^[0-9]/;
const withoutMeaning = /^_*$/;

/** Undefined when nothing of the name is left. */
export function metricNameOf(name: string, unit: string, kind: MetricKind): string | undefined {
	let words = name.split(/[^a-zA-Z0-9:]+/).filter(word => word !== '');
	words.push(...unitSuffixes(unit, words));
	if (kind === 'counter') words = movedToEnd(words, 'total');
	if (kind === 'gauge' && unit === '1') words = movedToEnd(words, 'ratio');
	const joined = words.join('_');
	if (withoutMeaning.test(joined)) return undefined;
	return startingWithDigit.test(joined) ? `_${joined}` : joined;
}

const movedToEnd = (words: readonly string[], word: string) => [...words.filter(other => other !== word), word];

/** `By/s` is `bytes` and `per_second`; a unit in braces, such as `{event}`, says nothing; a word already there is not repeated. */
function unitSuffixes(unit: string, words: readonly string[]): string[] {
	const [main = '', ...rest] = unit.split('/');
	const perWord = wordOf(rest.join('/'), perUnitWords);
	const per = cleaned(`per_${perWord}`).replace(/_$/, '');
	const suffixes = per === 'per' ? [] : [per];
	const mainWord = cleaned(wordOf(main, unitWords));
	if (mainWord === '' || words.includes(mainWord)) return suffixes;
	return [suffixes.length > 0 ? mainWord.replace(/_$/, '') : mainWord, ...suffixes];
}

function wordOf(unit: string, words: ReadonlyMap<string, string>): string {
	const trimmed = unit.trim();
	return /[{}]/.test(trimmed) ? '' : (words.get(trimmed) ?? trimmed);
}

const cleaned = (unit: string) =>
	unit
		.replace(/[^a-zA-Z0-9:]/gu, '_')
		.replace(/_+/g, '_')
		.replace(/^_/, '');

/** Undefined when Prometheus takes no label of that name: nothing is left of it, or it begins like its own `__name__`. */
export function labelNameOf(attribute: string): string | undefined {
	const name = attribute.replace(/[^a-zA-Z0-9]/gu, '_');
	if (withoutMeaning.test(name) || name.startsWith('__')) return undefined;
	return startingWithDigit.test(name) ? `key_${name}` : name;
}
