import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {text} from 'node:stream/consumers';

export type ParsedSample = {readonly name: string; readonly labels: Readonly<Record<string, string>>; readonly value: number};
export type ParsedFamily = {
	readonly name: string;
	readonly type: string;
	readonly help: string;
	readonly samples: ParsedSample[];
};

const metricName = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const labelName = '[a-zA-Z_][a-zA-Z0-9_]*';
const helpLine = new RegExp(`^# HELP (${metricName}) ((?:[^\\\\]|\\\\[\\\\n])*)$`);
const typeLine = new RegExp(`^# TYPE (${metricName}) (counter|gauge|histogram)$`);
const sampleLine = new RegExp(`^(${metricName})(?:\\{(.*)\\})? (\\S+)$`, 's');
const labelPair = new RegExp(`(${labelName})="((?:[^"\\\\]|\\\\["\\\\n])*)"(?:,|$)`, 'gy');
const number = /^(?:NaN|[+-]Inf|-?\d+(?:\.\d+)?(?:e[+-]\d{2,3})?)$/;

/**
Reads a page of Prometheus' text format, and throws at the first thing that Prometheus or promtool would not take: a line out of
place, a name, label, escape or number that is none, a series twice, buckets that shrink.
*/
export function parsePrometheusText(page: string): ParsedFamily[] {
	if (page === '') return [];
	if (!page.endsWith('\n')) throw new Error('the last line does not end');
	const families: ParsedFamily[] = [];
	const lines = page.slice(0, -1).split('\n');
	for (let index = 0; index < lines.length; ) {
		const [, name = '', help = ''] = matched(helpLine, lines[index++]);
		const [, typed, type = ''] = matched(typeLine, lines[index++]);
		if (typed !== name) throw new Error(`# TYPE ${typed} follows # HELP ${name}`);
		const samples: ParsedSample[] = [];
		while (index < lines.length && !lines[index]?.startsWith('# ')) samples.push(parseSample(lines[index++]));
		families.push({name, type, help: unescaped(help), samples});
	}
	checkNames(families);
	for (const family of families) checkSamples(family);
	return families;
}

function matched(pattern: RegExp, line = ''): RegExpExecArray {
	const match = pattern.exec(line);
	if (!match) throw new Error(`not of the format: ${JSON.stringify(line)}`);
	return match;
}

function parseSample(line = ''): ParsedSample {
	const [, name = '', pairs = '', value = ''] = matched(sampleLine, line);
	if (!number.test(value)) throw new Error(`not a number: ${line}`);
	const labels: Record<string, string> = {};
	let end = 0;
	for (const [pair, label = '', text = ''] of pairs.matchAll(labelPair)) {
		if (Object.hasOwn(labels, label)) throw new Error(`the label ${label} twice: ${line}`);
		labels[label] = unescaped(text);
		end += pair.length;
	}
	if (end !== pairs.length) throw new Error(`labels not of the format: ${line}`);
	return {name, labels, value: Number(value.replace('Inf', 'Infinity'))};
}

const unescaped = (text: string) => text.replace(/\\(.)/g, (_, character) => (character === 'n' ? '\n' : character));

function checkNames(families: readonly ParsedFamily[]): void {
	const taken = families.flatMap(({name, type}) =>
		(type === 'histogram' ? ['', '_bucket', '_sum', '_count'] : ['']).map(suffix => name + suffix),
	);
	const twice = taken.find((name, index) => taken.indexOf(name) !== index);
	if (twice) throw new Error(`the name ${twice} twice`);
}

function checkSamples({name, type, samples}: ParsedFamily): void {
	if (samples.length === 0) throw new Error(`${name} has no sample`);
	const names = type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];
	const seen = new Set<string>();
	for (const sample of samples) {
		if (!names.includes(sample.name)) throw new Error(`${sample.name} among the samples of ${name}`);
		const series = JSON.stringify([sample.name, Object.entries(sample.labels).sort()]);
		if (seen.has(series)) throw new Error(`twice: ${series}`);
		seen.add(series);
	}
	if (type === 'histogram') checkBuckets(name, samples);
}

function checkBuckets(name: string, samples: readonly ParsedSample[]): void {
	const bySeries = Map.groupBy(samples, ({labels}) => JSON.stringify(Object.entries(labels).filter(([label]) => label !== 'le')));
	for (const [series, own] of bySeries) {
		const buckets = own.filter(sample => sample.name === `${name}_bucket`).map(({value}) => value);
		const count = own.find(sample => sample.name === `${name}_count`)?.value;
		if (buckets.some((value, index) => value < (buckets[index - 1] ?? 0)))
			throw new Error(`${name}: buckets shrink in ${series}`);
		if (buckets.at(-1) !== count) throw new Error(`${name}: the last bucket is not the count in ${series}`);
	}
}

/** What `promtool check metrics` finds wrong with the page; empty when it finds nothing. */
export async function checkWithPromtool(promtool: string, page: string): Promise<string> {
	const child = spawn(promtool, ['check', 'metrics'], {stdio: ['pipe', 'ignore', 'pipe']});
	child.stdin.end(page);
	const [problems] = await Promise.all([text(child.stderr), once(child, 'close')]);
	return problems;
}
