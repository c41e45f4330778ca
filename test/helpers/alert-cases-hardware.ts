import {always, i1, i2, type Labels, series} from './alert-cases.ts';
import type {AlertCase} from './promtool.ts';

const db01 = {host_name: 'db01', callhome_system_serial_number: 'J1A2B3C'};
const disk = {hw_type: 'physical_disk', hw_id: 'drive-3', hw_name: 'Drive 3'};

const status = (state: string, values: string, part: Labels = disk, machine: Labels = db01) => ({
	[series('hw_status', {...i1, ...machine, ...part, hw_state: state})]: values,
});
const reports = (values = always(1800)) => ({[series('callhome_heartbeat_interval_seconds', i1)]: values});

const partCases: readonly AlertCase[] = [
	{
		alert: 'CallHomeHardwareFailed',
		title: 'fires for the part, once, although two sources read it',
		since: 6,
		series: {
			...status('failed', '0x5 1x60'),
			...status('failed', '0x5 1x60', {...disk, callhome_source: 'redfish'}),
			...status('ok', '1x5 0x60'),
		},
		at: '20m',
		fires: [{severity: 'warning', labels: {...i1, ...db01, ...disk}}],
	},
	{
		alert: 'CallHomeHardwareFailed',
		title: 'fires for a machine with an odd name',
		series: status('failed', always(1), disk, {host_name: 'Zürich "rack" 1'}),
		at: '20m',
		fires: [{severity: 'warning', labels: {...i1, ...disk, host_name: 'Zürich "rack" 1'}}],
	},
	{
		alert: 'CallHomeHardwareFailed',
		title: 'is silent for a sensor that flaps, and for a part that wants cleaning',
		series: {...status('failed', '0x5 1x3 0x5 1x3 0x60'), ...status('needs_cleaning', always(1))},
		at: '17m',
		fires: [],
	},
	{
		alert: 'CallHomeHardwareFailed',
		title: 'is silent on a site without such hardware, and at a start',
		series: {[series('callhome_heartbeat_interval_seconds', i2)]: always(1800)},
		at: '60m',
		fires: [],
	},
	{
		alert: 'CallHomeHardwareAboutToFail',
		title: 'fires for a disk that says so',
		series: status('predicted_failure', always(1)),
		at: '20m',
		fires: [{severity: 'warning', labels: {...i1, ...db01, ...disk}}],
	},
	{
		alert: 'CallHomeHardwareAboutToFail',
		title: 'is silent for a part that is well or was',
		series: {...status('ok', always(1)), ...status('predicted_failure', '1x3 0x60')},
		at: '30m',
		fires: [],
	},
];

const source = (values: string) => ({
	[series('callhome_source_up', {...i1, callhome_source: 'redfish', callhome_source_target: 'bmc01'})]: values,
});

const readingCases: readonly AlertCase[] = [
	{
		alert: 'CallHomeSourceFailing',
		title: 'fires for the target that does not answer',
		since: 6,
		series: source('1x5 0x60'),
		at: '30m',
		fires: [{severity: 'warning', labels: {...i1, callhome_source: 'redfish', callhome_source_target: 'bmc01'}}],
	},
	{
		alert: 'CallHomeSourceFailing',
		title: 'is silent while a management module restarts',
		series: source('1x5 0x10 1x60'),
		at: '16m',
		fires: [],
	},
	{
		alert: 'CallHomeSystemSilent',
		title: 'fires for the machine of which nothing comes any more, and not for the other',
		since: 21,
		series: {...reports(), ...status('ok', '1x20 stale'), ...status('ok', always(1), disk, {host_name: 'db02'})},
		at: '90m',
		fires: [{severity: 'warning', labels: {...i1, ...db01}}],
	},
	{
		alert: 'CallHomeSystemSilent',
		title: 'is silent when the bridge itself is gone: that is another alert',
		series: {...reports('1800x20 stale'), ...status('ok', '1x20 stale')},
		at: '90m',
		fires: [],
	},
	{
		alert: 'CallHomeSystemSilent',
		title: 'is silent for a machine whose serial number became known',
		series: {
			...reports(),
			...status('ok', '1x20 stale', disk, {host_name: 'db01'}),
			...status('ok', '_x22 1x200'),
		},
		at: '90m',
		fires: [],
	},
	{
		alert: 'CallHomeSystemSilent',
		title: 'fires for one of two machines that bear the same name',
		series: {
			...reports(),
			...status('ok', '1x20 stale'),
			...status('ok', always(1), disk, {...db01, callhome_system_serial_number: 'J4D5E6F'}),
		},
		at: '90m',
		fires: [{severity: 'warning', labels: {...i1, ...db01}}],
	},
	{
		alert: 'CallHomeSystemSilent',
		title: 'is silent when a bridge is back after two hours and has yet to read',
		series: {...reports('1800x20 _x120 1800x200'), ...status('ok', '1x20 _x130 1x200')},
		at: '149m',
		fires: [],
	},
];

export const hardwareCases: readonly AlertCase[] = [...partCases, ...readingCases];
