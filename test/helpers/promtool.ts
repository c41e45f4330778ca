import {execFile} from 'node:child_process';
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {stringify} from 'yaml';
import type {AlertRule} from '../../dashboards/alert-rules/rule.ts';
import {peer, requiredPeer} from './peer-binaries.ts';

/** An alert that fires: its labels beside its own name and severity, and its value as the texts show it. */
export type Firing = {
	readonly severity: AlertRule['severity'];
	readonly labels: Readonly<Record<string, string>>;
	readonly value?: string;
};

/** One minute of evaluation and scrape after another, from the Unix time 0 on. */
export type AlertCase = {
	readonly alert: string;
	readonly title: string;
	/** By the name and labels of a series: its values, one a minute, in promtool's notation. */
	readonly series: Readonly<Record<string, string>>;
	/** The minute in which the trouble begins; without it from the start. */
	readonly since?: number;
	/** When it is looked, such as `105m`. */
	readonly at: string;
	readonly fires: readonly Firing[];
};

type Said = {readonly ok: boolean; readonly output: string};

const run = (tool: string, args: readonly string[]): Promise<Said> =>
	new Promise(resolve => {
		execFile(requiredPeer(tool), args, {timeout: 300_000}, (error, stdout, stderr) =>
			resolve({ok: error === null, output: `${tool}: ${stdout}${stderr}`}),
		);
	});

/** What promtool says, and whether it found nothing wrong: that of Debian, and a newer one where it is there. */
export async function promtool(...args: readonly string[]): Promise<Said> {
	const tools = ['promtool', ...(peer('promtool3') || process.env.CI ? ['promtool3'] : [])];
	const said = await Promise.all(tools.map(tool => run(tool, args)));
	return {ok: said.every(({ok}) => ok), output: said.map(({output}) => output).join('\n')};
}

/** The texts of an alert as Prometheus fills them in: with the labels, and with the value where it stands. */
function rendered(text: string, {labels, value}: Firing): string {
	return text
		.replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, (_, label) => labels[label] ?? '')
		.replaceAll(/\{\{ \$value[^}]*\}\}/g, () => value ?? 'no value given');
}

function expected(rule: AlertRule, firing: Firing, runbooks: string) {
	const {summary, description, impact, action} = rule;
	const texts = Object.entries({summary, description, impact, action}).map(([name, text]) => [name, rendered(text, firing)]);
	return {
		exp_labels: {severity: firing.severity, ...firing.labels},
		exp_annotations: {...Object.fromEntries(texts), runbook_url: `${runbooks}${rule.alert}.md`},
	};
}

/** Writes the cases as a test file of promtool beside the rule file, and runs it. */
export async function runCases(
	directory: string,
	ruleFiles: readonly string[],
	rules: readonly AlertRule[],
	cases: readonly AlertCase[],
	runbooks: string,
): Promise<{readonly ok: boolean; readonly output: string}> {
	const ruleOf = (alert: string, severity: string) => {
		const rule = rules.find(candidate => candidate.alert === alert && candidate.severity === severity);
		if (!rule) throw new Error(`there is no rule ${alert} with the severity ${severity}`);
		return rule;
	};
	const tests = cases.map(({alert, title, series, at, fires}) => ({
		name: `${alert}: ${title}`,
		interval: '1m',
		input_series: Object.entries(series).map(([name, values]) => ({series: name, values})),
		alert_rule_test: [
			{
				eval_time: at,
				alertname: alert,
				exp_alerts: fires.map(firing => expected(ruleOf(alert, firing.severity), firing, runbooks)),
			},
		],
	}));
	const file = join(directory, 'connectivity.test.yaml');
	await writeFile(file, stringify({rule_files: ruleFiles, evaluation_interval: '1m', tests}, {lineWidth: 0}));
	return promtool('test', 'rules', file);
}
