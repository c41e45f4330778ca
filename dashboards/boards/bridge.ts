import type {Board} from './board.ts';
import type {PanelSpec} from './panel.ts';
import {type BoardTerms, limits, plain} from './terms.ts';

/** What the bridge itself costs, and what it takes in. */
export const bridge = (terms: BoardTerms): Board => ({
	uid: 'callhome-bridge',
	title: 'Call home / Bridge',
	description: 'Processor, memory, event loop, store, and what comes in and is refused.',
	span: '24h',
	source: 'prometheus',
	rows: [
		{title: 'Process', panels: processPanels(terms)},
		{title: 'Store', panels: store(terms)},
		{title: 'Intake', panels: intake(terms)},
	],
});

const lines = (title: string, description: string, unit: string, expr: string, more: Partial<PanelSpec> = {}): PanelSpec => ({
	kind: 'lines',
	title,
	description,
	width: 8,
	height: 7,
	unit,
	min: 0,
	queries: [{expr, legend: '{{instance}}'}],
	...more,
});

const processPanels = ({process, series, of, rate}: BoardTerms): PanelSpec[] => [
	lines('Processor', 'Processors in use.', 'percentunit', `sum by (instance) (${rate(process.cpu)})`),
	lines('Memory', 'Physical memory of the process.', 'bytes', `max by (instance) (${of(process.memory)})`),
	lines('Event loop delay, 99 of 100', 'How long work waits for its turn.', 's', `max by (instance) (${of(process.delayP99)})`, {
		steps: limits(0.1, 1),
	}),
	lines(
		'Event loop in use',
		'Part of the time in which the event loop was busy.',
		'percentunit',
		`max by (instance) (${of(process.utilization)})`,
		{max: 1, steps: limits(0.7, 0.95)},
	),
	lines('Open files', 'File descriptors, and so connections, too.', 'none', `max by (instance) (${of(process.fileDescriptors)})`),
	lines(
		'Clock',
		'By how much the clock of the bridge and that of Prometheus differ. Over OTLP nothing is seen.',
		's',
		`max by (instance) (abs(timestamp(${of(series.clockTime)}) - ${of(series.clockTime)}))`,
		{steps: limits(5, 60)},
	),
	{
		kind: 'stat',
		title: 'Up for',
		description: 'Time since the start of each bridge.',
		width: 24,
		height: 3,
		unit: 's',
		steps: plain,
		queries: [{expr: `max by (instance) (${of(process.uptime)})`, legend: '{{instance}}'}],
	},
];

const store = ({series, of}: BoardTerms): PanelSpec[] => [
	lines('Size of the store', 'With its write-ahead log.', 'bytes', `max by (instance) (${of(series.storeSize)})`, {width: 12}),
	lines(
		'Room of the store',
		'By how much it may still grow: up to the end of the disk, or store.max_size.',
		'bytes',
		`max by (instance) (${of(series.storeAvailable)})`,
		{width: 12},
	),
];

const intake = ({series, label, rate}: BoardTerms): PanelSpec[] => [
	{
		kind: 'stacked',
		title: 'Records that come in',
		description: 'By what became of them: accepted, filtered (no alert), duplicate, rejected (malformed), refused.',
		width: 12,
		unit: 'rps',
		queries: [
			{
				expr: `sum by (${label.intakeOutcome}) (${rate(series.intakeRecords)})`,
				legend: `{{${label.intakeOutcome}}}`,
			},
		],
	},
	{
		kind: 'stacked',
		title: 'Refusals',
		description: 'Records that could not be kept, or not be read, by signal. Their producers have those that were refused still.',
		width: 12,
		unit: 'rps',
		queries: [
			{
				expr: `sum by (${label.signal}, ${label.intakeOutcome}) (${rate(series.intakeRecords, `${label.intakeOutcome}=~"refused|rejected"`)})`,
				legend: `{{${label.signal}}} {{${label.intakeOutcome}}}`,
			},
		],
	},
];
