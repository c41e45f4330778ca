import type {Board} from './board.ts';
import type {PanelSpec, Words} from './panel.ts';
import {type BoardTerms, gray, green, limits, noneIsGood, orange, red, toBoard, yellow} from './terms.ts';

/** The monitored machines: failing parts first. */
export const hardware = (terms: BoardTerms): Board => ({
	uid: 'callhome-hardware',
	title: 'Call home / Hardware',
	description: 'State, errors, temperatures, fans, power and disks of the machines that the bridge reads.',
	span: '6h',
	source: 'prometheus',
	system: `label_values(${terms.of(terms.hardware('hw.status'))}, ${terms.label.hostName})`,
	picked: `topk(20, ${worstOfSystems(terms, terms.ofSystem)} or ${silentSystems(terms)})`,
	rows: [
		{title: 'What is not well', panels: notWell(terms)},
		{title: 'State', panels: [stateTimeline(terms), ...errors(terms)]},
		{title: 'Temperatures, fans and power', panels: sensors(terms)},
		{title: 'Disks and memory', panels: disks(terms)},
	],
});

type Of = BoardTerms['ofSystem'];

const inState = ({label, hardware}: BoardTerms, state: string, of: Of) =>
	of(hardware('hw.status'), `${label.hwState}="${state}"`);

const partLabels = ({label}: BoardTerms) => [label.hostName, label.hwType, label.hwId, label.hwName].join(', ');

const ranks: readonly (readonly [state: string, rank: number])[] = [
	['failed', 4],
	['predicted_failure', 3],
	['degraded', 2],
	['needs_cleaning', 1],
];

const stateWords: Words = {
	0: ['well', green],
	1: ['needs cleaning', gray],
	2: ['degraded', yellow],
	3: ['about to fail', orange],
	4: ['failed', red],
};

/** The worst first: failed, about to fail, degraded, wants cleaning. */
const worst = (terms: BoardTerms, of: Of = terms.ofSystem) => {
	const by = `max by (${partLabels(terms)})`;
	return ranks.map(([state, rank]) => `${by} (${inState(terms, state, of)} == 1) * ${rank}`).join(' or ');
};

/** With those that are well, below the others. */
const worstDisks = (terms: BoardTerms) => {
	const of: Of = (series, matchers = '') =>
		terms.ofSystem(series, `${terms.label.hwType}=~"physical_disk|logical_disk", ${matchers}`);
	return `${worst(terms, of)} or max by (${partLabels(terms)}) (${inState(terms, 'ok', of)}) * 0`;
};

/** The worst state of any part of each system. Each part has all its states at all times: one of them shows that it is read. */
const worstOfSystems = (terms: BoardTerms, of: Of) => {
	const by = `max by (${terms.label.hostName})`;
	return ranks
		.map(([state, rank]) => `${by} (${inState(terms, state, of)} == 1) * ${rank}`)
		.concat(`${by} (${inState(terms, 'ok', of)}) * 0`)
		.join(' or ');
};

/** Before those that are well: they were read within the last day, and are not any more. */
const silentSystems = (terms: BoardTerms) =>
	`max by (${terms.label.hostName}) (present_over_time(${inState(terms, 'ok', terms.ofSystem)}[1d])) * 0.5`;

const notWell = (terms: BoardTerms): PanelSpec[] => [
	{
		kind: 'stat',
		title: 'Failed parts',
		description: 'Parts that report that they have failed.',
		width: 4,
		unit: 'none',
		steps: noneIsGood,
		queries: [{expr: `sum(max by (${partLabels(terms)}) (${inState(terms, 'failed', terms.ofSystem)}))`, legend: 'failed'}],
	},
	{
		kind: 'stat',
		title: 'Parts about to fail',
		description: 'Parts that report that they are about to fail.',
		width: 4,
		unit: 'none',
		steps: [
			[null, green],
			[1, orange],
		],
		queries: [
			{
				expr: `sum(max by (${partLabels(terms)}) (${inState(terms, 'predicted_failure', terms.ofSystem)}))`,
				legend: 'about to fail',
			},
		],
	},
	{
		kind: 'table',
		title: 'Parts that are not well',
		description: 'The worst first. A click on a system leaves only that one.',
		width: 16,
		queries: [{expr: `sort_desc(${worst(terms)})`, legend: 'State'}],
		columns: {
			[terms.label.hostName]: 'System',
			[terms.label.hwType]: 'Kind',
			[terms.label.hwId]: 'Part',
			[terms.label.hwName]: 'Name',
		},
		cells: {
			State: {words: stateWords},
		},
		sortBy: 'State',
		links: {System: {title: 'This system only', url: toBoard('callhome-hardware', 'System')}},
	},
];

const stateTimeline = (terms: BoardTerms): PanelSpec => ({
	kind: 'timeline',
	title: 'Systems over time',
	description:
		'The worst state of any part of each system, of the 20 systems that are worst off at the end of the range, those that have fallen silent before those that are well. A gap: nothing was read of it.',
	width: 24,
	unit: 'none',
	words: stateWords,
	queries: [
		{
			expr: worstOfSystems(terms, terms.ofPicked),
			legend: `{{${terms.label.hostName}}}`,
		},
	],
});

const errors = ({label, hardware, ofPicked, series, of}: BoardTerms): PanelSpec[] => [
	{
		kind: 'stacked',
		title: 'Errors of parts',
		description:
			'Errors that parts counted, a minute: corrected memory errors, media errors of disks and such. Of the 20 systems that are worst off.',
		width: 12,
		unit: 'cpm',
		queries: [
			{
				expr: `60 * sum by (${label.hostName}, ${label.hwType}, ${label.hwId}) (rate(${ofPicked(hardware('hw.errors'))}[$__rate_interval]))`,
				legend: `{{${label.hostName}}} {{${label.hwType}}} {{${label.hwId}}}`,
			},
		],
	},
	{
		kind: 'table',
		title: 'Sources',
		description: 'Whether each source of hardware events reads each of its targets; those that it does not on top.',
		width: 12,
		queries: [{expr: `min by (instance, ${label.source}, ${label.target}) (${of(series.sourceUp)})`, legend: 'Works'}],
		columns: {[label.source]: 'Source', [label.target]: 'Target', instance: 'Bridge'},
		cells: {Works: {words: {0: ['no', red], 1: ['yes', green]}}},
		sortBy: 'Works',
		lowestFirst: true,
	},
];

/** Of the systems that are picked out, whatever the description of the panel says beside that. */
const reading = (
	{label, hardware, ofPicked}: BoardTerms,
	metric: string,
	panel: Pick<PanelSpec, 'title' | 'description' | 'unit'> & Partial<PanelSpec>,
	matchers?: string,
): PanelSpec => ({
	kind: 'lines',
	width: 8,
	queries: [
		{
			expr: `max by (${label.hostName}, ${label.hwId}, ${label.hwName}) (${ofPicked(hardware(metric), matchers)})`,
			legend: `{{${label.hostName}}} {{${label.hwName}}} {{${label.hwId}}}`,
		},
	],
	...panel,
	description: `${panel.description} Of the 20 systems that are worst off.`,
});

const sensors = (terms: BoardTerms): PanelSpec[] => [
	reading(terms, 'hw.temperature', {title: 'Temperatures', description: 'What the sensors read.', unit: 'celsius'}),
	reading(terms, 'hw.fan.speed', {title: 'Fans', description: 'Revolutions a minute.', unit: 'rotrpm', min: 0}),
	{
		...reading(terms, 'hw.power', {title: 'Power', description: 'What parts take, and whole machines.', unit: 'watt', min: 0}),
		queries: [
			...reading(terms, 'hw.power', {title: '', description: '', unit: 'watt'}).queries,
			{
				expr: `max by (${terms.label.hostName}) (${terms.ofPicked(terms.hardware('hw.host.power'))})`,
				legend: `{{${terms.label.hostName}}}`,
			},
		],
	},
	reading(terms, 'hw.voltage', {title: 'Voltages', description: 'What the sensors read.', unit: 'volt'}),
	{
		...reading(terms, 'hw.power_supply.utilization', {
			title: 'Load of power supplies',
			description: 'As a part of what each can give. Two that share the load are to stay below a half.',
			unit: 'percentunit',
			min: 0,
			steps: limits(0.5, 0.9),
		}),
	},
	reading(terms, 'hw.host.ambient_temperature', {
		title: 'Around the machines',
		description: 'Temperature of the air that goes in.',
		unit: 'celsius',
		steps: limits(32, 40),
	}),
];

const disks = (terms: BoardTerms): PanelSpec[] => [
	{
		kind: 'table',
		title: 'Disks',
		description: 'State of each physical disk and of each array, the worst first.',
		width: 12,
		queries: [{expr: `sort_desc(${worstDisks(terms)})`, legend: 'State'}],
		columns: {
			[terms.label.hostName]: 'System',
			[terms.label.hwType]: 'Kind',
			[terms.label.hwId]: 'Disk',
			[terms.label.hwName]: 'Name',
		},
		cells: {State: {words: stateWords}},
		sortBy: 'State',
	},
	reading(
		terms,
		'hw.physical_disk.endurance_utilization',
		{
			title: 'Wear of disks',
			description: 'Part of the writes that each disk is made for, as far as they are used up: at 100 % it has had them all.',
			unit: 'percentunit',
			width: 12,
			min: 0,
			steps: limits(0.8, 1),
		},
		`${terms.label.diskState}!="remaining"`,
	),
];
