import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {stringify} from 'yaml';
import {ruleGroups} from '../../../dashboards/alert-rules/groups.ts';
import type {AlertRule} from '../../../dashboards/alert-rules/rule.ts';
import {createTerms} from '../../../dashboards/alert-rules/terms.ts';
import {labelNameOf, metricNameOf} from '../../../src/own-telemetry/names.ts';
import {connectivityCases} from '../../helpers/alert-cases.ts';
import {hardwareCases} from '../../helpers/alert-cases-hardware.ts';
import {inventoryCases} from '../../helpers/alert-cases-inventory.ts';
import {ledgerCases} from '../../helpers/alert-cases-ledger.ts';
import {problemCases} from '../../helpers/alert-cases-problems.ts';
import {type AlertCase, promtool} from '../../helpers/promtool.ts';

export type AlertDelay = {readonly alert: string; readonly severity: string; readonly minutes: number};

const cases = [...connectivityCases, ...problemCases, ...hardwareCases, ...inventoryCases, ...ledgerCases];
const prometheusFolder = fileURLToPath(new URL('../../../dashboards/prometheus/', import.meta.url));
const unitMinutes: Record<string, number> = {d: 1440, h: 60, m: 1, s: 1 / 60};

const minutesOf = (text: string) =>
	[...text.matchAll(/(\d+)([dhms])/g)].reduce((sum, [, count, unit = '']) => sum + Number(count) * (unitMinutes[unit] ?? 0), 0);

/** From the beginning of the trouble to the alert, for each rule: what promtool finds firing, minute by minute. */
export async function alertDelays(directory: string): Promise<readonly AlertDelay[]> {
	const groups = ruleGroups(createTerms({metricNameOf, labelNameOf}));
	const delays: AlertDelay[] = [];
	for (const [name, {rules}] of Object.entries(groups)) {
		const file = join(prometheusFolder, `${name}.rules.yaml`);
		for (const rule of rules) delays.push(await delayOf(directory, file, rule));
	}
	return delays;
}

async function delayOf(directory: string, ruleFile: string, {alert, severity}: AlertRule): Promise<AlertDelay> {
	const firing = cases.find(one => one.alert === alert && one.fires.some(fired => fired.severity === severity));
	if (!firing) throw new Error(`there is no case in which ${alert} (${severity}) fires`);
	const {since = 0, at} = firing;
	const minutes = Array.from({length: minutesOf(at) - since + 1}, (_, index) => since + index);
	const output = await firingAt(directory, ruleFile, firing, minutes);
	const found = output.split(/(?=alertname: )/).find(text => text.includes(`severity="${severity}"`));
	const [, time = ''] = /^alertname: \w+, time: (\w+)/.exec(found ?? '') ?? [];
	if (time === '') throw new Error(`${alert} (${severity}) does not fire: ${output}`);
	return {alert, severity, minutes: minutesOf(time) - since};
}

/** promtool is told that nothing fires in any of the minutes, and names those in which something does. */
async function firingAt(directory: string, ruleFile: string, {alert, series}: AlertCase, minutes: readonly number[]) {
	const file = join(directory, 'delay.test.yaml');
	const asked = {
		interval: '1m',
		input_series: Object.entries(series).map(([name, values]) => ({series: name, values})),
		alert_rule_test: minutes.map(minute => ({eval_time: `${minute}m`, alertname: alert, exp_alerts: []})),
	};
	await writeFile(file, stringify({rule_files: [ruleFile], evaluation_interval: '1m', tests: [asked]}, {lineWidth: 0}));
	return (await promtool('test', 'rules', file)).output;
}
