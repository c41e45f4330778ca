import {Document} from 'yaml';
import {siteLabel} from './terms.ts';

/** What one alert says already, a lesser one need not repeat. */
type Inhibition = {
	readonly source_matchers: readonly string[];
	readonly target_matchers: readonly string[];
	readonly equal: readonly string[];
};

const bridge = ['job', 'instance', siteLabel] as const;

export const inhibitions: readonly Inhibition[] = [
	{
		source_matchers: ['alertname="CallHomeBridgeAbsent"'],
		target_matchers: [
			'alertname=~"CallHome.+"',
			'alertname!~"CallHomeBridgeAbsent|CallHomeNoBridge|CallHomeWatchdog|CallHomeLedgerBroken"',
		],
		equal: bridge,
	},
	{
		source_matchers: ['alertname="CallHomePathsExhausted"'],
		target_matchers: [
			'alertname=~"CallHome(PathDegraded|StageFailing|PrimaryServerLost|HeartbeatMissed|HeartbeatOverdue|QueueFilling|InventoryStale)"',
		],
		equal: bridge,
	},
	{
		source_matchers: ['alertname=~"CallHome(HeartbeatMissed|HeartbeatOverdue)"'],
		target_matchers: ['alertname="CallHomeInventoryStale"'],
		equal: bridge,
	},
	{
		source_matchers: ['alertname="CallHomeSystemSilent"'],
		target_matchers: ['alertname="CallHomeInventoryStale"'],
		equal: [...bridge, 'host_name'],
	},
	{
		source_matchers: ['alertname="CallHomeProblemStuck"'],
		target_matchers: ['alertname=~"CallHome(ProblemUndelivered|DeliveryObjectiveBurning)"'],
		equal: bridge,
	},
	{
		source_matchers: ['alertname="CallHomeHardwareFailed"'],
		target_matchers: ['alertname="CallHomeHardwareAboutToFail"'],
		equal: [...bridge, 'host_name', 'hw_id'],
	},
	{
		source_matchers: ['severity="critical"'],
		target_matchers: ['alertname=~"CallHome.+"', 'severity=~"warning|info"'],
		equal: ['alertname', ...bridge, 'callhome_certificate'],
	},
];

/** The first route, and the last one for this alert: nobody is told of it, but the service that misses it. */
const watchdogRoute = {
	matchers: ['alertname="CallHomeWatchdog"'],
	receiver: 'dead_mans_switch',
	group_by: ['alertname'],
	group_wait: '0s',
	group_interval: '1m',
	repeat_interval: '1m',
};

const header = ` Generated from dashboards/alert-rules by "npm run -s rules": a change here would be overwritten.
 A whole configuration of Alertmanager: take "inhibit_rules" and the route of the watchdog into yours, and name your own receivers.
 "dead_mans_switch" takes the webhook of a service outside that alarms when nothing comes for ten minutes.`;

/** A configuration that Alertmanager takes as it is, and that tells nobody yet. */
export function alertmanagerText(): string {
	const content = {
		route: {
			receiver: 'nobody',
			group_by: ['alertname', ...bridge],
			routes: [
				watchdogRoute,
				{matchers: ['alertname=~"CallHome.+"', 'severity="critical"'], receiver: 'nobody', group_wait: '10s'},
			],
		},
		receivers: [{name: 'nobody'}, {name: watchdogRoute.receiver}],
		inhibit_rules: inhibitions,
	};
	const document = new Document(content, {aliasDuplicateObjects: false});
	document.commentBefore = header;
	return document.toString({lineWidth: 0});
}
