import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {availableParallelism, tmpdir} from 'node:os';
import {join} from 'node:path';
import {parseArgs} from 'node:util';
import {ruleGroups} from '../../dashboards/alert-rules/groups.ts';
import {ruleFileText} from '../../dashboards/alert-rules/rule-file.ts';
import {createTerms} from '../../dashboards/alert-rules/terms.ts';
import {labelNameOf, metricNameOf} from '../../src/own-telemetry/names.ts';
import {alertCases, namesakeCases} from '../helpers/alert-cases-all.ts';
import {momentsOf} from '../helpers/alert-moments.ts';
import {firingMoments, runMoments} from '../helpers/alert-moments-run.ts';
import {runCases} from '../helpers/promtool.ts';
import {whyEquivalent} from './equivalent.ts';
import {type Mutant, mutantsOf} from './mutate.ts';

/**
Changes each alert rule in one place at a time and asks whether the cases of promtool notice: a change that none notices is a
part of a rule that nothing tests. `npm run -s mutants [-- --only ALERT]`; ends with 1 when one that is not listed as equivalent
survives.
*/

const {values} = parseArgs({options: {only: {type: 'string'}}});
const rules = Object.values(ruleGroups(createTerms({metricNameOf, labelNameOf}))).flatMap(group => group.rules);
const mutants = rules.filter(({alert}) => values.only === undefined || alert === values.only).flatMap(mutantsOf);

type Verdict = 'killed' | 'invalid' | 'survived' | 'equivalent';

async function judge({rule, mutated, change}: Mutant): Promise<Verdict> {
	const directory = await mkdtemp(join(tmpdir(), 'callhome-mutant-'));
	try {
		const file = join(directory, 'mutant.rules.yaml');
		const all = rules.filter(({alert}) => alert === rule.alert).map(other => (other === rule ? mutated : other));
		await writeFile(file, ruleFileText([{name: 'mutant', rules: all}]));
		const moments = firingMoments.filter(({alertCase}) => alertCase.alert === rule.alert);
		const {ok, output} = await runMoments('promtool', directory, file, momentsOf('promtool', moments));
		if (!ok) return /could not parse expression|parse error/.test(output) ? 'invalid' : 'killed';
		// The second ones are many, and only for what the first ones do not see.
		for (const cases of [alertCases, namesakeCases]) {
			const own = cases.filter(({alert}) => alert === rule.alert);
			if (!(await runCases(directory, file, rules, own, {tools: ['promtool']})).ok) return 'killed';
		}
		return whyEquivalent(nameOf({rule, change})) === undefined ? 'survived' : 'equivalent';
	} finally {
		await rm(directory, {recursive: true});
	}
}

const nameOf = ({rule, change}: Pick<Mutant, 'rule' | 'change'>) => `${rule.alert} ${rule.severity}: ${change}`;

async function judgeAll(): Promise<Map<Mutant, Verdict>> {
	const verdicts = new Map<Mutant, Verdict>();
	const left = [...mutants];
	const work = async () => {
		for (let mutant = left.shift(); mutant; mutant = left.shift()) {
			const verdict = await judge(mutant);
			verdicts.set(mutant, verdict);
			if (verdict === 'survived') console.log(`survived  ${nameOf(mutant)}`);
			if (verdicts.size % 100 === 0) console.log(`${verdicts.size} of ${mutants.length}`);
		}
	};
	await Promise.all(Array.from({length: availableParallelism()}, work));
	return verdicts;
}

function report(verdicts: ReadonlyMap<Mutant, Verdict>): number {
	const count = (wanted: Verdict) => [...verdicts.values()].filter(verdict => verdict === wanted).length;
	console.log(
		`${mutants.length} mutants of ${new Set(mutants.map(({rule}) => rule)).size} rules: ${count('killed')} killed, ${count('survived')} survived, ${count('equivalent')} equivalent, ${count('invalid')} no PromQL`,
	);
	return count('survived') > 0 ? 1 : 0;
}

if (mutants.length > 0) process.exitCode = report(await judgeAll());
else {
	console.error(`There is no alert ${values.only}: it is one of ${[...new Set(rules.map(({alert}) => alert))].join(', ')}.`);
	process.exitCode = 1;
}
