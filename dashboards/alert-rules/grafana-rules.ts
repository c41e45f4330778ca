import {stringify} from 'yaml';
import type {AlertRule, RuleGroup} from './rule.ts';
import {type RuleFileOptions, runbooksInRepository} from './rule-file.ts';

/** The data source that dashboards/provisioning makes. A site that has its own names its uid. */
export const prometheusUid = 'callhome-prometheus';

const header = '# Generated from dashboards/alert-rules by "npm run -s rules": a change here would be overwritten.\n';

/** The same rules for Grafana's own alerting, as a file for `provisioning/alerting`. */
export const grafanaRulesText = (
	groups: readonly RuleGroup[],
	{runbooks = runbooksInRepository, datasource = prometheusUid}: RuleFileOptions & {datasource?: string} = {},
): string =>
	header +
	stringify(
		{
			apiVersion: 1,
			groups: groups.map(({name, rules}) => ({
				orgId: 1,
				name,
				folder: 'Call home',
				interval: '1m',
				rules: rules.map(rule => grafanaRule(rule, runbooks, datasource)),
			})),
		},
		{lineWidth: 0, aliasDuplicateObjects: false},
	);

/** Each series that the query returns fires, whatever its value: PromQL has compared already. Nothing returned is well. */
const grafanaRule = ({alert, severity, expr, for: span, ...texts}: AlertRule, runbooks: string, datasource: string) => ({
	uid: uidOf(alert, severity),
	title: `${alert} (${severity})`,
	condition: 'C',
	data: [
		{
			refId: 'A',
			relativeTimeRange: {from: 600, to: 0},
			datasourceUid: datasource,
			model: {refId: 'A', expr, instant: true, range: false},
		},
		{
			refId: 'C',
			relativeTimeRange: {from: 0, to: 0},
			datasourceUid: '__expr__',
			model: {refId: 'C', type: 'math', expression: 'is_number($A) || is_inf($A)'},
		},
	],
	noDataState: 'OK',
	execErrState: 'Error',
	for: span,
	labels: {severity, alert},
	annotations: {
		...Object.fromEntries((['summary', 'description', 'impact', 'action'] as const).map(name => [name, inGrafana(texts[name])])),
		runbook_url: `${runbooks}${alert}.md`,
	},
});

/** Prometheus' `$value` is a number; in Grafana it is a text about all queries, and the number is that of query A. */
const inGrafana = (text: string) => text.replaceAll('$value', '$values.A.Value');

/** At most 40 characters, and none but letters, digits, hyphen and underscore. */
export const uidOf = (alert: string, severity: string): string =>
	`ch${alert.replace(/^CallHome/, '').replaceAll(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}-${severity}`;
