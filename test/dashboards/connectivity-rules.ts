import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test from 'ava';
import {parse} from 'yaml';
import {connectivityGroup} from '../../dashboards/alert-rules/connectivity.ts';
import {runbooksInRepository} from '../../dashboards/alert-rules/rule-file.ts';
import {createTerms, durationText} from '../../dashboards/alert-rules/terms.ts';
import {filesOf} from '../../dashboards/generate.ts';
import {labelNameOf, metricNameOf} from '../../src/own-telemetry/names.ts';
import {alertCases} from '../helpers/alert-cases.ts';
import {temporaryDirectory} from '../helpers/listen.ts';
import {testWithPeer} from '../helpers/peers.ts';
import {promtool, runCases} from '../helpers/promtool.ts';

const top = fileURLToPath(new URL('../..', import.meta.url));
const {rules} = connectivityGroup(createTerms({metricNameOf, labelNameOf}));
const names = [...new Set(rules.map(({alert}) => alert))];
const committed = join(top, 'dashboards/prometheus/connectivity.rules.yaml');

for (const [path, text] of Object.entries(filesOf())) {
	test(`${path} is what the code makes: "npm run -s rules" writes it`, async t => {
		t.is(await readFile(join(top, 'dashboards', path), 'utf8'), text);
	});
}

test('each rule says what it means and what to do, in one line, and leads to a runbook of its own', async t => {
	for (const {alert, summary, description, impact, action} of rules) {
		t.regex(alert, /^CallHome[A-Z]\w+$/);
		t.notRegex(summary, /\{\{/, `${alert}: a summary needs no value`);
		for (const text of [summary, description, impact, action]) t.regex(text, /^[A-Z].*\.$/, alert);
		const runbook = await readFile(join(top, runbooksInRepository, `${alert}.md`), 'utf8');
		t.true(runbook.startsWith(`# ${alert}\n`), alert);
		for (const heading of ['Meaning', 'Look', 'Do']) t.regex(runbook, new RegExp(`^## ${heading}$`, 'm'), alert);
	}
});

test('each severity of each rule has a case in which it fires, and each rule one in which it is silent', t => {
	for (const {alert, severity} of rules) {
		const own = alertCases.filter(one => one.alert === alert);
		t.true(
			own.some(({fires}) => fires.some(firing => firing.severity === severity)),
			`${alert} ${severity} fires`,
		);
		t.true(
			own.some(({fires}) => fires.length === 0),
			`${alert} is silent`,
		);
	}
	t.deepEqual([...new Set(alertCases.map(({alert}) => alert))].toSorted(), names.toSorted());
});

test('no rule hangs on a label that depends on the way of a metric to Prometheus', t => {
	for (const {expr} of rules) t.notRegex(expr, /otel_scope|exported_|service_/);
});

for (const [seconds, text] of [
	[86_400, '1d'],
	[5400, '90m'],
	[300, '5m'],
	[61, '61s'],
	[1.5, '1500ms'],
	[0.0001, '1ms'],
] as const) {
	test(`${seconds} seconds are ${text}`, t => t.is(durationText(seconds), text));
}

test('a site names its own targets, its own base of the runbooks, and a test its own pace', t => {
	const text = filesOf({targets: 'job="ibm"', runbooks: 'https://wiki.example/', pace: 0.01})[
		'prometheus/connectivity.rules.yaml'
	];
	const [{rules: written}] = parse(text ?? '').groups;
	const absent = written.find(({alert}: {alert: string}) => alert === 'CallHomeBridgeAbsent');
	t.regex(absent.expr, /up\{job="ibm"\} == 0[\s\S]*/);
	t.regex(absent.expr, /\[864s\]/);
	t.is(absent.for, '3s');
	t.is(absent.annotations.runbook_url, 'https://wiki.example/CallHomeBridgeAbsent.md');
});

testWithPeer('promtool', 'promtool finds nothing wrong with the rule file', async t => {
	const {ok, output} = await promtool('check', 'rules', '--lint=all', '--lint-fatal', committed);
	t.true(ok, output);
	t.regex(output, new RegExp(`${rules.length} rules found`));
});

testWithPeer('promtool', 'each rule fires when it is to fire, and is silent when not', async t => {
	const {ok, output} = await runCases(await temporaryDirectory(t), committed, rules, alertCases, runbooksInRepository);
	t.true(ok, output);
});

testWithPeer('promtool', 'a rule that does not fire, or says something else, is noticed', async t => {
	const directory = await temporaryDirectory(t);
	const broken = join(directory, 'broken.rules.yaml');
	const text = (await readFile(committed, 'utf8')).replace(
		'callhome_connection_exhausted == 1',
		'callhome_connection_exhausted == 2',
	);
	await writeFile(broken, text);
	const cases = alertCases.filter(({alert}) => alert === 'CallHomePathsExhausted');
	t.false((await runCases(directory, broken, rules, cases, runbooksInRepository)).ok);
	t.false((await runCases(directory, committed, rules, cases, 'elsewhere/')).ok);
});
