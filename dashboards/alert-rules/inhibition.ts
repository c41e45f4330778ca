import {Document} from 'yaml';

/** What one alert says already, a lesser one need not repeat. */
type Inhibition = {
	readonly source_matchers: readonly string[];
	readonly target_matchers: readonly string[];
	readonly equal: readonly string[];
};

const bridge = ['job', 'instance'] as const;

export const inhibitions: readonly Inhibition[] = [
	{
		source_matchers: ['alertname="CallHomeBridgeAbsent"'],
		target_matchers: ['alertname=~"CallHome.+"', 'alertname!~"CallHomeBridgeAbsent|CallHomeNoBridge"'],
		equal: bridge,
	},
	{
		source_matchers: ['alertname="CallHomePathsExhausted"'],
		target_matchers: [
			'alertname=~"CallHome(PathDegraded|StageFailing|PrimaryServerLost|HeartbeatMissed|HeartbeatOverdue|QueueFilling)"',
		],
		equal: bridge,
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

const header = ` Generated from dashboards/alert-rules by "npm run -s rules": a change here would be overwritten.
 A whole configuration of Alertmanager: take "inhibit_rules" into yours, and name your own receiver.`;

/** A configuration that Alertmanager takes as it is, and that tells nobody yet. */
export function alertmanagerText(): string {
	const content = {
		route: {
			receiver: 'nobody',
			group_by: ['alertname', ...bridge],
			routes: [{matchers: ['alertname=~"CallHome.+"', 'severity="critical"'], receiver: 'nobody', group_wait: '10s'}],
		},
		receivers: [{name: 'nobody'}],
		inhibit_rules: inhibitions,
	};
	const document = new Document(content, {aliasDuplicateObjects: false});
	document.commentBefore = header;
	return document.toString({lineWidth: 0});
}
