import {always, i1, type Labels, series} from './alert-cases.ts';
import type {AlertCase} from './promtool.ts';

/** The limits of the store, the intake, the clock, the ledger and the machines: see alert-cases-limits.ts. */

const fires = (value: string) => [{severity: 'warning', labels: i1, value}] as const;
const one = (name: string, values: string, labels: Labels = {}) => ({[series(name, {...i1, ...labels})]: values});
const queue = (size: string) => ({
	...one('callhome_queue_size', size),
	...one('callhome_queue_capacity', always(1000)),
});
const refused = (values: string) =>
	one('callhome_intake_records_total', values, {callhome_intake_outcome: 'refused', callhome_intake_signal: 'logs'});
const mebibyte = 1_048_576;
const room = (size: number, available: number) => ({
	...one('callhome_store_size_bytes', always(size * mebibyte)),
	...one('callhome_store_available_bytes', always(available * mebibyte)),
});

const roomCases: readonly AlertCase[] = [
	{
		alert: 'CallHomeQueueFilling',
		title: 'fires above four fifths, after ten minutes',
		series: queue('0x9 801x60'),
		at: '20m',
		fires: fires('80.1%'),
	},
	{alert: 'CallHomeQueueFilling', title: 'is silent at four fifths', series: queue(always(800)), at: '30m', fires: []},
	{
		alert: 'CallHomeIntakeRefusing',
		title: 'is silent in the first minutes of refusals',
		series: refused('0x9 12+12x60'),
		at: '19m',
		fires: [],
	},
	{
		alert: 'CallHomeStoreFilling',
		title: 'fires below three tenths, after ten minutes',
		series: room(710, 290),
		at: '10m',
		fires: fires('0.29'),
	},
	{alert: 'CallHomeStoreFilling', title: 'is silent at once', series: room(710, 290), at: '9m', fires: []},
	{alert: 'CallHomeStoreFilling', title: 'is silent above three tenths', series: room(690, 310), at: '30m', fires: []},
	{alert: 'CallHomeStoreFilling', title: 'is silent for a small store with 65 MiB', series: room(20, 65), at: '30m', fires: []},
	{
		alert: 'CallHomeStoreFilling',
		title: 'fires for a small store with 63 MiB',
		series: room(20, 63),
		at: '30m',
		fires: fires('66060288'),
	},
	{
		alert: 'CallHomeClockOff',
		title: 'fires above a minute, after ten minutes',
		series: one('callhome_clock_time_seconds', '-62+60x60'),
		at: '10m',
		fires: fires('1m 2s'),
	},
	{
		alert: 'CallHomeClockOff',
		title: 'is silent below a minute',
		series: one('callhome_clock_time_seconds', '-58+60x60'),
		at: '30m',
		fires: [],
	},
];

const machine = {host_name: 'db01', callhome_system_serial_number: 'J1A2B3C'};
const part = {...machine, hw_type: 'physical_disk', hw_id: 'drive-3', hw_name: 'Drive 3'};
const state = (name: string, values: string) => one('hw_status', values, {...part, hw_state: name});
const reports = (values = always(1800)) => one('callhome_heartbeat_interval_seconds', values);
const silent = [{severity: 'warning', labels: {...i1, ...machine}}] as const;

const machineCases: readonly AlertCase[] = [
	{
		alert: 'CallHomeLedgerBroken',
		title: 'is silent for what is acknowledged within minutes',
		series: one('callhome_ledger_breaks', '0x9 1x4 0x60', {callhome_ledger_break: 'hash'}),
		at: '14m',
		fires: [],
	},
	{
		alert: 'CallHomeHardwareAboutToFail',
		title: 'is silent for a sensor that flaps',
		series: state('predicted_failure', '0x9 1x4 0x60'),
		at: '14m',
		fires: [],
	},
	{
		alert: 'CallHomeSystemSilent',
		title: 'is silent for half an hour after the last reading',
		series: {...reports(), ...state('ok', '1x60 stale')},
		at: '94m',
		fires: [],
	},
	{
		alert: 'CallHomeSystemSilent',
		title: 'fires then',
		series: {...reports(), ...state('ok', '1x60 stale')},
		at: '97m',
		fires: silent,
	},
	{
		alert: 'CallHomeSystemSilent',
		title: 'still fires nearly a day later',
		series: {...reports(), ...state('ok', '1x60 stale')},
		at: '1490m',
		fires: silent,
	},
	{
		alert: 'CallHomeSystemSilent',
		title: 'ends a day after the last reading',
		series: {...reports(), ...state('ok', '1x60 stale')},
		at: '1502m',
		fires: [],
	},
];

export const limitRoomCases: readonly AlertCase[] = [...roomCases, ...machineCases];
