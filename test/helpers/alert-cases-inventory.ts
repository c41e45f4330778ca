import {always, i1, i2, type Labels, series} from './alert-cases.ts';
import type {AlertCase} from './promtool.ts';

const day = 86_400;
const db01 = {host_name: 'db01', callhome_system_serial_number: 'J1A2B3C'};
const db02 = {host_name: 'db02', callhome_system_serial_number: 'J4D5E6F'};

const clock = (values: string, who: Labels = i1) => ({[series('callhome_clock_time_seconds', who)]: values});
const due = (values: string, system: Labels = db01, who: Labels = i1) => ({
	[series('callhome_system_inventory_due_timestamp_seconds', {...who, ...system, callhome_system_type: '8871'})]: values,
});
const every = (seconds: number, who: Labels = i1) => ({[series('callhome_inventory_interval_seconds', who)]: always(seconds)});
const ticking = '0+60x6000';

const lateCases: readonly AlertCase[] = [
	{
		alert: 'CallHomeInventoryStale',
		title:
			'fires for the system that is late, and not for the one that is not, nor for the other bridge with its longer interval',
		series: {
			...clock(ticking),
			...clock(ticking, i2),
			...every(3600),
			...every(day, i2),
			...due(always(0)),
			...due('0+60x6000', db02),
			...due(always(0), db02, i2),
		},
		at: '200m',
		fires: [{severity: 'warning', labels: {...i1, ...db01}, value: '3h 20m 0s'}],
	},
	{
		alert: 'CallHomeInventoryStale',
		title: 'fires when none was ever acknowledged, since it is expected',
		series: {...clock(ticking), ...every(3600), ...due('_x30 1800x600')},
		at: '240m',
		fires: [{severity: 'warning', labels: {...i1, ...db01}, value: '3h 30m 0s'}],
	},
	{
		alert: 'CallHomeInventoryStale',
		title: 'fires when the clock was set back and nothing was acknowledged since',
		since: 21,
		series: {...clock(`${10 * day}+60x19 1200+60x600`), ...every(3600), ...due(always(10 * day + 3600))},
		at: '100m',
		fires: [{severity: 'warning', labels: {...i1, ...db01}, value: '9d 23h 20m 0s'}],
	},
	{
		alert: 'CallHomeInventoryStale',
		title: 'fires with the site, where another one has a bridge and a system of the same names',
		series: Object.assign(
			{},
			...['Zürich', 'Bern'].map(site => ({
				...clock(ticking, {...i1, site}),
				...every(3600, {...i1, site}),
				...due(site === 'Zürich' ? always(0) : ticking, db01, {...i1, site}),
			})),
		),
		at: '200m',
		fires: [{severity: 'warning', labels: {...i1, ...db01, site: 'Zürich'}, value: '3h 20m 0s'}],
	},
];

const timelyCases: readonly AlertCase[] = [
	{
		alert: 'CallHomeInventoryStale',
		title: 'is silent for an inventory that comes two intervals late, and a little',
		series: {...clock(ticking), ...every(3600), ...due('0x179 14400x600')},
		at: '179m',
		fires: [],
	},
	{
		alert: 'CallHomeInventoryStale',
		title: 'is silent at a start after a week, whose inventories are collected and acknowledged within the hour',
		series: {
			...clock(`_x10 ${7 * day}+60x600`),
			[series('callhome_inventory_interval_seconds', i1)]: `_x10 ${day}x600`,
			...due(`_x10 ${day}x50 ${8 * day}x600`),
		},
		at: '70m',
		fires: [],
	},
	{
		alert: 'CallHomeInventoryStale',
		title: 'is silent when only the clocks of the bridge and of Prometheus differ: that is another alert',
		series: {...clock(`${9 * day}+60x600`), ...every(3600), ...due(`${9 * day}+60x600`)},
		at: '300m',
		fires: [],
	},
	{
		alert: 'CallHomeInventoryStale',
		title: 'is silent when the consent was withdrawn, and where no inventory is collected',
		series: {
			...clock(ticking),
			...clock(ticking, i2),
			...every(60, i2),
			[series('callhome_inventory_interval_seconds', i1)]: '3600x150 stale',
			...due('0x150 stale'),
		},
		at: '185m',
		fires: [],
	},
	{
		alert: 'CallHomeInventoryStale',
		title: 'is silent for a system that the configuration names no more',
		series: {...clock(ticking), ...every(3600), ...due('0x150 stale')},
		at: '185m',
		fires: [],
	},
];

export const inventoryCases: readonly AlertCase[] = [...lateCases, ...timelyCases];
