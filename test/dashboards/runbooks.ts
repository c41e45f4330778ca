import {execFile} from 'node:child_process';
import {readdir, readFile} from 'node:fs/promises';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import test from 'ava';
import {ruleGroups} from '../../dashboards/alert-rules/groups.ts';
import {createTerms} from '../../dashboards/alert-rules/terms.ts';
import {boardTerms} from '../../dashboards/generate.ts';
import {hardwareMetrics} from '../../src/hardware-metrics.ts';
import {labelNameOf, metricNameOf} from '../../src/own-telemetry/names.ts';
import {boardUids, readBoard} from '../helpers/panels.ts';

/** What somebody reads who was just woken up: each name in it has to be a real one. */

const folder = fileURLToPath(new URL('../../dashboards/runbooks/', import.meta.url));
const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
const texts: Record<string, string> = Object.fromEntries([
	...(await Promise.all((await readdir(folder)).map(async file => [file, await readFile(`${folder}${file}`, 'utf8')] as const))),
	...Object.values(ruleGroups(createTerms({metricNameOf, labelNameOf})))
		.flatMap(({rules}) => rules)
		.map(({alert, severity, action}) => [`${alert} ${severity}`, action] as const),
]);

/** Each text between quotation marks or backticks that begins so, with where it stands. */
const quoted = (pattern: RegExp) =>
	Object.entries(texts).flatMap(([where, text]) =>
		[...text.matchAll(/[`"]([^`"\n]+)[`"]/g)].flatMap(([, words = '']) => (pattern.test(words) ? [{where, words}] : [])),
	);

const helps = new Map<string, Promise<string>>();
const helpOf = (words: readonly string[]) => {
	const key = words.join(' ');
	const known = helps.get(key) ?? promisify(execFile)(process.execPath, [cli, ...words, '--help']).then(({stdout}) => stdout);
	helps.set(key, known);
	return known;
};

/** What is wrong with a command line; undefined when the program takes it. `NAME` stands for an argument. */
async function faultOf(line: string): Promise<string | undefined> {
	const words = line.split(/ +/).slice(1);
	const firstOption = words.findIndex(word => word.startsWith('--'));
	const named = (firstOption === -1 ? words : words.slice(0, firstOption)).filter(word => /^[a-z-]+$/.test(word));
	const help = await helpOf(named);
	const [, command = '', takes = ''] = /^Usage: callhome ((?:[a-z-]+ )*)(.*)$/m.exec(help) ?? [];
	const beyond = named.slice(command.split(' ').length - 1);
	if (beyond.length > 0 && !takes.includes('<')) return `there is no ${named.join(' ')}`;
	const options = words.filter(word => word.startsWith('--'));
	return options.find(option => !new RegExp(`(?:^|[ ,])${option}\\b`, 'm').test(help));
}

test('each command that a runbook or an alert names is one of the program, with its options', async t => {
	const lines = quoted(/^callhome [a-z]/);
	t.true(lines.length > 60, `${lines.length} commands`);
	for (const {where, words} of lines) t.is(await faultOf(words), undefined, `${where}: ${words}`);
});

test('a command or an option that does not exist is noticed', async t => {
	t.truthy(await faultOf('callhome problem frobnicate'));
	t.truthy(await faultOf('callhome frobnicate'));
	t.truthy(await faultOf('callhome firewall --frobnicate'));
	t.is(await faultOf('callhome problem show ID'), undefined);
	t.is(await faultOf('callhome update apply rules'), undefined);
});

test('each metric that a runbook names is one of the bridge', t => {
	const {series, process, hardware} = boardTerms();
	const known = new Set([...Object.values(series), ...Object.values(process), ...[...hardwareMetrics.keys()].map(hardware)]);
	const labels = new Set(Object.values(boardTerms().label));
	const names = quoted(/^(?:callhome|hw)_[a-z_]+$/).filter(({words}) => !labels.has(words));
	t.true(names.length > 10, `${names.length} metrics`);
	t.deepEqual(
		names.filter(({words}) => !known.has(words)),
		[],
	);
});

test('each dashboard and each runbook that a runbook or an alert names is there', async t => {
	const titles = (await Promise.all(boardUids.map(readBoard))).map(({title}) => title);
	let named = 0;
	for (const [where, text] of Object.entries(texts)) {
		for (const [title] of text.matchAll(/Call home \/ \w+/g)) {
			named += 1;
			t.true(titles.includes(title), `${where}: ${title}`);
		}
		for (const [, file = ''] of text.matchAll(/\]\((\w+\.md)\)/g)) t.true(file in texts, `${where}: ${file}`);
		for (const [alert] of text.matchAll(/\bCallHome[A-Z]\w+/g)) t.true(`${alert}.md` in texts, `${where}: ${alert}`);
	}
	t.true(named > 8, `${named} dashboards`);
});
