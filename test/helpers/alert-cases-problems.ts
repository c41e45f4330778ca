import {always, i1, i2, type Labels, series} from './alert-cases.ts';
import type {AlertCase} from './promtool.ts';

export const problems = (state: string, values: string) => ({
	[series('callhome_problems', {...i1, callhome_problem_state: state})]: values,
});
const held = (reason: string, values: string) => ({
	[series('callhome_problems_held', {...i1, callhome_hold_reason: reason})]: values,
});
const oldest = (values: string) => ({[series('callhome_queue_oldest_age_seconds', i1)]: values});

const stateCases: readonly AlertCase[] = [
	{
		alert: 'CallHomeProblemRejected',
		title: 'fires with how many are refused',
		since: 4,
		series: {...problems('rejected', '0x3 2x60'), ...problems('open', always(7))},
		at: '10m',
		fires: [{severity: 'warning', labels: i1, value: '2'}],
	},
	{
		alert: 'CallHomeProblemRejected',
		title: 'is silent for one that is corrected at once, and for others',
		series: {...problems('rejected', '0x3 1x3 0x60'), ...problems('held', always(5))},
		at: '7m',
		fires: [],
	},
	{
		alert: 'CallHomeProblemUnanswered',
		title: 'fires for what was parked',
		since: 4,
		series: {...held('unanswered', '0x3 1x60'), ...held('storm', always(3))},
		at: '10m',
		fires: [{severity: 'critical', labels: i1, value: '1'}],
	},
	{
		alert: 'CallHomeProblemUnanswered',
		title: 'is silent for what is held by intention',
		series: {...held('unanswered', always(0)), ...held('not_serviceable', always(30))},
		at: '60m',
		fires: [],
	},
	{
		alert: 'CallHomeProblemStuck',
		title: 'fires after four hours',
		series: oldest('0+60x600'),
		at: '250m',
		fires: [{severity: 'critical', labels: i1, value: '4h 10m 0s'}],
	},
	{alert: 'CallHomeProblemStuck', title: 'is silent before', series: oldest('0+60x600'), at: '239m', fires: []},
	{
		alert: 'CallHomeProblemStuck',
		title: 'is silent at a start after a day that delivers what waited',
		series: oldest('_x5 86400x3 0x60'),
		at: '8m',
		fires: [],
	},
];

/** Answers of cases a minute: all of them, and those within the bound. */
export const answers = (all: string, quick: string, {le = '250', type = 'hardware_alert', who = i1 as Labels} = {}) => ({
	[series('callhome_submission_duration_seconds_count', {...who, callhome_submission_type: type})]: all,
	[series('callhome_submission_duration_seconds_bucket', {...who, callhome_submission_type: type, le})]: quick,
});

const objectiveCases: readonly AlertCase[] = [
	{
		alert: 'CallHomeDeliveryObjectiveBurning',
		title: 'is critical when nearly all are slow, and the other bridge is well',
		series: {...answers('0+1x90', always(0)), ...answers('0+1x90', '0+1x90', {who: i2})},
		at: '80m',
		fires: [
			{severity: 'critical', labels: i1, value: '100%'},
			{severity: 'warning', labels: i1, value: '100%'},
		],
	},
	{
		alert: 'CallHomeDeliveryObjectiveBurning',
		title: 'warns when a half is slow for hours, in the form of a bound that Prometheus 3 writes',
		series: answers('0+2x500', '0+1x500', {le: '250.0'}),
		at: '400m',
		fires: [{severity: 'warning', labels: i1, value: '50%'}],
	},
	{
		alert: 'CallHomeDeliveryObjectiveBurning',
		title: 'is silent when three cases of a day were slow',
		series: answers('0x60 1x60 2x60 3x60', always(0)),
		at: '230m',
		fires: [],
	},
	{
		alert: 'CallHomeDeliveryObjectiveBurning',
		title: 'is silent over a restart that counts anew, and for heartbeats',
		series: {...answers('100+2x60 0+2x60', '100+2x60 0+2x60'), ...answers('0+3x130', always(0), {type: 'heartbeat'})},
		at: '120m',
		fires: [],
	},
];

const queue = (size: string, who: Labels = i1) => ({
	[series('callhome_queue_size', who)]: size,
	[series('callhome_queue_capacity', who)]: always(100_000),
});
export const intake = (outcome: string, values: string) => ({
	[series('callhome_intake_records_total', {...i1, callhome_intake_outcome: outcome, callhome_intake_signal: 'logs'})]: values,
});
const room = (size: number, available: string) => ({
	[series('callhome_store_size_bytes', i1)]: always(size),
	[series('callhome_store_available_bytes', i1)]: available,
});
const clock = (values: string) => ({[series('callhome_clock_time_seconds', i1)]: values});

const roomCases: readonly AlertCase[] = [
	{
		alert: 'CallHomeQueueFilling',
		title: 'fires for the queue that is nearly full',
		series: {...queue(always(85_000)), ...queue(always(500), i2)},
		at: '15m',
		fires: [{severity: 'warning', labels: i1, value: '85%'}],
	},
	{alert: 'CallHomeQueueFilling', title: 'is silent for a peak', series: queue('90000x8 100x60'), at: '8m', fires: []},
	{
		alert: 'CallHomeIntakeRefusing',
		title: 'fires while producers are turned away again and again',
		series: {...intake('refused', '0+12x60'), ...intake('accepted', always(4))},
		at: '20m',
		fires: [{severity: 'critical', labels: i1, value: '60'}],
	},
	{
		alert: 'CallHomeIntakeRefusing',
		title: 'is silent at a start that refuses for a minute, and for what was filtered',
		series: {...intake('refused', '0 30x60'), ...intake('filtered', '0+1000x60')},
		at: '12m',
		fires: [],
	},
	{
		alert: 'CallHomeIntakeRefusing',
		title: 'is silent after a restart that counts anew',
		series: intake('refused', '500x20 0x60'),
		at: '26m',
		fires: [],
	},
	{
		alert: 'CallHomeStoreFilling',
		title: 'fires when the store has filled most of its place',
		series: room(8e8, always(2e8)),
		at: '15m',
		fires: [{severity: 'warning', labels: i1}],
	},
	{
		alert: 'CallHomeStoreFilling',
		title: 'fires when the disk is full of other things',
		series: room(1e6, always(5e7)),
		at: '15m',
		fires: [{severity: 'warning', labels: i1}],
	},
	{alert: 'CallHomeStoreFilling', title: 'is silent on a roomy disk', series: room(4e6, always(5e10)), at: '60m', fires: []},
	{
		alert: 'CallHomeClockOff',
		title: 'fires when the clock of the bridge is two minutes behind',
		series: clock('-120+60x60'),
		at: '15m',
		fires: [{severity: 'warning', labels: i1, value: '2m 0s'}],
	},
	{
		alert: 'CallHomeClockOff',
		title: 'fires when it jumped an hour ahead',
		series: clock('0+60x10 4260+60x60'),
		at: '25m',
		fires: [{severity: 'warning', labels: i1, value: '1h 0m 0s'}],
	},
	{
		alert: 'CallHomeClockOff',
		title: 'fires when it jumped a day back',
		series: clock(`0+60x10 ${660 - 86_400}+60x60`),
		at: '25m',
		fires: [{severity: 'warning', labels: i1, value: '1d 0h 0m 0s'}],
	},
	{
		alert: 'CallHomeClockOff',
		title: 'is silent for a clock that jumped back and was set right within minutes',
		series: clock(`0+60x10 ${660 - 86_400}+60x5 1020+60x60`),
		at: '25m',
		fires: [],
	},
	{
		alert: 'CallHomeClockOff',
		title: 'is silent while a Collector shows what came half a minute ago, and at an end',
		series: clock('-30+60x20 1170x5'),
		at: '24m',
		fires: [],
	},
];

export const problemCases: readonly AlertCase[] = [...stateCases, ...objectiveCases, ...roomCases];
