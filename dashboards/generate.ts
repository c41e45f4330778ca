import {mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {parseArgs} from 'node:util';
import {labelNameOf, metricNameOf} from '../src/own-telemetry/names.ts';
import {processMetrics} from '../src/own-telemetry/process-metrics.ts';
import {grafanaRulesText} from './alert-rules/grafana-rules.ts';
import {ruleGroups} from './alert-rules/groups.ts';
import {alertmanagerText} from './alert-rules/inhibition.ts';
import {type RuleFileOptions, ruleFileText} from './alert-rules/rule-file.ts';
import {createTerms, type RuleOptions} from './alert-rules/terms.ts';
import {dashboardTexts} from './boards/boards.ts';
import {type BoardTerms, createBoardTerms} from './boards/terms.ts';

/**
Writes what is generated from the code in this folder. `npm run -s rules -- [--output DIRECTORY] [--targets MATCHER]
[--runbooks BASE]`: how `up` knows the bridges, such as `job="callhome"`, and where the runbooks are served.
*/

export type GenerateOptions = RuleOptions & RuleFileOptions;

/** The words of the dashboards. */
export function boardTerms(): BoardTerms {
	const seriesOf = ({name, unit, instrument}: (typeof processMetrics)[keyof typeof processMetrics]) =>
		metricNameOf(name, unit, instrument) ?? name;
	const {memory, cpu, uptime, fileDescriptors, delayP99, delayMax, utilization} = processMetrics;
	const named = {memory, cpu, uptime, fileDescriptors, delayP99, delayMax, utilization};
	const process = Object.fromEntries(Object.entries(named).map(([key, metric]) => [key, seriesOf(metric)]));
	return createBoardTerms({metricNameOf, labelNameOf}, process as BoardTerms['process']);
}

/** Each file by its path below this folder. */
export function filesOf({runbooks, ...options}: GenerateOptions = {}): Readonly<Record<string, string>> {
	const groups = ruleGroups(createTerms({metricNameOf, labelNameOf}, options));
	const fileOptions = runbooks === undefined ? {} : {runbooks};
	return {
		...Object.fromEntries(
			Object.entries(groups).map(([name, group]) => [`prometheus/${name}.rules.yaml`, ruleFileText([group], fileOptions)]),
		),
		'grafana/alerting/callhome-rules.yaml': grafanaRulesText(Object.values(groups), fileOptions),
		...Object.fromEntries(
			Object.entries(dashboardTexts(boardTerms())).map(([uid, text]) => [`grafana/dashboards/${uid}.json`, text]),
		),
		'alertmanager/alertmanager.yaml': alertmanagerText(),
	};
}

async function writeAll(directory: string, options: GenerateOptions): Promise<void> {
	for (const [path, text] of Object.entries(filesOf(options))) {
		const file = join(directory, path);
		await mkdir(join(file, '..'), {recursive: true});
		await writeFile(file, text);
	}
}

if (import.meta.main) {
	const {values} = parseArgs({
		options: {
			output: {type: 'string', default: import.meta.dirname},
			targets: {type: 'string'},
			runbooks: {type: 'string'},
		},
	});
	const {output, ...options} = values;
	await writeAll(output, options);
}
