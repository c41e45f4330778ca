import {execFile} from 'node:child_process';
import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {parse, stringify} from 'yaml';
import type {AlertRule} from '../../dashboards/alert-rules/rule.ts';
import {runbooksInRepository} from '../../dashboards/alert-rules/rule-file.ts';
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

export type Said = {readonly ok: boolean; readonly output: string};

/** That of Debian, and a newer one where it is there. */
export const promtools = (): readonly string[] => ['promtool', ...(peer('promtool3') || process.env.CI ? ['promtool3'] : [])];

/** What one of them says, and whether it found nothing wrong. */
export const runPromtool = (tool: string, args: readonly string[]): Promise<Said> =>
	new Promise(resolve => {
		execFile(requiredPeer(tool), args, {timeout: 300_000}, (error, stdout, stderr) =>
			resolve({ok: error === null, output: `${tool}: ${stdout}${stderr}`}),
		);
	});

const together = (said: readonly Said[]): Said => ({
	ok: said.every(({ok}) => ok),
	output: said.map(({output}) => output).join('\n'),
});

/** What both say, and whether neither found anything wrong. */
export const promtool = async (...args: readonly string[]): Promise<Said> =>
	together(await Promise.all(promtools().map(tool => runPromtool(tool, args))));

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

type RuleFile = {readonly groups: readonly {readonly name: string; readonly rules: readonly {readonly alert: string}[]}[]};

/** Only the rules of one alert, of which the cases are: promtool evaluates all that are there, every minute of each case. */
export async function ruleFileOf(directory: string, file: string, alert: string): Promise<string> {
	const {groups} = parse(await readFile(file, 'utf8')) as RuleFile;
	const own = groups.map(({rules, ...group}) => ({...group, rules: rules.filter(rule => rule.alert === alert)}));
	const path = join(directory, `${alert}.rules.yaml`);
	await writeFile(path, stringify({groups: own.filter(({rules}) => rules.length > 0)}, {lineWidth: 0}));
	return path;
}

/** Writes the cases as test files of promtool, one for each alert of the rule file, and runs them. */
export async function runCases(
	directory: string,
	ruleFile: string,
	rules: readonly AlertRule[],
	cases: readonly AlertCase[],
	{runbooks = runbooksInRepository, tools = promtools()}: {readonly runbooks?: string; readonly tools?: readonly string[]} = {},
): Promise<Said> {
	const ruleOf = (alert: string, severity: string) => {
		const rule = rules.find(candidate => candidate.alert === alert && candidate.severity === severity);
		if (!rule) throw new Error(`there is no rule ${alert} with the severity ${severity}`);
		return rule;
	};
	const testOf = ({alert, title, series, at, fires}: AlertCase) => ({
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
	});
	const byAlert = Map.groupBy(cases, ({alert}) => alert);
	const files = [...byAlert].map(async ([alert, own]) => {
		const file = join(directory, `${alert}.test.yaml`);
		const rule_files = [await ruleFileOf(directory, ruleFile, alert)];
		await writeFile(file, stringify({rule_files, evaluation_interval: '1m', tests: own.map(testOf)}, {lineWidth: 0}));
		return file;
	});
	const args = ['test', 'rules', ...(await Promise.all(files))];
	return together(await Promise.all(tools.map(tool => runPromtool(tool, args))));
}
