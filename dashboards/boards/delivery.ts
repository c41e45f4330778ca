import type {Board} from './board.ts';
import {ledger} from './ledger.ts';
import type {PanelSpec} from './panel.ts';
import {type BoardTerms, green, limits, noneIsGood, plain, red, yellow} from './terms.ts';

/** What becomes of the events: taken, decided, sent, answered. */
export const delivery = (terms: BoardTerms): Board => ({
	uid: 'callhome-delivery',
	title: 'Call home / Delivery',
	description:
		'From the hardware event to the case number: what was decided and why, what waits, how long it takes, and the proof of what left.',
	span: '24h',
	source: 'prometheus',
	rows: [
		{title: 'Now', panels: now(terms)},
		{title: 'Events', panels: events(terms)},
		{title: 'Problems', panels: problems(terms)},
		{title: 'On the way to IBM', panels: onTheWay(terms)},
		{title: 'Ledger of what left', panels: ledger(terms)},
	],
});

const stat = (title: string, description: string, unit: string, expr: string, steps: PanelSpec['steps']): PanelSpec => ({
	kind: 'stat',
	title,
	description,
	width: 6,
	height: 4,
	unit,
	steps: steps ?? plain,
	queries: [{expr, legend: '{{instance}}'}],
});

const now = ({series, label, of}: BoardTerms): PanelSpec[] => [
	stat(
		'Oldest undelivered problem',
		'How long the oldest problem waits that IBM has not answered. 0: none waits.',
		's',
		`max by (instance) (${of(series.queueOldestAge)})`,
		limits(300, 900),
	),
	stat(
		'Queue',
		'How full the sending queue is. When it is full, events are refused.',
		'percentunit',
		`max by (instance) (${of(series.queueSize)}) / max by (instance) (${of(series.queueCapacity)})`,
		limits(0.5, 0.8),
	),
	stat(
		'Rejected problems',
		'Problems that IBM refused: somebody has to correct them.',
		'none',
		`sum by (instance) (${of(series.problems, `${label.problemState}="rejected"`)})`,
		noneIsGood,
	),
	stat(
		'Sends to the sandbox',
		'1 while nothing reaches IBM, for the built-in stand-in takes all.',
		'none',
		`max by (instance) (${of(series.sandboxInUse)})`,
		[
			[null, green],
			[1, yellow],
		],
	),
];

const events = ({series, label, of, rate}: BoardTerms): PanelSpec[] => [
	{
		kind: 'stacked',
		title: 'Events by decision',
		description: 'What was decided of each event, such as first, duplicate, recovered, storm or held.',
		width: 12,
		unit: 'cpm',
		queries: [{expr: `60 * sum by (${label.decision}) (${rate(series.events)})`, legend: `{{${label.decision}}}`}],
	},
	{
		kind: 'lines',
		title: 'Accepted events, by where they stand',
		description:
			'Each accepted event is in exactly one of queued, sent, held and rejected; together they are all that were accepted.',
		width: 12,
		unit: 'none',
		min: 0,
		queries: [
			{expr: `sum by (${label.standing}) (${of(series.standingEvents)})`, legend: `{{${label.standing}}}`},
			{expr: `sum(${of(series.acceptedEvents)})`, legend: 'accepted'},
		],
	},
];

const problems = ({series, label, of}: BoardTerms): PanelSpec[] => [
	{
		kind: 'stacked',
		title: 'Problems by state',
		description: 'identified, queued, accepted, open (case number known), held, rejected; closed ones are left out.',
		width: 12,
		unit: 'none',
		min: 0,
		queries: [
			{
				expr: `sum by (${label.problemState}) (${of(series.problems, `${label.problemState}!="closed"`)})`,
				legend: `{{${label.problemState}}}`,
			},
		],
	},
	{
		kind: 'stacked',
		title: 'Held problems, by reason',
		description: 'Why problems wait: nothing is suppressed without a reason.',
		width: 12,
		unit: 'none',
		min: 0,
		queries: [{expr: `sum by (${label.holdReason}) (${of(series.heldProblems)})`, legend: `{{${label.holdReason}}}`}],
	},
];

const onTheWay = ({series, label, of, grown}: BoardTerms): PanelSpec[] => [
	{
		kind: 'lines',
		title: 'Submissions that wait',
		description: 'Size of the sending queue.',
		width: 8,
		unit: 'none',
		min: 0,
		queries: [{expr: `max by (instance) (${of(series.queueSize)})`, legend: '{{instance}}'}],
	},
	{
		kind: 'lines',
		title: 'Age of the oldest undelivered problem',
		description: 'Alarmed from fifteen minutes on.',
		width: 8,
		unit: 's',
		min: 0,
		steps: limits(600, 900),
		queries: [{expr: `max by (instance) (${of(series.queueOldestAge)})`, legend: '{{instance}}'}],
	},
	{
		kind: 'stacked',
		title: 'Answers of IBM',
		description:
			'Submissions that got their final answer, by type; those that were rejected bear the reason. Each point counts those of the interval before it.',
		width: 8,
		unit: 'none',
		queries: [
			{
				expr: `sum by (${label.submissionType}, ${label.errorType}) (${grown('$__rate_interval', series.submissions)})`,
				legend: `{{${label.submissionType}}} {{${label.errorType}}}`,
			},
		],
	},
	{
		kind: 'stacked',
		title: 'Attempts',
		description: 'Those that failed bear what went wrong. Each point counts the attempts of the interval before it.',
		width: 8,
		unit: 'none',
		queries: [
			{
				expr: `sum by (${label.errorType}) (${grown('$__rate_interval', series.connectionAttempts)})`,
				legend: `attempts {{${label.errorType}}}`,
			},
		],
	},
	{
		kind: 'lines',
		title: 'From event to acceptance, and to case number',
		description: 'Of 100, 95 took at most so long. The objective is 250 seconds to the answer.',
		width: 8,
		unit: 's',
		min: 0,
		steps: [
			[null, green],
			[250, red],
		],
		queries: [
			{
				expr: `histogram_quantile(0.95, sum by (le) (${grown('$__rate_interval', `${series.submissionDuration}_bucket`, `${label.submissionType}="hardware_alert"`)}))`,
				legend: 'acceptance',
			},
			{
				expr: `histogram_quantile(0.95, sum by (le) (${grown('$__rate_interval', `${series.caseDuration}_bucket`)}))`,
				legend: 'case number',
			},
		],
	},
	{
		kind: 'stat',
		title: 'Within the objective',
		description:
			'Share of the problems that IBM answered within 250 seconds, in the range that is shown. 95 of 100 are to be. Nothing is shown when none was answered.',
		width: 8,
		unit: 'percentunit',
		steps: [
			[null, red],
			[0.95, green],
		],
		queries: [
			{
				expr: `sum by (instance) (${grown('$__range', `${series.submissionDuration}_bucket`, `${label.submissionType}="hardware_alert", le=~"250(\\\\.0)?"`)}) / (sum by (instance) (${grown('$__range', `${series.submissionDuration}_count`, `${label.submissionType}="hardware_alert"`)}) > 0)`,
				legend: '{{instance}}',
			},
		],
	},
];
