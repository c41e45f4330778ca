import {mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {parseArgs} from 'node:util';
import {labelNameOf, metricNameOf} from '../src/own-telemetry/names.ts';
import {connectivityGroup} from './alert-rules/connectivity.ts';
import {type RuleFileOptions, ruleFileText} from './alert-rules/rule-file.ts';
import {createTerms, type RuleOptions} from './alert-rules/terms.ts';

/**
Writes what is generated from the code in this folder. `npm run -s rules -- [--output DIRECTORY] [--targets MATCHER]
[--runbooks BASE]`: how `up` knows the bridges, such as `job="callhome"`, and where the runbooks are served.
*/

export type GenerateOptions = RuleOptions & RuleFileOptions;

/** Each file by its path below this folder. */
export const filesOf = ({runbooks, ...options}: GenerateOptions = {}): Readonly<Record<string, string>> => ({
	'prometheus/connectivity.rules.yaml': ruleFileText(
		[connectivityGroup(createTerms({metricNameOf, labelNameOf}, options))],
		runbooks === undefined ? {} : {runbooks},
	),
});

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
