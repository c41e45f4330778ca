import {always, i1, i2, type Labels, otherJob, otherSite, series} from './alert-cases.ts';
import {entries} from './alert-cases-ledger.ts';
import type {AlertCase} from './promtool.ts';

/** What has stopped: a machine that is not read any more, a ledger that is not verified. Others of the same name do not answer for it. */

const others = [i2, otherJob, otherSite];
const ofOthers = (of: (who: Labels) => Readonly<Record<string, string>>) =>
	Object.assign({}, ...others.map(of)) as Record<string, string>;

const unnumbered = {host_name: 'db01'};
const numbered = {host_name: 'db01', callhome_system_serial_number: 'J1A2B3C'};
const read = (values: string, machine: Labels, who: Labels = i1) => ({
	[series('hw_status', {...who, ...machine, hw_type: 'fan', hw_id: 'fan-1', hw_state: 'ok'})]: values,
});
const reports = (values = always(1800), who: Labels = i1) => ({[series('callhome_heartbeat_interval_seconds', who)]: values});
const silent = (machine: Labels) => ({severity: 'warning' as const, labels: {...i1, ...machine}});

const machineCases: readonly AlertCase[] = [
	{
		title: 'fires although machines of that name have got a number elsewhere, and another one here',
		series: {
			...reports(),
			...read('1x20 stale', unnumbered),
			...read(always(1), {host_name: 'db02', callhome_system_serial_number: 'J4D5E6F'}),
			...ofOthers(who => ({...reports(always(1800), who), ...read(always(1), numbered, who)})),
		},
		at: '90m',
		fires: [silent(unnumbered)],
	},
	{
		title: 'is silent when the bridge has gone since, although others report',
		series: {...reports('1800x75 stale'), ...read('1x20 stale', numbered), ...ofOthers(who => reports(always(1800), who))},
		at: '86m',
		fires: [],
	},
	{
		title: 'is silent when the bridge is just back, although others were there',
		series: {
			...reports('1800x20 _x120 1800x200'),
			...read('1x20 stale', numbered),
			...ofOthers(who => reports(always(1800), who)),
		},
		at: '165m',
		fires: [],
	},
	{
		title: 'fires half an hour after the bridge is back, for what is still silent',
		series: {...reports('1800x20 _x120 1800x200'), ...read('1x20 stale', numbered)},
		at: '180m',
		fires: [silent(numbered)],
	},
	{
		title: 'is silent 21 hours after a serial number became known',
		series: {...reports(), ...read('1x20 stale', unnumbered), ...read('_x22 1x1600', numbered)},
		at: '1300m',
		fires: [],
	},
	{
		title: 'fires under both names when the machine falls silent later',
		series: {...reports(), ...read('1x20 stale', unnumbered), ...read('_x22 1x38 stale', numbered)},
		at: '99m',
		fires: [silent(unnumbered), silent(numbered)],
	},
].map(one => ({alert: 'CallHomeSystemSilent', ...one}));

const verified = (values: string, who: Labels = i1) => ({
	[series('callhome_ledger_verification_timestamp_seconds', who)]: values,
});
const clock = (who: Labels = i1) => ({[series('callhome_clock_time_seconds', who)]: '0+60x1000'});
const wellElsewhere = ofOthers(who => ({...entries(always(9), who), ...clock(who), ...verified('0+60x1000', who)}));
const never = [{severity: 'warning' as const, labels: i1, value: '0s'}];

const ledgerCases: readonly AlertCase[] = [
	{
		title: 'fires three hours after the last one that a restart still knew of',
		series: {...entries(always(9)), ...clock(), ...verified('0x100 6060x100 _x300')},
		at: '385m',
		fires: never,
	},
	{
		title: 'fires when there never was one, although the ledgers of others are verified',
		series: {...entries(always(9)), ...clock(), ...wellElsewhere},
		at: '185m',
		fires: never,
	},
	{
		title: 'is silent at a first start, although others have run for hours',
		series: {...entries('_x100 0x200'), ...clock(), ...wellElsewhere},
		at: '200m',
		fires: [],
	},
].map(one => ({alert: 'CallHomeLedgerUnverified', ...one}));

export const silenceCases: readonly AlertCase[] = [...machineCases, ...ledgerCases];
