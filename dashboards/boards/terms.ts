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
	/** By how much a histogram has grown in a range, its birth included. */
	readonly grown: (range: string, series: string, matchers?: string) => string;
};

export type ProcessMetric = 'memory' | 'cpu' | 'uptime' | 'fileDescriptors' | 'delayP99' | 'delayMax' | 'utilization';

export function createBoardTerms(naming: Naming, process: BoardTerms['process']): BoardTerms {
	const terms = createTerms(naming);
	const of = (series: string, matchers = '') =>
		`${series}{job=~"$job", ${siteLabel}=~"$site", instance=~"$instance"${matchers === '' ? '' : `, ${matchers}`}}`;
	const {hostName} = terms.label;
	const ofSystem = (series: string, matchers = '') =>
		of(series, `${hostName}=~"$system"${matchers === '' ? '' : `, ${matchers}`}`);
	return {
		...terms,
		process,
		of,
		ofSystem,
		ofPicked: (series, matchers = '') =>
			ofSystem(series, `${hostName}=~"$picked|${unpickable}"${matchers === '' ? '' : `, ${matchers}`}`),
		rate: (series, matchers) => `rate(${of(series, matchers)}[$__rate_interval])`,
		grown: (range, series, matchers) => grownOf(range, of(series, matchers)),
	};
}

/**
A histogram is there from its first value on, and no rate sees that one: of faults that are rare it is the only one. What was
not there before the range counts as a whole.
*/
const grownOf = (range: string, series: string) =>
	`((${series} unless ${series} offset ${range}) or increase(${series}[${range}]))`;

/**
Grafana does not escape a quotation mark in the value of a variable, so names with one are never picked out: they are shown
at all times, as is what has no name. In `(?s:)` a dot is a line break, too.
*/
const unpickable = '(?s:.*[\\"\\\\\\\\\\\\n].*)?';

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
	`/d/${uid}?\${__url_time_range}&\${datasource:queryparam}&\${job:queryparam}&\${site:queryparam}&\${instance:queryparam}&var-system=\${__data.fields["${field}"]}`;
