import {createTerms, type Naming, siteLabel, type Terms} from '../alert-rules/terms.ts';
import type {Step, Words} from './panel.ts';

/** The words of which the queries of a board are made. */
export type BoardTerms = Terms & {
	/** The process of the bridge. */
	readonly process: Readonly<Record<ProcessMetric, string>>;
	/** A series of the bridges that are chosen. */
	readonly of: (series: string, matchers?: string) => string;
	/** The same, of the systems that are chosen. */
	readonly ofSystem: (series: string, matchers?: string) => string;
	/** The same, of those few of them that the board picks out to show over time. */
	readonly ofPicked: (series: string, matchers?: string) => string;
	/** How fast a counter grows, a second. */
	readonly rate: (series: string, matchers?: string) => string;
	/** By how much a counter or a histogram has grown in a range, its first value included. */
	readonly grown: (range: Range, series: string, matchers?: string) => string;
};

/** Between two points of a graph, and a little more; and all that is shown. */
export type Range = '$__rate_interval' | '$__range';

export type ProcessMetric = 'memory' | 'cpu' | 'uptime' | 'fileDescriptors' | 'delayP99' | 'delayMax' | 'utilization';

export function createBoardTerms(naming: Naming, process: BoardTerms['process']): BoardTerms {
	const terms = createTerms(naming);
	const everywhere = `job=~"$job", ${isChosen(siteLabel, 'site')}, instance=~"$instance"`;
	const of = (series: string, matchers = '') => `${series}{${everywhere}${matchers === '' ? '' : `, ${matchers}`}}`;
	const {hostName} = terms.label;
	const ofSystem = (series: string, matchers = '') =>
		of(series, `${isChosen(hostName, 'system')}${matchers === '' ? '' : `, ${matchers}`}`);
	return {
		...terms,
		process,
		of,
		ofSystem,
		ofPicked: (series, matchers = '') =>
			ofSystem(series, `${isChosen(hostName, 'picked', unpickable)}${matchers === '' ? '' : `, ${matchers}`}`),
		rate: (series, matchers) => `rate(${of(series, matchers)}[$__rate_interval])`,
		grown: (range, series, matchers) =>
			grownOf(range, of(series, matchers), {known: of(terms.series.heartbeatInterval), uptime: of(process.uptime)}),
	};
}

/**
What is rare is there from its first value on, and no rate sees that one: of faults it may be the only one. What was not there
before the range counts as a whole, if it was the bridge that lacked it and not Prometheus: the bridge was known by then, or has
started since.
*/
const grownOf = (range: Range, series: string, {known, uptime}: {readonly known: string; readonly uptime: string}) =>
	`(((${series} unless ${series} offset ${range}) and on (job, instance) (${known} offset ${range} or min_over_time(${uptime}[${range}]) < 60)) or increase(${series}[${range}]))`;

/**
That a label has one of the values that are chosen, or matches a pattern beside them. The name of a system or a site may hold a
quotation mark. Grafana lets one through that would end a text between quotation marks; between backticks `:regex` is enough.
The job and the instance stay between quotation marks, where the linter of dashboards wants them. Source: grafana/grafana#40634.
*/
export const isChosen = (label: string, variable: string, beside = ''): string =>
	`${label}=~\`\${${variable}:regex}${beside === '' ? '' : `|${beside}`}\``;

/** Nothing escapes a backtick, so names with one are never picked out: they are shown at all times, as is what has no name. */
const unpickable = '(?s:.*\\x60.*)?';

export const green = 'green';
export const yellow = 'yellow';
export const orange = 'orange';
export const red = 'red';
export const blue = 'blue';
export const gray = '#808080';

/** Well until the first limit, bad from the second. */
export const limits = (warn: number, bad: number): readonly Step[] => [
	[null, green],
	[warn, yellow],
	[bad, red],
];
/** Anything is bad. */
export const noneIsGood: readonly Step[] = [
	[null, green],
	[1, red],
];
export const plain: readonly Step[] = [[null, blue]];
export const yesNo: Words = {0: ['no', green], 1: ['yes', red]};

/** Where a click on a system leads: the chosen bridges and the time range go along. */
export const toBoard = (uid: string, field: string) =>
	`/d/${uid}?\${__url_time_range}&\${datasource:queryparam}&\${job:queryparam}&\${site:queryparam}&\${instance:queryparam}&var-system=\${__data.fields["${field}"]:percentencode}`;
