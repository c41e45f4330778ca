import {day} from '../alert-rules/terms.ts';
import type {Board} from './board.ts';
import type {PanelSpec} from './panel.ts';
import {type BoardTerms, green, limits, noneIsGood, plain, red, toBoard, yellow} from './terms.ts';

/** Every system at once, the silent ones on top. */
export const fleet = (terms: BoardTerms): Board => ({
	uid: 'callhome-fleet',
	title: 'Call home / Fleet',
	description:
		'Every monitored system: its last heartbeat and inventory that IBM answered, its open problems, and which has fallen silent.',
	span: '24h',
	source: 'prometheus',
	system: `label_values(${terms.of(terms.series.systemProblems)}, ${terms.label.hostName})`,
	picked: `topk(30, time() - max by (${terms.label.hostName}) (${terms.ofSystem(terms.series.systemHeartbeat)}))`,
	rows: [
		{title: 'Now', panels: [...now(terms), heartbeats(terms), problems(terms)]},
		{title: 'Over time', panels: overTime(terms)},
	],
});

const machine = ({label}: BoardTerms) =>
	`${label.hostName}, ${label.systemType}, ${label.systemModel}, ${label.systemSerialNumber}`;

/** In intervals of the bridge that sends them. */
const age = ({series, label, of}: BoardTerms, heartbeats: string) =>
	`(time() - max by (job, instance, ${label.hostName}, ${label.systemSerialNumber}) (${heartbeats})) / on (job, instance) group_left () max by (job, instance) (${of(series.heartbeatInterval)})`;

/** By the clock of the bridge, as the alert has it. */
const isStale = ({series, label, of, ofSystem}: BoardTerms) => {
	const ofBridge = (name: string) => `max by (job, instance) (${of(name)})`;
	const due = `max by (job, instance, ${label.hostName}, ${label.systemSerialNumber}) (${ofSystem(series.systemInventoryDue)})`;
	const late = `abs(${ofBridge(series.clockTime)} - on (job, instance) group_right () ${due})`;
	return `${late} > on (job, instance) group_left () 2 * ${ofBridge(series.inventoryInterval)}`;
};

/** Systems without any answered heartbeat: none was answered yet, or the configuration does not name them. */
const never = ({series, label, ofSystem}: BoardTerms, labels: string) => {
	const known = `${label.problemState}="open", ${label.systemSerialNumber}!=""`;
	return `(max by (${labels}) (${ofSystem(series.systemProblems, known)}) unless max by (${labels}) (${ofSystem(series.systemHeartbeat)}))`;
};

const now = (terms: BoardTerms): PanelSpec[] => {
	const {series, label, ofSystem} = terms;
	const stat = (title: string, description: string, expr: string, steps: PanelSpec['steps']): PanelSpec => ({
		kind: 'stat',
		title,
		description,
		width: 4,
		height: 4,
		unit: 'none',
		steps: steps ?? plain,
		queries: [{expr, legend: ''}],
	});
	return [
		stat(
			'Systems',
			'Systems that the configuration names, or of which there are problems.',
			`count(count by (${label.systemSerialNumber}) (${ofSystem(series.systemProblems, `${label.systemSerialNumber}!=""`)}))`,
			plain,
		),
		stat(
			'Without an answered heartbeat',
			'Systems for which IBM answered no heartbeat in three intervals, or none yet.',
			`count(${age(terms, ofSystem(series.systemHeartbeat))} > 3 or ${never(terms, `job, instance, ${label.hostName}, ${label.systemSerialNumber}`)}) or vector(0)`,
			noneIsGood,
		),
		stat(
			'With an inventory',
			'Systems of which IBM acknowledged an inventory.',
			`count(count by (${label.systemSerialNumber}) (${ofSystem(series.systemInventory)})) or vector(0)`,
			plain,
		),
		stat(
			'Inventories that are stale',
			'Systems of which no inventory was acknowledged in three intervals, although one is to be collected.',
			`count(${isStale(terms)}) or vector(0)`,
			[
				[null, green],
				[1, yellow],
			],
		),
		stat(
			'Problems with IBM',
			'Problems that IBM works on: accepted, or with a case number.',
			`sum(${ofSystem(series.systemProblems, `${label.problemState}=~"accepted|open"`)})`,
			plain,
		),
		stat(
			'Problems that wait for somebody',
			'Held or rejected problems.',
			`sum(${ofSystem(series.systemProblems, `${label.problemState}=~"held|rejected"`)})`,
			[
				[null, green],
				[1, yellow],
			],
		),
	];
};

const links = {System: {title: 'Its hardware', url: toBoard('callhome-hardware', 'System')}};

const heartbeats = (terms: BoardTerms): PanelSpec => ({
	kind: 'table',
	title: 'Last heartbeat and inventory of each system',
	description:
		'Time since IBM last answered a heartbeat of it; the longest silent on top, and above them those of which none was answered yet, or which the configuration does not name. Beside it the age of the last inventory that IBM acknowledged: infinite while the first is awaited, and empty where none is collected. Its limits are those of an inventory each day. A click leads to its hardware.',
	width: 14,
	height: 12,
	queries: [
		{
			expr: `sort_desc(time() - max by (${machine(terms)}, instance) (${terms.ofSystem(terms.series.systemHeartbeat)}) or 0 * ${never(terms, `${machine(terms)}, instance`)} + Inf)`,
			legend: 'Silent for',
		},
		{expr: inventoryAge(terms), legend: 'Inventory age'},
	],
	columns: {
		[terms.label.hostName]: 'System',
		[terms.label.systemType]: 'Type',
		[terms.label.systemModel]: 'Model',
		[terms.label.systemSerialNumber]: 'Serial number',
		instance: 'Bridge',
	},
	cells: {
		'Silent for': {unit: 's', steps: limits(3600, 5400)},
		'Inventory age': {unit: 's', steps: limits(2 * day, 3 * day)},
	},
	sortBy: 'Silent for',
	links,
});

/** Of the same labels as the age of the heartbeat, so that both stand in one row. */
const inventoryAge = (terms: BoardTerms) => {
	const {series, ofSystem} = terms;
	const latest = (name: string) => `max by (${machine(terms)}, instance) (${ofSystem(name)})`;
	return `time() - ${latest(series.systemInventory)} or 0 * (${latest(series.systemInventoryDue)} unless ${latest(series.systemInventory)}) + Inf`;
};

const problems = (terms: BoardTerms): PanelSpec => {
	const {series, label, ofSystem} = terms;
	const of = (states: string) =>
		`sum by (${machine(terms)}) (${ofSystem(series.systemProblems, `${label.problemState}=~"${states}"`)})`;
	return {
		kind: 'table',
		title: 'Problems of each system',
		description: 'Problems that are not closed. Those that wait for a person on top.',
		width: 10,
		height: 12,
		unit: 'none',
		queries: [
			{expr: `${of('held|rejected')} and ${of('.+')} > 0`, legend: 'Held or rejected'},
			{expr: `${of('identified|queued')} and ${of('.+')} > 0`, legend: 'On the way'},
			{expr: `${of('accepted|open')} and ${of('.+')} > 0`, legend: 'With IBM'},
		],
		columns: {[label.hostName]: 'System', [label.systemSerialNumber]: 'Serial number'},
		cells: {
			'Held or rejected': {
				steps: [
					[null, green],
					[1, yellow],
				],
			},
			'On the way': {steps: limits(1, 10)},
		},
		sortBy: 'Held or rejected',
		links,
	};
};

/** Few series each, whatever the number of systems: those of the bridge itself, or of the systems that are picked out. */
const overTime = (terms: BoardTerms): PanelSpec[] => {
	const {series, label, of, ofPicked} = terms;
	return [
		{
			kind: 'grid',
			title: 'Heartbeats of the 30 systems that are silent the longest',
			description:
				'Age of the last answered heartbeat in intervals, of the 30 systems that are silent the longest at the end of the range. Red: three or more were missed.',
			width: 24,
			height: 10,
			unit: 'none',
			interval: '30m',
			steps: limits(1.5, 3),
			queries: [{expr: age(terms, ofPicked(series.systemHeartbeat)), legend: `{{${label.hostName}}} ({{instance}})`}],
		},
		{
			kind: 'stacked',
			title: 'Systems, by their heartbeats',
			description:
				'Systems that the configuration names: answered within three intervals, missed, or never answered. Of all systems of the bridges that are chosen.',
			width: 8,
			unit: 'none',
			min: 0,
			queries: [{expr: `sum by (${label.heartbeatState}) (${of(series.systems)})`, legend: `{{${label.heartbeatState}}}`}],
		},
		{
			kind: 'stacked',
			title: 'Problems that are not closed, by state',
			description: 'Of all systems of the bridges that are chosen.',
			width: 8,
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
			kind: 'lines',
			title: 'Systems that are read',
			description: 'Systems whose hardware a source of the bridge reads. A step down: one has fallen silent.',
			width: 8,
			unit: 'none',
			min: 0,
			steps: [
				[null, red],
				[1, green],
			],
			queries: [{expr: `sum by (instance) (${of(series.systemsRead)})`, legend: '{{instance}}'}],
		},
	];
};
