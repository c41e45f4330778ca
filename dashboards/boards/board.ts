import dashboard, {type Dashboard} from '@grafana/grafana-foundation-sdk/dashboard';
import {siteLabel} from '../alert-rules/terms.ts';
import {datasource, type PanelSpec, panelOf} from './panel.ts';
import {type BoardTerms, isChosen} from './terms.ts';

export type Row = {readonly title: string; readonly panels: readonly PanelSpec[]};
export type Board = {
	readonly uid: string;
	readonly title: string;
	readonly description: string;
	/** From now back, such as `24h`. */
	readonly span: string;
	readonly source: 'prometheus' | 'loki';
	/** Beside the data source, the job and the instance: the query whose values it takes. */
	readonly system?: string;
	/** The systems that are shown over time, as a query for a moment: whatever the size of the fleet, a panel of months asks for few. */
	readonly picked?: string;
	readonly rows: readonly Row[];
};

/** Every board is found by it, and links to all others. */
const tag = 'callhome';

/** A dashboard in the classic model, which Grafana 10 to 13 takes from a file. */
export function dashboardOf(board: Board, terms: BoardTerms): Dashboard {
	const built = new dashboard.DashboardBuilder(board.title)
		.uid(board.uid)
		.description(board.description)
		.tags([tag])
		.readonly()
		.refresh('1m')
		.time({from: `now-${board.span}`, to: 'now'})
		.timezone('browser')
		.tooltip(dashboard.DashboardCursorSync.Crosshair)
		.link(linksToAll())
		.variables(variablesOf(board, terms));
	if (board.source === 'prometheus') for (const annotation of annotationsOf(terms)) built.annotation(annotation);
	for (const {title, panels} of board.rows) {
		built.withRow(new dashboard.RowBuilder(title));
		for (const panel of panels) built.withPanel(panelOf(panel));
	}
	return withoutChance(built.build());
}

/** The time range and the variables go along. */
const linksToAll = () =>
	new dashboard.DashboardLinkBuilder('Call home')
		.type(dashboard.DashboardLinkType.Dashboards)
		.tags([tag])
		.keepTime(true)
		.includeVars(true);

/** Ids in the order of the panels, so that the same code makes the same file. */
function withoutChance(made: Dashboard): Dashboard {
	for (const [index, panel] of (made.panels ?? []).entries()) panel.id = index + 1;
	return JSON.parse(JSON.stringify(made)) as Dashboard;
}

const allOf = (name: string, query: string, source: Board['source']) =>
	new dashboard.QueryVariableBuilder(name)
		.datasource(datasource(source))
		.query(query)
		.multi(true)
		.includeAll(true)
		.current({selected: true, text: ['All'], value: ['$__all']})
		.refresh(dashboard.VariableRefresh.OnTimeRangeChanged);

/** All that the query finds, and nobody chooses among them. */
const pickedOf = (query: string, terms: BoardTerms) =>
	allOf('picked', `query_result(${query})`, 'prometheus').regex(pickedName(terms)).hide(dashboard.VariableHide.HideVariable);

/** What Grafana makes of each result is `{host_name="db01"} 1 1700000000000`, and it escapes nothing. */
const pickedName = ({label}: BoardTerms) => `/^\\{${label.hostName}="([^\`]+)"\\} \\S+ \\S+$/`;

function variablesOf({source, system, picked}: Board, terms: BoardTerms) {
	const {series} = terms;
	const listed = (name: string, query: string, allValue: string) =>
		allOf(name, query, source)
			.label(`${name[0]?.toUpperCase()}${name.slice(1)}`)
			.allValue(allValue)
			.sort(dashboard.VariableSort.AlphabeticalAsc);
	const everywhere = [new dashboard.DatasourceVariableBuilder('datasource').label('Data source').type(source)];
	if (source === 'loki')
		return [
			...everywhere,
			listed('job', 'label_values(service_name)', '.+'),
			listed('instance', 'label_values({service_name=~"$job"}, service_instance_id)', '.+'),
		];
	const known = series.heartbeatInterval;
	return [
		...everywhere,
		listed('job', `label_values(${known}, job)`, '.+'),
		listed('site', `label_values(${known}{job=~"$job"}, ${siteLabel})`, '.*'),
		listed('instance', `label_values(${known}{job=~"$job", ${isChosen(siteLabel, 'site')}}, instance)`, '.+'),
		...(system === undefined ? [] : [listed('system', system, '(?s:.*)')]),
		...(picked === undefined ? [] : [pickedOf(picked, terms)]),
	];
}

function annotationsOf({series, label, of}: BoardTerms) {
	const marked = (name: string, color: string, expr: string, title: string) =>
		new dashboard.AnnotationQueryBuilder()
			.name(name)
			.datasource(datasource('prometheus'))
			.enable(true)
			.iconColor(color)
			.expr(expr)
			.step('60s')
			.titleFormat(title);
	const lost = of(series.connectionStatus, `${label.connectionState}="disconnected"`);
	return [
		marked('Alerts', 'red', `${of('ALERTS', 'alertname=~"CallHome.+", alertstate="firing"')}`, '{{alertname}} {{instance}}'),
		marked(
			'Changes of connections',
			'orange',
			`changes(${lost}[$__rate_interval]) > 0`,
			`{{${label.connection}}} {{${label.destination}}} {{instance}}`,
		),
	];
}
