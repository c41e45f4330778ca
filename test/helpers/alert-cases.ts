import type {AlertCase} from './promtool.ts';

/**
When each rule fires and when it stays silent. The names of the series are written out: a metric that is renamed without its
dashboards and alerts is to be noticed here.
*/

export const i1 = {job: 'callhome-bridge', instance: 'i1'};
export const i2 = {job: 'callhome-bridge', instance: 'i2'};
export const ibm = {callhome_destination: 'esupport.ibm.com:443'};
export const backup = {callhome_destination: 'backup.ibm.com:443'};
export const proxy = {callhome_connection: 'proxy proxy.example:3128'};
export const direct = {callhome_connection: 'direct'};

/** Bridges with the name of the first one. */
export const otherJob = {job: 'callhome-other', instance: 'i1'};
export const otherSite = {...i1, site: 'Bern'};

export type Labels = Readonly<Record<string, string>>;

export const series = (name: string, labels: Labels): string =>
	`${name}{${Object.entries(labels)
		.map(([label, value]) => `${label}=${JSON.stringify(value)}`)
		.join(', ')}}`;

export const always = (value: number) => `${value}+0x3000`;

export const beats = (last: string, {overdue = always(0), interval = always(1800)} = {}, who: Labels = i1) => ({
	[series('callhome_heartbeat_last_success_timestamp_seconds', who)]: last,
	[series('callhome_heartbeat_interval_seconds', who)]: interval,
	[series('callhome_heartbeat_overdue', who)]: overdue,
});

const states = ['connected', 'degraded', 'disconnected', 'unknown'] as const;

/** All four series of a path. */
export const path = (connection: Labels, destination: Labels, state: (typeof states)[number], who: Labels = i1) =>
	Object.fromEntries(
		states.map(name => [
			series('callhome_connection_status', {...who, ...connection, ...destination, callhome_connection_state: name}),
			always(name === state ? 1 : 0),
		]),
	);

/** The same path, lost for ten minutes and well before and after. */
const pathWithGap = (connection: Labels, destination: Labels) => {
	const of = (state: string) => ({...i1, ...connection, ...destination, callhome_connection_state: state});
	return {
		[series('callhome_connection_status', of('connected'))]: '1x9 0x9 1x60',
		[series('callhome_connection_status', of('disconnected'))]: '0x9 1x9 0x60',
	};
};

export const exhausted = (values: string, destination: Labels = ibm) => ({
	[series('callhome_connection_exhausted', {...i1, ...destination})]: values,
});
export const oldest = (values: string) => ({[series('callhome_queue_oldest_age_seconds', i1)]: values});

const heartbeatCases: readonly AlertCase[] = [
	{
		alert: 'CallHomeHeartbeatMissed',
		title: 'fires when the last answer is older than three intervals of this bridge',
		series: {...beats(always(0)), ...beats(always(0), {interval: always(7200)}, i2)},
		at: '105m',
		fires: [{severity: 'critical', labels: i1, value: '1h 45m 0s'}],
	},
	{
		alert: 'CallHomeHeartbeatMissed',
		title: 'is silent while heartbeats are answered',
		series: beats('0+60x200'),
		at: '180m',
		fires: [],
	},
	{
		alert: 'CallHomeHeartbeatMissed',
		title: 'is silent at a start after a day, whose first heartbeat is answered within minutes',
		series: beats(`_x1440 0x5 ${1446 * 60}+0x30`, {overdue: '_x1440 0x40', interval: '_x1440 1800x40'}),
		at: '1444m',
		fires: [],
	},
	{
		alert: 'CallHomeHeartbeatMissed',
		title: 'is silent where no heartbeats are sent any more',
		series: {
			[series('callhome_heartbeat_last_success_timestamp_seconds', i1)]: always(0),
			[series('callhome_heartbeat_interval_seconds', i1)]: always(1800),
		},
		at: '300m',
		fires: [],
	},
	{
		alert: 'CallHomeHeartbeatOverdue',
		title: 'fires when none was ever answered',
		series: {
			[series('callhome_heartbeat_interval_seconds', i1)]: always(1800),
			[series('callhome_heartbeat_overdue', i1)]: '0x89 1x60',
		},
		at: '100m',
		fires: [{severity: 'critical', labels: i1}],
	},
	{
		alert: 'CallHomeHeartbeatOverdue',
		title: 'fires when the clock of the bridge hides how old the last answer is',
		series: beats(always(100_000), {overdue: '0x89 1x60'}),
		at: '100m',
		fires: [{severity: 'critical', labels: i1}],
	},
	{
		alert: 'CallHomeHeartbeatOverdue',
		title: 'is silent when the missed heartbeat is alarmed already',
		series: beats(always(0), {overdue: '0x90 1x60'}),
		at: '140m',
		fires: [],
	},
	{
		alert: 'CallHomeHeartbeatOverdue',
		title: 'is silent at a restart that ends it',
		series: beats('_x10 600+0x60', {overdue: '_x10 1x3 0x60'}),
		at: '13m',
		fires: [],
	},
];

const presenceCases: readonly AlertCase[] = [
	{
		alert: 'CallHomeBridgeAbsent',
		title: 'fires for the one bridge whose series ended, and names it',
		since: 21,
		series: {
			[series('callhome_heartbeat_interval_seconds', i1)]: '1800x20 stale',
			[series('callhome_heartbeat_interval_seconds', i2)]: always(1800),
		},
		at: '60m',
		fires: [{severity: 'critical', labels: i1}],
	},
	{
		alert: 'CallHomeBridgeAbsent',
		title: 'fires with the site, also where another site has a bridge of the same name',
		series: {
			[series('callhome_heartbeat_interval_seconds', {...i1, site: 'Zürich'})]: '1800x20 stale',
			[series('up', {...i1, site: 'Zürich'})]: '1x20 0x60',
			[series('callhome_heartbeat_interval_seconds', {...i1, site: 'Bern'})]: always(1800),
			[series('up', {...i1, site: 'Bern'})]: always(1),
		},
		at: '60m',
		fires: [{severity: 'critical', labels: {...i1, site: 'Zürich'}}],
	},
	{
		alert: 'CallHomeBridgeAbsent',
		title: 'fires for a target that never answered',
		series: {[series('up', i1)]: always(0), [series('up', i2)]: always(1), [series('up', {...i2, job: 'node'})]: always(0)},
		at: '10m',
		fires: [{severity: 'critical', labels: i1}],
	},
	{
		alert: 'CallHomeBridgeAbsent',
		title: 'still fires after two days while the target is configured',
		series: {
			[series('callhome_heartbeat_interval_seconds', i1)]: '1800x20 stale',
			[series('up', i1)]: '1x20 0x2900',
		},
		at: '2880m',
		fires: [{severity: 'critical', labels: i1}],
	},
	{
		alert: 'CallHomeBridgeAbsent',
		title: 'is silent over a restart of the bridge',
		series: {
			[series('callhome_heartbeat_interval_seconds', i1)]: '1800x20 stale _x3 1800x60',
			[series('up', i1)]: '1x20 0x3 1x60',
		},
		at: '23m',
		fires: [],
	},
	{
		alert: 'CallHomeBridgeAbsent',
		title: 'is silent after an hour without Prometheus',
		series: {[series('callhome_heartbeat_interval_seconds', i1)]: '1800x20 _x60 1800x60'},
		at: '83m',
		fires: [],
	},
	{
		alert: 'CallHomeNoBridge',
		title: 'fires when the last bridge was gone for a day',
		since: 21,
		series: {[series('callhome_heartbeat_interval_seconds', i1)]: '1800x20 stale'},
		at: '1480m',
		fires: [{severity: 'critical', labels: {}}],
	},
	{
		alert: 'CallHomeNoBridge',
		title: 'is silent while a bridge is only absent',
		series: {[series('callhome_heartbeat_interval_seconds', i1)]: '1800x20 stale'},
		at: '1000m',
		fires: [],
	},
	{
		alert: 'CallHomeNoBridge',
		title: 'is silent while a target that is down says it already',
		series: {[series('up', i1)]: always(0)},
		at: '2000m',
		fires: [],
	},
	{alert: 'CallHomeNoBridge', title: 'is silent while the first bridge is connected', series: {}, at: '10m', fires: []},
];

const watchdogCases: readonly AlertCase[] = [
	{
		alert: 'CallHomeWatchdog',
		title: 'fires at once and at all times, whatever the bridges have to say',
		series: {
			[series('callhome_heartbeat_interval_seconds', i1)]: always(1800),
			[series('callhome_heartbeat_interval_seconds', i2)]: always(1800),
			[series('callhome_heartbeat_overdue', i1)]: always(1),
		},
		at: '0m',
		fires: [{severity: 'none', labels: {}, value: '2'}],
	},
	{
		alert: 'CallHomeWatchdog',
		title: 'goes on while one of two bridges is gone, and while the last is restarted',
		series: {
			[series('callhome_heartbeat_interval_seconds', i1)]: '1800x20 stale',
			[series('callhome_heartbeat_interval_seconds', i2)]: '1800x100 stale _x13 1800x60',
		},
		at: '113m',
		fires: [{severity: 'none', labels: {}, value: '1'}],
	},
	{
		alert: 'CallHomeWatchdog',
		title: 'ends with the last bridge',
		series: {[series('callhome_heartbeat_interval_seconds', i1)]: '1800x20 stale'},
		at: '36m',
		fires: [],
	},
	{
		alert: 'CallHomeWatchdog',
		title: 'is silent where there is no bridge',
		series: {[series('up', i1)]: always(1)},
		at: '60m',
		fires: [],
	},
];

const connectionCases: readonly AlertCase[] = [
	{
		alert: 'CallHomePathsExhausted',
		title: 'fires with the age of the oldest problem',
		series: {...exhausted(always(1)), ...oldest('0+60x100')},
		at: '6m',
		fires: [{severity: 'critical', labels: {...i1, ...ibm}, value: '6m 0s'}],
	},
	{
		alert: 'CallHomePathsExhausted',
		title: 'fires although the age is not known, and names the one bridge',
		series: {
			...exhausted(always(1)),
			[series('callhome_connection_exhausted', {...i2, ...ibm})]: always(0),
			[series('callhome_queue_oldest_age_seconds', i2)]: always(0),
		},
		at: '20m',
		fires: [{severity: 'critical', labels: {...i1, ...ibm}, value: '0s'}],
	},
	{
		alert: 'CallHomePathsExhausted',
		title: 'fires with the age of its own site, where another one has a bridge of the same name',
		series: Object.assign(
			{},
			...[
				{site: 'Zürich', age: '0+60x100'},
				{site: 'Bern', age: always(0)},
			].map(({site, age}) => ({
				[series('callhome_connection_exhausted', {...i1, ...ibm, site})]: always(site === 'Zürich' ? 1 : 0),
				[series('callhome_queue_oldest_age_seconds', {...i1, site})]: age,
			})),
		),
		at: '6m',
		fires: [{severity: 'critical', labels: {...i1, ...ibm, site: 'Zürich'}, value: '6m 0s'}],
	},
	{
		alert: 'CallHomePathsExhausted',
		title: 'is silent at a start whose first attempts fail',
		series: {...exhausted('1x4 0x100'), ...oldest('0x100')},
		at: '4m',
		fires: [],
	},
	{
		alert: 'CallHomePathsExhausted',
		title: 'is silent while there is a way',
		series: {...exhausted(always(0)), ...oldest('0+60x100')},
		at: '60m',
		fires: [],
	},
	{
		alert: 'CallHomePathDegraded',
		title: 'fires for the proxy that leads nowhere while the direct way works',
		series: {...path(proxy, ibm, 'disconnected'), ...path(proxy, backup, 'unknown'), ...path(direct, ibm, 'connected')},
		at: '20m',
		fires: [{severity: 'warning', labels: {...i1, ...proxy}}],
	},
	{
		alert: 'CallHomePathDegraded',
		title: 'is silent while the proxy still leads to a backup server',
		series: {...path(proxy, ibm, 'disconnected'), ...path(proxy, backup, 'degraded'), ...path(direct, ibm, 'connected')},
		at: '60m',
		fires: [],
	},
	{
		alert: 'CallHomePathDegraded',
		title: 'is silent when nothing works: that is another alert',
		series: {...path(proxy, ibm, 'disconnected'), ...path(direct, ibm, 'disconnected'), ...path(direct, ibm, 'connected', i2)},
		at: '60m',
		fires: [],
	},
	{
		alert: 'CallHomePathDegraded',
		title: 'is silent at a start, when nothing was used yet',
		series: {...path(proxy, ibm, 'connected'), ...path(direct, ibm, 'unknown')},
		at: '60m',
		fires: [],
	},
	{
		alert: 'CallHomePathDegraded',
		title: 'is silent while the proxy is restarted',
		series: {...pathWithGap(proxy, ibm), ...path(direct, ibm, 'connected')},
		at: '19m',
		fires: [],
	},
	{
		alert: 'CallHomePrimaryServerLost',
		title: 'is silent while the primary is restarted',
		series: {...pathWithGap(direct, ibm), ...path(direct, backup, 'connected'), ...exhausted(always(0))},
		at: '19m',
		fires: [],
	},
	{
		alert: 'CallHomePrimaryServerLost',
		title: 'fires when the primary is reached over no connection, and the backup is',
		series: {
			...path(proxy, ibm, 'disconnected'),
			...path(direct, ibm, 'unknown'),
			...path(proxy, backup, 'connected'),
			...exhausted(always(0)),
		},
		at: '20m',
		fires: [{severity: 'warning', labels: {...i1, ...ibm}}],
	},
	{
		alert: 'CallHomePrimaryServerLost',
		title: 'is silent when a backup is lost, and when another connection leads to the primary',
		series: {
			...path(proxy, ibm, 'disconnected'),
			...path(direct, ibm, 'connected'),
			...path(proxy, backup, 'disconnected'),
			...exhausted(always(0)),
		},
		at: '60m',
		fires: [],
	},
	{
		alert: 'CallHomePrimaryServerLost',
		title: 'is silent when no way is left: that is another alert',
		series: {...path(direct, ibm, 'disconnected'), ...path(direct, backup, 'disconnected'), ...exhausted(always(1))},
		at: '60m',
		fires: [],
	},
];

export const stage = (values: string, more: Labels = {}) => ({
	[series('callhome_connection_stage_failures_total', {
		...i1,
		...proxy,
		...ibm,
		callhome_connection_stage: 'proxy_authentication',
		error_type: 'ERR_PROXY_AUTHENTICATION',
		...more,
	})]: values,
});

const stageCases: readonly AlertCase[] = [
	{
		alert: 'CallHomeStageFailing',
		title: 'fires with the name of the broken stage, at two heartbeats an hour',
		series: {...path(proxy, ibm, 'disconnected'), ...stage('1x29 2x29 3x29 4x29 5x29 6x29')},
		at: '170m',
		fires: [
			{
				severity: 'warning',
				labels: {
					...i1,
					...proxy,
					...ibm,
					callhome_connection_stage: 'proxy_authentication',
					error_type: 'ERR_PROXY_AUTHENTICATION',
				},
			},
		],
	},
	{
		alert: 'CallHomeStageFailing',
		title: 'is silent once the path works again',
		series: {...path(proxy, ibm, 'connected'), ...stage('1+1x60')},
		at: '60m',
		fires: [],
	},
	{
		alert: 'CallHomeStageFailing',
		title: 'is silent when the failures lie back, and when they are those of another server',
		series: {
			...path(proxy, ibm, 'degraded'),
			...stage('0+1x20 20x200'),
			...stage('1+1x200', {callhome_destination: 'otel.example:4318'}),
		},
		at: '180m',
		fires: [],
	},
	{
		alert: 'CallHomeStageFailing',
		title: 'is silent while it is not sure that it goes on',
		series: {...path(proxy, ibm, 'degraded'), ...stage('0x10 1 2 3 4x60')},
		at: '20m',
		fires: [],
	},
	{
		alert: 'CallHomeStageFailing',
		title: 'is silent after one failure, and after a restart that counts anew',
		series: {...path(proxy, ibm, 'degraded'), ...stage('7x60 1x60')},
		at: '80m',
		fires: [],
	},
];

const problemCases: readonly AlertCase[] = [
	{
		alert: 'CallHomeProblemUndelivered',
		title: 'fires after fifteen minutes',
		series: oldest('0+60x60'),
		at: '17m',
		fires: [{severity: 'critical', labels: i1, value: '17m 0s'}],
	},
	{alert: 'CallHomeProblemUndelivered', title: 'is silent before', series: oldest('0+60x60'), at: '14m', fires: []},
	{
		alert: 'CallHomeProblemUndelivered',
		title: 'is silent at a start after a day that delivers what waited',
		series: oldest('_x5 86400 86460 86520 0x60'),
		at: '11m',
		fires: [],
	},
];

const certificate = (end: number, name = 'esupport.ibm.com:443') => ({
	[series('callhome_certificate_expiry_timestamp_seconds', {...i1, callhome_certificate: name})]: always(end),
});
const dayAndHour = 25 * 3600;
const ofIbm = {...i1, callhome_certificate: 'esupport.ibm.com:443'};

const certificateCases: readonly AlertCase[] = [
	{
		alert: 'CallHomeCertificateExpiring',
		title: 'warns within fourteen days',
		series: {...certificate(10 * dayAndHour), ...certificate(400 * dayAndHour, 'proxy.example:3128')},
		at: '60m',
		fires: [{severity: 'warning', labels: ofIbm, value: '10d 9h 0m 0s'}],
	},
	{
		alert: 'CallHomeCertificateExpiring',
		title: 'is critical within three days, and no warning then',
		series: certificate(2 * dayAndHour),
		at: '60m',
		fires: [{severity: 'critical', labels: ofIbm, value: '2d 1h 0m 0s'}],
	},
	{
		alert: 'CallHomeCertificateExpiring',
		title: 'stays critical when it has ended',
		series: certificate(1800),
		at: '60m',
		fires: [{severity: 'critical', labels: ofIbm, value: '-30m 0s'}],
	},
	{
		alert: 'CallHomeCertificateExpiring',
		title: 'is silent while servers show an old and a new one by turns',
		series: {
			[series('callhome_certificate_expiry_timestamp_seconds', ofIbm)]: `${2 * dayAndHour}x10 ${90 * dayAndHour}x10`,
		},
		at: '10m',
		fires: [],
	},
	{
		alert: 'CallHomeCertificateExpiring',
		title: 'is silent for one that is good for longer',
		series: certificate(20 * dayAndHour),
		at: '60m',
		fires: [],
	},
];

export const update = (values: string) => ({
	[series('callhome_update_waiting', {...i1, callhome_update_kind: 'program'})]: values,
});
export const request = (decision: string, values: string, who: Labels = i1) => ({
	[series('callhome_support_proxy_requests_total', {...who, callhome_support_proxy_decision: decision})]: values,
});

const operatorCases: readonly AlertCase[] = [
	{
		alert: 'CallHomeUpdateWaiting',
		title: 'tells of an update after an hour',
		series: update(always(1)),
		at: '61m',
		fires: [{severity: 'info', labels: {...i1, callhome_update_kind: 'program'}}],
	},
	{
		alert: 'CallHomeUpdateWaiting',
		title: 'is silent for one that is applied at once, and for none',
		series: {...update('0x5 1x30 0x90')},
		at: '35m',
		fires: [],
	},
	{
		alert: 'CallHomeSupportProxyRefusing',
		title: 'tells what is refused, and not the questions for a password that were answered',
		series: {...request('not_listed', '0+2x60'), ...request('unauthenticated', '0+5x60'), ...request('allowed', '0+5x60')},
		at: '40m',
		fires: [{severity: 'info', labels: {...i1, callhome_support_proxy_decision: 'not_listed'}, value: '30'}],
	},
	{
		alert: 'CallHomeSupportProxyRefusing',
		title: 'tells of wrong passwords, although nothing was ever allowed',
		series: request('unauthenticated', '0+5x60'),
		at: '40m',
		fires: [{severity: 'info', labels: {...i1, callhome_support_proxy_decision: 'unauthenticated'}, value: '75'}],
	},
	{
		alert: 'CallHomeSupportProxyRefusing',
		title: 'is silent for a few, and at a restart',
		series: {...request('port', '0+1x60'), ...request('not_listed', '1000x30 1x30'), ...request('allowed', '0+5x60')},
		at: '40m',
		fires: [],
	},
	{
		alert: 'CallHomeSupportProxyRefusing',
		title: 'is silent for one client that tries for a minute',
		series: request('not_listed', '0x20 40x60'),
		at: '24m',
		fires: [],
	},
	{
		alert: 'CallHomeSandboxInUse',
		title: 'tells of a bridge that is left on the sandbox',
		series: {[series('callhome_sandbox_in_use', i1)]: always(1), [series('callhome_sandbox_in_use', i2)]: always(0)},
		at: '61m',
		fires: [{severity: 'info', labels: i1}],
	},
	{
		alert: 'CallHomeSandboxInUse',
		title: 'is silent during a short trial',
		series: {[series('callhome_sandbox_in_use', i1)]: always(1)},
		at: '50m',
		fires: [],
	},
];

export const connectivityCases: readonly AlertCase[] = [
	...heartbeatCases,
	...presenceCases,
	...watchdogCases,
	...connectionCases,
	...stageCases,
	...problemCases,
	...certificateCases,
	...operatorCases,
];
