import {always, i1, i2, type Labels, series} from './alert-cases.ts';
import type {AlertCase} from './promtool.ts';

const breaks = (kind: string, values: string, who: Labels = i1) => ({
	[series('callhome_ledger_breaks', {...who, callhome_ledger_break: kind})]: values,
});
export const entries = (values: string, who: Labels = i1) => ({[series('callhome_ledger_entries_total', who)]: values});
export const wentBack = {severity: 'critical', labels: {...i1, callhome_ledger_break: 'went_back'}, value: '1'} as const;

const brokenCases: readonly AlertCase[] = [
	{
		alert: 'CallHomeLedgerBroken',
		title: 'fires with the kind of the break and how many there are, and names the one bridge',
		since: 11,
		series: {
			...breaks('hash', '0x10 2x600'),
			...breaks('missing', always(0)),
			...breaks('hash', always(0), i2),
			...entries('0+1x600'),
			...entries('0+1x600', i2),
		},
		at: '20m',
		fires: [{severity: 'critical', labels: {...i1, callhome_ledger_break: 'hash'}, value: '2'}],
	},
	{
		alert: 'CallHomeLedgerBroken',
		title: 'fires for each kind, with the site',
		series: {
			...breaks('missing', always(1), {...i1, site: 'Zürich'}),
			...breaks('content', always(3), {...i1, site: 'Zürich'}),
			...breaks('content', always(0), {...i1, site: 'Bern'}),
		},
		at: '20m',
		fires: [
			{severity: 'critical', labels: {...i1, site: 'Zürich', callhome_ledger_break: 'content'}, value: '3'},
			{severity: 'critical', labels: {...i1, site: 'Zürich', callhome_ledger_break: 'missing'}, value: '1'},
		],
	},
	{
		alert: 'CallHomeLedgerBroken',
		title: 'fires when a restart has fewer entries than before: the store of an earlier day, or another one',
		since: 64,
		series: {...breaks('hash', always(0)), ...entries('100+1x60 _x3 120+1x600')},
		at: '75m',
		fires: [wentBack],
	},
	{
		alert: 'CallHomeLedgerBroken',
		title: 'still fires when the entries that are missing were soon made up for by others',
		series: entries('100+1x60 150+5x1000'),
		at: '1000m',
		fires: [wentBack],
	},
	{
		alert: 'CallHomeLedgerBroken',
		title: 'fires when another version of the program came with the old store',
		series: {
			...entries('100+1x60 stale', {...i1, otel_scope_version: '2.0.0'}),
			...entries('_x64 120+1x20', {...i1, otel_scope_version: '1.9.0'}),
		},
		at: '75m',
		fires: [wentBack],
	},
	{
		alert: 'CallHomeLedgerBroken',
		title: 'is silent over restarts, a new version and hours without anything that leaves',
		series: {
			...breaks('hash', '0x60 _x3 0x1000'),
			...entries('100+1x60 _x3 160+0x300 stale', {...i1, otel_scope_version: '1.9.0'}),
			...entries('_x370 160+1x600', {...i1, otel_scope_version: '2.0.0'}),
		},
		at: '400m',
		fires: [],
	},
	{
		alert: 'CallHomeLedgerBroken',
		title: 'is silent over a restart where Prometheus writes a zero at each start of a process',
		series: {...breaks('hash', always(0)), ...entries('0 100+1x60 _x3 0 160+1x600')},
		at: '75m',
		fires: [],
	},
	{
		alert: 'CallHomeLedgerBroken',
		title: 'fires there, too, while the store of an earlier day has fewer entries than before',
		series: entries('0 100+1x60 _x3 0 120+1x600'),
		at: '75m',
		fires: [wentBack],
	},
	{
		alert: 'CallHomeLedgerBroken',
		title: 'fires for an empty store in the place of the former one',
		series: entries('100+1x60 _x3 0+1x600'),
		at: '75m',
		fires: [wentBack],
	},
	{
		alert: 'CallHomeLedgerBroken',
		title: 'is silent at the first start, and when a break was acknowledged',
		series: {...breaks('content', '2x30 0x600'), ...entries('0+0x30 0+1x600')},
		at: '60m',
		fires: [],
	},
	{
		alert: 'CallHomeLedgerBroken',
		title: 'is silent over OTLP for another store: it is another instance',
		series: {...entries('100+1x60 stale'), ...entries('_x64 0+1x600', i2)},
		at: '120m',
		fires: [],
	},
	{
		alert: 'CallHomeLedgerBroken',
		title: 'ends a day after the count went back',
		series: entries('100+1x60 20+1x2900'),
		at: '1520m',
		fires: [],
	},
];

const verified = (values: string, who: Labels = i1) => ({
	[series('callhome_ledger_verification_timestamp_seconds', who)]: values,
});
const clock = (values: string, who: Labels = i1) => ({[series('callhome_clock_time_seconds', who)]: values});
const ticking = '0+60x6000';

const unverifiedCases: readonly AlertCase[] = [
	{
		alert: 'CallHomeLedgerUnverified',
		title: 'fires when the last verification is three hours old',
		series: {...entries(always(9)), ...clock(ticking), ...verified(always(0))},
		at: '185m',
		fires: [{severity: 'warning', labels: i1, value: '3h 5m 0s'}],
	},
	{
		alert: 'CallHomeLedgerUnverified',
		title: 'fires when there never was one',
		series: {...entries(always(9)), ...clock(ticking)},
		at: '185m',
		fires: [{severity: 'warning', labels: i1, value: '0s'}],
	},
	{
		alert: 'CallHomeLedgerUnverified',
		title: 'is silent while the ledger is verified each hour',
		series: {...entries('0+1x600'), ...clock(ticking), ...verified('0x59 3600x59 7200x59 10800x59 14400x59')},
		at: '290m',
		fires: [],
	},
	{
		alert: 'CallHomeLedgerUnverified',
		title: 'is silent at the first start, whose verification takes nearly three hours',
		series: {...entries('0x300'), ...clock(ticking), ...verified('_x180 10800x200')},
		at: '179m',
		fires: [],
	},
	{
		alert: 'CallHomeLedgerUnverified',
		title: 'is silent when a verification comes late',
		series: {...entries(always(9)), ...clock(ticking), ...verified('0x179 10740x200')},
		at: '179m',
		fires: [],
	},
	{
		alert: 'CallHomeLedgerUnverified',
		title: 'is silent after a restart that does not know of the last verification',
		series: {...entries(always(9)), ...clock(ticking), ...verified('0x100 6060x100 _x100')},
		at: '279m',
		fires: [],
	},
	{
		alert: 'CallHomeLedgerUnverified',
		title: 'is silent when only the clocks of the bridge and of Prometheus differ: that is another alert',
		series: {...entries(always(9)), ...clock('-864000+60x600'), ...verified('-864000+60x600')},
		at: '300m',
		fires: [],
	},
	{
		alert: 'CallHomeLedgerUnverified',
		title: 'is silent at a start after a day that has yet to verify, whether or not it knows of the last one',
		series: {
			...entries('5x60 _x1440 5x200'),
			...clock(ticking),
			...verified('0x60 _x1440 0x50 93060x200'),
			...entries('5x60 _x1440 5x200', i2),
			...clock(ticking, i2),
			...verified('0x60 _x1490 93060x200', i2),
		},
		at: '1559m',
		fires: [],
	},
	{
		alert: 'CallHomeLedgerUnverified',
		title: 'is silent for a bridge that keeps no ledger, and when its clock jumped until the next verification',
		series: {
			...clock(ticking, i2),
			...entries('5x600'),
			...clock('0+60x30 50000+60x600'),
			...verified('0x80 52940x600'),
		},
		at: '200m',
		fires: [],
	},
];

export const ledgerCases: readonly AlertCase[] = [...brokenCases, ...unverifiedCases];
