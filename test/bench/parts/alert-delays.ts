import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {ruleGroups} from '../../../dashboards/alert-rules/groups.ts';
import type {AlertRule} from '../../../dashboards/alert-rules/rule.ts';
import {createTerms} from '../../../dashboards/alert-rules/terms.ts';
import {labelNameOf, metricNameOf} from '../../../src/own-telemetry/names.ts';
import {findMoment, firingMoments} from '../../helpers/alert-moments-run.ts';

export type AlertDelay = {readonly alert: string; readonly severity: string; readonly minutes: number};

const prometheusFolder = fileURLToPath(new URL('../../../dashboards/prometheus/', import.meta.url));

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
	const moment = firingMoments.find(other => other.alertCase.alert === alert && other.severity === severity);
	if (!moment) throw new Error(`there is no case in which ${alert} (${severity}) fires`);
	const minute = await findMoment('promtool', directory, ruleFile, moment);
	if (minute === undefined) throw new Error(`${alert} (${severity}) does not fire`);
	return {alert, severity, minutes: minute - (moment.alertCase.since ?? 0)};
}
