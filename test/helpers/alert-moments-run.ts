import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {stringify} from 'yaml';
import {alertCases} from './alert-cases-all.ts';
import {type AlertCase, ruleFileOf, runPromtool, type Said} from './promtool.ts';

/** A case in which an alert of one severity fires, and the minute from which on it does. */
export type Moment = {readonly alertCase: AlertCase; readonly severity: string};

const unitMinutes: Record<string, number> = {d: 1440, h: 60, m: 1, s: 1 / 60};

export const minutesOf = (text: string): number =>
	[...text.matchAll(/(\d+)([dhms])/g)].reduce((sum, [, count, unit = '']) => sum + Number(count) * (unitMinutes[unit] ?? 0), 0);

/** Every case in which something fires, once for each severity. */
export const firingMoments: readonly Moment[] = alertCases.flatMap(alertCase =>
	[...new Set(alertCase.fires.map(({severity}) => severity))].map(severity => ({alertCase, severity})),
);

export const momentName = ({alertCase: {alert, title}, severity}: Moment): string => `${alert} ${severity}: ${title}`;

type Expected = {readonly minute: number; readonly firing: boolean};

/** Whether at these minutes the alert fires or not, all moments in one run, each with the rules of its alert alone. */
async function ask(
	tool: string,
	directory: string,
	ruleFile: string,
	moments: ReadonlyMap<Moment, readonly Expected[]>,
): Promise<Said> {
	const files = [...moments].map(async ([{alertCase, severity}, expected], index) => {
		const {alert, series} = alertCase;
		const expr = `count(ALERTS{alertname="${alert}", severity="${severity}", alertstate="firing"}) > bool 0 or vector(0)`;
		const asked = {
			interval: '1m',
			name: `${index}`,
			input_series: Object.entries(series).map(([name, values]) => ({series: name, values})),
			promql_expr_test: expected.map(({minute, firing}) => ({
				expr,
				eval_time: `${minute}m`,
				exp_samples: [{labels: '{}', value: firing ? 1 : 0}],
			})),
		};
		const file = join(directory, `${tool}-${alert}-${severity}-${index}.moments.yaml`);
		const rule_files = [await ruleFileOf(directory, ruleFile, alert)];
		await writeFile(file, stringify({rule_files, evaluation_interval: '1m', tests: [asked]}, {lineWidth: 0}));
		return file;
	});
	return runPromtool(tool, ['test', 'rules', ...(await Promise.all(files))]);
}

/** Whether each alert is silent in the minute before its moment, and fires in it. */
export function runMoments(
	tool: string,
	directory: string,
	ruleFile: string,
	minutes: ReadonlyMap<Moment, number>,
): Promise<Said> {
	const expected = [...minutes].map(
		([moment, minute]) =>
			[moment, [...(minute > 0 ? [{minute: minute - 1, firing: false}] : []), {minute, firing: true}]] as const,
	);
	return ask(tool, directory, ruleFile, new Map(expected));
}

/** The first minute in which the alert fires: undefined when it does at no time before the case is looked at. */
export async function findMoment(tool: string, directory: string, ruleFile: string, moment: Moment): Promise<number | undefined> {
	const minutes = Array.from({length: minutesOf(moment.alertCase.at) + 1}, (_, minute) => ({minute, firing: false}));
	const {output} = await ask(tool, directory, ruleFile, new Map([[moment, minutes]]));
	const firing = [...output.matchAll(/time: ([\ddhms]+),/g)].map(([, time = '']) => minutesOf(time));
	return firing.length === 0 ? undefined : Math.min(...firing);
}
