import type {Builder, Dataquery} from '@grafana/grafana-foundation-sdk/cog';
import common from '@grafana/grafana-foundation-sdk/common';
import dashboard, {type DynamicConfigValue, type Panel, type ValueMapping} from '@grafana/grafana-foundation-sdk/dashboard';
import logs from '@grafana/grafana-foundation-sdk/logs';
import loki from '@grafana/grafana-foundation-sdk/loki';
import prometheus from '@grafana/grafana-foundation-sdk/prometheus';
import stat from '@grafana/grafana-foundation-sdk/stat';
import stateTimeline from '@grafana/grafana-foundation-sdk/statetimeline';
import statusHistory from '@grafana/grafana-foundation-sdk/statushistory';
import table from '@grafana/grafana-foundation-sdk/table';
import timeseries from '@grafana/grafana-foundation-sdk/timeseries';

export type Query = {
	/** PromQL, or LogQL on a board of logs. */
	readonly expr: string;
	/** Such as `{{instance}}`; in a table the name of the column. */
	readonly legend: string;
};

/** A limit from which a color holds; the first one has none. */
export type Step = readonly [from: number | null, color: string];

/** What a value means, in words. */
export type Words = Readonly<Record<number, readonly [text: string, color: string]>>;

export type PanelSpec = {
	readonly kind: 'lines' | 'stacked' | 'stat' | 'timeline' | 'grid' | 'table' | 'logs';
	readonly title: string;
	readonly description: string;
	/** Of 24. */
	readonly width: number;
	readonly height?: number;
	/** An id of Grafana's units. */
	readonly unit?: string;
	readonly queries: readonly Query[];
	readonly steps?: readonly Step[];
	readonly words?: Words;
	readonly min?: number;
	readonly max?: number;
	/** The shortest step of a query, such as `30m`. */
	readonly interval?: string;
	/** In a table: label or column by the name that is shown; what is not named is left out. */
	readonly columns?: Readonly<Record<string, string>>;
	/** In a table: the unit, the limits and the words of a column. */
	readonly cells?: Readonly<Record<string, {readonly unit?: string; readonly steps?: readonly Step[]; readonly words?: Words}>>;
	/** In a table: the column by which it is sorted, the highest on top. */
	readonly sortBy?: string;
	/** Or the lowest, where that is the worst. */
	readonly lowestFirst?: boolean;
	/** In a table: where a click on a cell of this column leads. */
	readonly links?: Readonly<Record<string, {readonly title: string; readonly url: string}>>;
};

export const datasource = (type: 'prometheus' | 'loki') => ({type, uid: '$datasource'});

const mappingsOf = (words: Words): ValueMapping[] => [
	{
		type: 'value' as dashboard.MappingType.ValueToText,
		options: Object.fromEntries(Object.entries(words).map(([value, [text, color]], index) => [value, {text, color, index}])),
	},
];

const thresholdsOf = (steps: readonly Step[]) =>
	new dashboard.ThresholdsConfigBuilder()
		.mode(dashboard.ThresholdsMode.Absolute)
		.steps(steps.map(([value, color]) => ({value, color})));

const refIdOf = (index: number) => String.fromCharCode(65 + index);

function targetOf({expr, legend}: Query, index: number, kind: PanelSpec['kind']): Builder<Dataquery> {
	if (kind === 'logs') return new loki.DataqueryBuilder().refId(refIdOf(index)).expr(expr).legendFormat(legend);
	const query = new prometheus.DataqueryBuilder()
		.datasource(datasource('prometheus'))
		.refId(refIdOf(index))
		.expr(expr)
		.legendFormat(legend);
	if (kind === 'table') return query.instant().format(prometheus.PromQueryFormat.Table);
	return kind === 'stat' ? query.instant() : query.range();
}

/** Each kind with what only it has. */
const builders = {
	lines: () => new timeseries.PanelBuilder().fillOpacity(8).lineWidth(1).showPoints(common.VisibilityMode.Auto),
	stacked: () =>
		new timeseries.PanelBuilder()
			.fillOpacity(30)
			.lineWidth(1)
			.stacking(new common.StackingConfigBuilder().mode(common.StackingMode.Normal).group('A')),
	stat: () =>
		new stat.PanelBuilder()
			.graphMode(common.BigValueGraphMode.None)
			.colorMode(common.BigValueColorMode.Background)
			.reduceOptions(new common.ReduceDataOptionsBuilder().calcs(['lastNotNull'])),
	timeline: () => new stateTimeline.PanelBuilder().mergeValues(true).showValue(common.VisibilityMode.Auto).rowHeight(0.8),
	grid: () => new statusHistory.PanelBuilder().showValue(common.VisibilityMode.Never).rowHeight(0.8),
	table: () => new table.PanelBuilder().filterable(true),
	logs: () => new logs.PanelBuilder().showTime(true).wrapLogMessage(true).sortOrder(common.LogsSortOrder.Descending),
};

export function panelOf(spec: PanelSpec): Builder<Panel> {
	const {kind, steps, words, unit, min, max, interval} = spec;
	const panel = builders[kind]()
		.title(spec.title)
		.description(spec.description)
		.datasource(datasource(kind === 'logs' ? 'loki' : 'prometheus'))
		.span(spec.width)
		.height(spec.height ?? 8)
		.targets(spec.queries.map((query, index) => targetOf(query, index, kind)));
	if (unit !== undefined) panel.unit(unit);
	if (min !== undefined) panel.min(min);
	if (max !== undefined) panel.max(max);
	if (interval !== undefined) panel.interval(interval);
	if (words) panel.mappings(mappingsOf(words));
	if (steps) {
		panel.thresholds(thresholdsOf(steps));
		if (kind !== 'lines' && kind !== 'stacked')
			panel.colorScheme(new dashboard.FieldColorBuilder().mode(dashboard.FieldColorModeId.Thresholds));
	}
	if (kind === 'table') asTable(panel as InstanceType<typeof table.PanelBuilder>, spec);
	return panel;
}

/** One row for all queries that have the same labels, and only the columns that are named, in their order. */
function asTable(panel: InstanceType<typeof table.PanelBuilder>, spec: PanelSpec): void {
	const {columns = {}, cells = {}, sortBy, lowestFirst = false, links = {}, queries} = spec;
	const valueName = (index: number) => (queries.length === 1 ? 'Value' : `Value #${refIdOf(index)}`);
	const shown = {...columns, ...Object.fromEntries(queries.map(({legend}, index) => [valueName(index), legend]))};
	if (queries.length > 1) panel.withTransformation({id: 'merge', options: {}});
	panel.withTransformation({id: 'filterFieldsByName', options: {include: {names: Object.keys(shown)}}});
	const indexByName = Object.fromEntries(Object.keys(shown).map((name, index) => [name, index]));
	panel.withTransformation({id: 'organize', options: {excludeByName: {}, indexByName, renameByName: shown}});
	for (const name of new Set([...Object.keys(cells), ...Object.keys(links)])) {
		panel.overrideByName(name, [...cellProperties(cells[name]), ...linkProperties(links[name])]);
	}
	if (sortBy !== undefined) panel.sortBy([new common.TableSortByFieldStateBuilder().displayName(sortBy).desc(!lowestFirst)]);
}

function cellProperties(cell: NonNullable<PanelSpec['cells']>[string] | undefined): DynamicConfigValue[] {
	if (!cell) return [];
	const {unit, steps, words} = cell;
	return [
		...(unit === undefined ? [] : [{id: 'unit', value: unit}]),
		...(words === undefined ? [] : [{id: 'mappings', value: mappingsOf(words)}]),
		...(steps === undefined
			? []
			: [{id: 'thresholds', value: {mode: 'absolute', steps: steps.map(([value, color]) => ({value, color}))}}]),
		...(steps || words ? [{id: 'custom.cellOptions', value: {type: 'color-background', mode: 'basic'}}] : []),
	];
}

const linkProperties = (link: {readonly title: string; readonly url: string} | undefined): DynamicConfigValue[] =>
	link ? [{id: 'links', value: [{...link, targetBlank: false}]}] : [];
