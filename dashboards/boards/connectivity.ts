import type {Board} from './board.ts';
import type {PanelSpec, Words} from './panel.ts';
import {type BoardTerms, gray, green, limits, noneIsGood, orange, red, yellow} from './terms.ts';

const states: Words = {0: ['unknown', gray], 1: ['disconnected', red], 2: ['degraded', yellow], 3: ['connected', green]};

/** Is call home really working, over which path, and if not, which hop is broken. */
export const connectivity = (terms: BoardTerms): Board => ({
	uid: 'callhome-connectivity',
	title: 'Call home / Connectivity',
	description: 'Whether what the bridge sends reaches IBM, over which connections, and which stage breaks when not.',
	span: '24h',
	source: 'prometheus',
	rows: [
		{title: 'Now', panels: now(terms)},
		{title: 'Paths over time', panels: [pathStates(terms), heartbeatGrid(terms)]},
		{title: 'What breaks', panels: breaks(terms)},
		{title: 'Proxies and certificates', panels: [...proxies(terms), certificates(terms)]},
	],
});

const now = ({series, label, of}: BoardTerms): PanelSpec[] => [
	{
		kind: 'stat',
		title: 'Last heartbeat that IBM answered',
		description: 'Time since then. Red from three intervals of half an hour on.',
		width: 6,
		height: 5,
		unit: 's',
		steps: limits(3600, 5400),
		queries: [{expr: `time() - max by (job, instance) (${of(series.heartbeatLastSuccess)})`, legend: '{{instance}}'}],
	},
	{
		kind: 'stat',
		title: 'Paths exhausted',
		description: 'For how many destinations no connection leads there. Problems wait on disk meanwhile.',
		width: 6,
		height: 5,
		unit: 'none',
		steps: noneIsGood,
		queries: [{expr: `sum by (job, instance) (${of(series.connectionExhausted)})`, legend: '{{instance}}'}],
	},
	{
		kind: 'table',
		title: 'Four lights',
		description:
			'Time since each destination was reached, took something, opened a case and took an upload. Never one light for all.',
		width: 12,
		height: 5,
		queries: ['reached', 'accepted', 'case_opened', 'uploaded'].map(light => ({
			expr: `time() - max by (instance, ${label.destination}) (${of(series.destinationLastSuccess, `${label.light}="${light}"`)})`,
			legend: light.replace('_', ' '),
		})),
		columns: {[label.destination]: 'Destination', instance: 'Bridge'},
		cells: {
			reached: {unit: 's', steps: limits(3600, 5400)},
			accepted: {unit: 's', steps: limits(3600, 5400)},
			'case opened': {unit: 's'},
			uploaded: {unit: 's'},
		},
	},
];

/** All four series of a path are there at all times: each state has a number. */
function pathStates({series, label, of}: BoardTerms): PanelSpec {
	const isIn = (state: string) =>
		`max by (instance, ${label.connection}, ${label.destination}) (${of(series.connectionStatus, `${label.connectionState}="${state}"`)})`;
	return {
		kind: 'timeline',
		title: 'State of each connection to each destination',
		description: 'One row for each path. A gap: the bridge did not report.',
		width: 24,
		height: 9,
		unit: 'none',
		words: states,
		queries: [
			{
				expr: `3 * ${isIn('connected')} + 2 * ${isIn('degraded')} + ${isIn('disconnected')}`,
				legend: `{{${label.connection}}} → {{${label.destination}}} ({{instance}})`,
			},
		],
	};
}

const heartbeatGrid = ({series, of}: BoardTerms): PanelSpec => ({
	kind: 'grid',
	title: 'Heartbeats',
	description: 'Age of the last answered heartbeat in intervals, one cell for each half hour. Red: three or more were missed.',
	width: 24,
	height: 5,
	interval: '30m',
	unit: 'none',
	steps: limits(1.5, 3),
	queries: [
		{
			expr: `(time() - max by (job, instance) (${of(series.heartbeatLastSuccess)})) / max by (job, instance) (${of(series.heartbeatInterval)})`,
			legend: '{{instance}}',
		},
	],
});

const breaks = ({series, label, of, grown}: BoardTerms): PanelSpec[] => [
	{
		kind: 'stacked',
		title: 'Failures by stage and reason',
		description:
			'Stages of a way out that failed: name, connection, proxy, proxy_authentication, tls, http. Each point counts those of the interval before it.',
		width: 12,
		unit: 'none',
		queries: [
			{
				expr: `sum by (${label.stage}, ${label.errorType}) (${grown('$__rate_interval', series.connectionStageFailures)})`,
				legend: `{{${label.stage}}} {{${label.errorType}}}`,
			},
		],
	},
	{
		kind: 'table',
		title: 'Since the last answer, by path',
		description: 'Time since the destination last answered over each connection.',
		width: 12,
		queries: [
			{
				expr: `time() - max by (instance, ${label.connection}, ${label.destination}) (${of(series.connectionLastSuccess)})`,
				legend: 'Last answer',
			},
		],
		columns: {[label.connection]: 'Connection', [label.destination]: 'Destination', instance: 'Bridge'},
		cells: {'Last answer': {unit: 's', steps: limits(3600, 5400)}},
		sortBy: 'Last answer',
	},
	{
		kind: 'stacked',
		title: 'Attempts over each connection',
		description: 'Those that failed bear what went wrong. Each point counts the attempts of the interval before it.',
		width: 12,
		unit: 'none',
		queries: [
			{
				expr: `sum by (${label.connection}, ${label.errorType}) (${grown('$__rate_interval', series.connectionAttempts)})`,
				legend: `{{${label.connection}}} {{${label.errorType}}}`,
			},
		],
	},
	{
		kind: 'lines',
		title: 'Duration of an attempt, 95 of 100',
		description: 'How long attempts over each connection took.',
		width: 12,
		unit: 's',
		queries: [
			{
				expr: `histogram_quantile(0.95, sum by (${label.connection}, le) (${grown('$__rate_interval', `${series.connectionDuration}_bucket`)}))`,
				legend: `{{${label.connection}}}`,
			},
		],
	},
];

const proxies = ({series, label, of, grown}: BoardTerms): PanelSpec[] => [
	{
		kind: 'stacked',
		title: 'Requests to the support proxy',
		description:
			'What systems behind the bridge asked of its own proxy: allowed, or why it was refused. Each point counts those of the interval before it.',
		width: 8,
		unit: 'none',
		queries: [
			{
				expr: `sum by (${label.supportProxyDecision}) (${grown('$__rate_interval', series.supportProxyRequests)})`,
				legend: `{{${label.supportProxyDecision}}}`,
			},
		],
	},
	{
		kind: 'lines',
		title: 'Tunnels of the support proxy',
		description: 'Tunnels that are open.',
		width: 4,
		unit: 'none',
		min: 0,
		queries: [{expr: `sum by (instance) (${of(series.supportProxyConnections)})`, legend: '{{instance}}'}],
	},
];

const certificates = ({series, label, of}: BoardTerms): PanelSpec => ({
	kind: 'table',
	title: 'Certificates',
	description: 'What is left of each certificate, or of one above it. Orange within fourteen days, red within three.',
	width: 12,
	queries: [{expr: `min by (instance, ${label.certificate}) (${of(series.certificateExpiry)}) - time()`, legend: 'Ends in'}],
	columns: {[label.certificate]: 'Certificate', instance: 'Bridge'},
	cells: {
		'Ends in': {
			unit: 's',
			steps: [
				[null, red],
				[3 * 86_400, orange],
				[14 * 86_400, green],
			],
		},
	},
	sortBy: 'Ends in',
	lowestFirst: true,
});
