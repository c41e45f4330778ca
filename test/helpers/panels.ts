import {readFile} from 'node:fs/promises';
import {fileURLToPath} from 'node:url';

/** What the tests read of a dashboard's file. */
export type Panel = {
	readonly id: number;
	readonly type: string;
	readonly title: string;
	readonly description?: string;
	readonly interval?: string;
	readonly datasource?: {readonly type: string; readonly uid: string};
	readonly gridPos: {readonly x: number; readonly y: number; readonly w: number; readonly h: number};
	readonly targets?: readonly Target[];
	readonly transformations?: readonly {readonly id: string; readonly options: Record<string, unknown>}[];
	readonly options?: Record<string, unknown>;
	readonly fieldConfig?: {
		readonly defaults: {
			readonly unit?: string;
			readonly mappings?: readonly {readonly options: Record<string, {text: string; color: string}>}[];
			readonly thresholds?: {readonly steps: readonly {readonly value: number | null; readonly color: string}[]};
		};
		readonly overrides: readonly {
			readonly matcher: {readonly id: string; readonly options: string};
			readonly properties: readonly {readonly id: string; readonly value: unknown}[];
		}[];
	};
};
export type Target = {
	readonly refId: string;
	readonly expr: string;
	readonly legendFormat?: string;
	readonly instant?: boolean;
};
export type Variable = {
	readonly type: string;
	readonly name: string;
	readonly label?: string;
	readonly query: string;
	/** Between slashes. */
	readonly regex?: string;
	readonly hide?: number;
	readonly multi?: boolean;
	readonly allValue?: string;
	readonly refresh?: number;
	readonly datasource?: {readonly type: string; readonly uid: string};
};
export type DashboardFile = {
	readonly uid: string;
	readonly title: string;
	readonly editable: boolean;
	readonly panels: readonly Panel[];
	readonly templating: {readonly list: readonly Variable[]};
	readonly annotations: {readonly list: readonly {readonly name: string; readonly expr: string}[]};
	readonly links: readonly {readonly keepTime: boolean; readonly includeVars: boolean; readonly tags: readonly string[]}[];
};

export const boardUids = ['connectivity', 'delivery', 'hardware', 'fleet', 'bridge', 'events'].map(name => `callhome-${name}`);

/** As it is committed. */
export const boardFile = (uid: string): string =>
	fileURLToPath(new URL(`../../dashboards/grafana/dashboards/${uid}.json`, import.meta.url));

export const readBoard = async (uid: string): Promise<DashboardFile> =>
	JSON.parse(await readFile(boardFile(uid), 'utf8')) as DashboardFile;

export type Chosen = {
	readonly interval?: string;
	/** The range that is shown. */
	readonly range?: string;
	readonly site?: string;
	readonly instance?: string;
	readonly job?: string;
	readonly system?: string;
	/** As `pickedOf` answers. */
	readonly picked?: string;
};

/** What Grafana puts in the place of the variables, when everything is chosen unless it is said otherwise. */
export const withVariables = (
	expr: string,
	{interval = '10s', range = '1h', site = '.*', instance = '.+', job = '.+', system = '(?s:.*)', picked = '(?s:.*)'}: Chosen = {},
): string =>
	Object.entries({__rate_interval: interval, __range: range, job, site, instance, system, picked}).reduce(
		(text, [name, value]) => text.replaceAll(`$${name}`, () => value).replaceAll(`\${${name}:regex}`, () => value),
		expr,
	);

/** As Grafana's format `regex` escapes each of several values of a variable. */
export const escaped = (value: string): string => value.replaceAll(/[\\^$*+?.()|[\]{}/]/g, '\\$&');

/** As it escapes each of them for PromQL without a format, as in `"$instance"`: a quotation mark it does not. */
export const escapedInText = (value: string): string =>
	value.replaceAll('\\', '\\\\\\\\').replaceAll(/[$^*{}[\]+?.()|]/g, '\\\\$&');

/** What Grafana makes of the hidden variable of a board: its query for the end of the range, each result as a text, cut by a pattern. */
export async function pickedOf(prometheus: URL, {templating}: DashboardFile, to: number, chosen: Chosen = {}): Promise<string> {
	const {query = '', regex = ''} = templating.list.find(({name}) => name === 'picked') ?? {};
	const [, expr] = /^query_result\((.+)\)$/.exec(query) ?? [];
	if (expr === undefined) return '(?s:.*)';
	const {ok, error, found} = await askTarget(prometheus, {expr, instant: true}, {from: to, to, step: 1}, chosen);
	if (!ok) throw new Error(error);
	const texts = found.map(({metric, value: [seconds, value] = [0, '']}) => {
		const labels = Object.entries(metric).map(([label, text]) => `${label}="${text}"`);
		return `{${labels.join(',')}} ${value} ${seconds * 1000}`;
	});
	const pattern = new RegExp(regex.slice(1, -1));
	return `(${texts
		.flatMap(text => pattern.exec(text)?.slice(1, 2) ?? [])
		.map(escaped)
		.join('|')})`;
}

export type Sample = readonly [seconds: number, value: string];
export type Found = {
	readonly metric: Readonly<Record<string, string>>;
	/** Of a query for a moment. */
	readonly value?: Sample;
	/** Of a query for a range. */
	readonly values?: readonly Sample[];
};
export type Asked = {readonly ok: boolean; readonly error: string; readonly found: readonly Found[]; readonly millis: number};
export type Range = {readonly from: number; readonly to: number; readonly step: number};

/** Asks Prometheus as Grafana does for one target of a panel: for the end of the range, or for all of it. Seconds. */
export async function askTarget(
	prometheus: URL,
	{expr, instant}: Pick<Target, 'expr' | 'instant'>,
	{from, to, step}: Range,
	chosen: Chosen = {},
): Promise<Asked> {
	const query = withVariables(expr, {range: `${Math.max(1, Math.ceil(to - from))}s`, ...chosen});
	const parameters: Record<string, string> = instant
		? {query, time: String(to)}
		: {query, start: String(from), end: String(to), step: String(step)};
	const url = new URL(`/api/v1/${instant ? 'query' : 'query_range'}`, prometheus);
	const began = performance.now();
	const response = await fetch(url, {method: 'POST', body: new URLSearchParams(parameters)});
	const {
		status,
		error = '',
		data,
	} = (await response.json()) as {
		status: string;
		error?: string;
		data?: {result: readonly Found[]};
	};
	return {ok: status === 'success', error, found: data?.result ?? [], millis: performance.now() - began};
}
