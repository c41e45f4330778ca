import {
	always,
	backup,
	beats,
	direct,
	exhausted,
	i1,
	i2,
	ibm,
	type Labels,
	oldest,
	otherJob,
	otherSite,
	path,
	proxy,
	request,
	series,
	stage,
	update,
} from './alert-cases.ts';
import {entries, wentBack} from './alert-cases-ledger.ts';
import {answers, intake, problems} from './alert-cases-problems.ts';
import {silenceCases} from './alert-cases-silence.ts';
import type {AlertCase} from './promtool.ts';

/**
Each part of an expression by itself: what another bridge does must not answer for this one, a restart takes nothing away, and
what has gone out of a range counts no more.
*/

const interval = (who: Labels) => ({[series('callhome_heartbeat_interval_seconds', who)]: always(1800)});

const heartbeatCases: readonly AlertCase[] = [
	{
		alert: 'CallHomeHeartbeatOverdue',
		title: 'fires while the last answer is not three intervals old',
		series: beats(always(0), {overdue: '0x59 1x200'}),
		at: '75m',
		fires: [{severity: 'critical', labels: i1}],
	},
	{
		alert: 'CallHomeHeartbeatOverdue',
		title: 'is silent when it is a little more than three intervals old: that is another alert',
		series: beats(always(0), {overdue: '0x59 1x200'}),
		at: '110m',
		fires: [],
	},
	{
		alert: 'CallHomeWatchdog',
		title: 'counts bridges of one name by their jobs and their sites',
		series: {...interval(i1), ...interval(otherJob), ...interval(otherSite)},
		at: '30m',
		fires: [{severity: 'none', labels: {}, value: '3'}],
	},
];

const pathCases: readonly AlertCase[] = [
	{
		alert: 'CallHomePathsExhausted',
		title: 'fires with the age of its own bridge, beside one where nothing waits',
		series: {
			...exhausted(always(1)),
			...oldest('0+60x60'),
			[series('callhome_queue_oldest_age_seconds', i2)]: always(0),
		},
		at: '20m',
		fires: [{severity: 'critical', labels: {...i1, ...ibm}, value: '20m 0s'}],
	},
	{
		alert: 'CallHomePathDegraded',
		title: 'is silent when nothing works, although something does for bridges of the same name',
		series: {
			...path(proxy, ibm, 'disconnected'),
			...path(direct, ibm, 'disconnected'),
			...path(direct, ibm, 'connected', otherJob),
			...path(direct, ibm, 'connected', otherSite),
		},
		at: '60m',
		fires: [],
	},
	{
		alert: 'CallHomePrimaryServerLost',
		title: 'is silent about a server that was not used yet',
		series: {...path(direct, ibm, 'unknown'), ...path(direct, backup, 'connected'), ...exhausted(always(0))},
		at: '60m',
		fires: [],
	},
];

const broken = {callhome_connection_stage: 'proxy_authentication', error_type: 'ERR_PROXY_AUTHENTICATION'};

const stageCases: readonly AlertCase[] = [
	{
		alert: 'CallHomeStageFailing',
		title: 'is silent while only other paths are ill: of another bridge, job, site and connection',
		series: {
			...stage('1+1x90'),
			...path(proxy, ibm, 'connected'),
			...path(direct, ibm, 'degraded'),
			...Object.assign({}, ...[i2, otherJob, otherSite].map(who => path(proxy, ibm, 'degraded', who))),
		},
		at: '60m',
		fires: [],
	},
	{
		alert: 'CallHomeStageFailing',
		title: 'fires over a restart that counts anew',
		series: {...path(proxy, ibm, 'degraded'), ...stage('50+1x30 0+1x60')},
		at: '75m',
		fires: [{severity: 'warning', labels: {...i1, ...proxy, ...ibm, ...broken}}],
	},
	{
		alert: 'CallHomeStageFailing',
		title: 'is silent an hour after the last failure',
		series: {...path(proxy, ibm, 'degraded'), ...stage('0+1x20 20x200')},
		at: '100m',
		fires: [],
	},
];

const refused = (value: string, decision = 'unauthenticated') => [
	{severity: 'info' as const, labels: {...i1, callhome_support_proxy_decision: decision}, value},
];

const proxyCases: readonly AlertCase[] = [
	{
		title: 'is silent over a restart when each question for a password was answered',
		series: {...request('unauthenticated', '100+5x20 0+5x40'), ...request('allowed', '100+5x20 0+5x40')},
		at: '28m',
		fires: [],
	},
	{
		title: 'tells of wrong passwords over a restart',
		series: {...request('unauthenticated', '100+5x20 5+5x40'), ...request('allowed', '0+1x60')},
		at: '28m',
		fires: refused('75'),
	},
	{
		title: 'tells of wrong passwords of a quarter of an hour, and not of the last ten minutes only',
		series: {...request('unauthenticated', '0x10 100x60'), ...request('allowed', '0+2x60')},
		at: '24m',
		fires: refused('100'),
	},
	{
		title: 'tells of wrong passwords although some were right twenty minutes ago',
		series: {...request('unauthenticated', '0+5x60'), ...request('allowed', '0x20 200x60')},
		at: '42m',
		fires: refused('75'),
	},
	{
		title: 'tells what is refused beside another bridge that refuses nothing',
		series: {
			...request('unauthenticated', '0+5x60'),
			...request('allowed', '0+1x60'),
			...request('unauthenticated', '0+1x60', i2),
			...request('allowed', '0+5x60', i2),
		},
		at: '40m',
		fires: refused('75'),
	},
].map(one => ({alert: 'CallHomeSupportProxyRefusing', ...one}));

const warned = (value: string) => [{severity: 'warning' as const, labels: i1, value}];

const objectiveCases: readonly AlertCase[] = [
	{
		title: 'is not critical when a half was slow in the hour, and all in the last minutes',
		series: answers('0+10x200', '0+6x60 360x140'),
		at: '72m',
		fires: warned('50%'),
	},
	{
		title: 'is not critical when most were slow in the hour, and about a half in the last minutes',
		series: answers('0+10x200', '0+1x90 94+4x100'),
		at: '97m',
		fires: warned('87.84%'),
	},
	{
		title: 'does not warn of a quarter in the hours, although a half was slow in the last one',
		series: answers('0+10x500', '0+8x330 2645+5x100'),
		at: '372m',
		fires: [],
	},
	{
		title: 'does not warn any more when the last half hour was well',
		series: answers('0+10x500', '0+5x330 1660+9x100'),
		at: '380m',
		fires: [],
	},
	{
		title: 'does not warn when a quarter was slow in the last half hour',
		series: answers('0+20x500', '0+10x330 3315+15x100'),
		at: '380m',
		fires: [],
	},
	{
		title: 'is critical over a restart that counts anew',
		series: answers('100+1x40 0+1x60', always(0)),
		at: '75m',
		fires: [{severity: 'critical' as const, labels: i1, value: '100%'}, ...warned('100%')],
	},
].map(one => ({alert: 'CallHomeDeliveryObjectiveBurning', ...one}));

const countCases: readonly AlertCase[] = [
	{
		alert: 'CallHomeUpdateWaiting',
		title: 'is silent when no update waits',
		series: update(always(0)),
		at: '100m',
		fires: [],
	},
	{
		alert: 'CallHomeProblemRejected',
		title: 'fires for a single one',
		series: problems('rejected', always(1)),
		at: '10m',
		fires: warned('1'),
	},
	{
		alert: 'CallHomeIntakeRefusing',
		title: 'fires for a record every three minutes',
		series: intake('refused', '0x2 1x2 2x2 3x2 4x2 5x2 6x2 7x2 8x2 9x2'),
		at: '20m',
		fires: [{severity: 'critical', labels: i1, value: '1'}],
	},
	{
		alert: 'CallHomeIntakeRefusing',
		title: 'goes on over a restart that counts anew',
		series: intake('refused', '50+1x15 0+1x60'),
		at: '24m',
		fires: [{severity: 'critical', labels: i1, value: '5'}],
	},
];

const ledgerCases: readonly AlertCase[] = [
	{
		title: 'still fires 21 hours after a reset that was soon made up for',
		series: entries('100+1x60 150+5x1400'),
		at: '1320m',
		fires: [wentBack],
	},
	{
		title: 'fires although Prometheus wrote a zero more than a day ago',
		series: entries('0 100+1x1700 1500+50x100'),
		at: '1760m',
		fires: [wentBack],
	},
	{
		title: 'is silent 17 hours after a restart at which Prometheus wrote a zero',
		series: entries('0 100+1x60 _x3 0 160+1x2000'),
		at: '1100m',
		fires: [],
	},
	{
		title: 'fires for a day while another version has fewer entries',
		series: {
			...entries('100+1x60 stale', {...i1, otel_scope_version: '2.0.0'}),
			...entries('_x64 20x2000', {...i1, otel_scope_version: '1.9.0'}),
		},
		at: '1320m',
		fires: [wentBack],
	},
	{
		title: 'is silent when that lies more than a day back',
		series: {
			...entries('100+1x60 stale', {...i1, otel_scope_version: '2.0.0'}),
			...entries('_x64 20x2000', {...i1, otel_scope_version: '1.9.0'}),
		},
		at: '1600m',
		fires: [],
	},
].map(one => ({alert: 'CallHomeLedgerBroken', ...one}));

export const partCases: readonly AlertCase[] = [
	...heartbeatCases,
	...pathCases,
	...stageCases,
	...proxyCases,
	...objectiveCases,
	...countCases,
	...ledgerCases,
	...silenceCases,
];
