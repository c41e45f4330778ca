import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test from 'ava';
import {parse} from 'yaml';
import {uidOf} from '../../dashboards/alert-rules/grafana-rules.ts';
import {ruleGroups} from '../../dashboards/alert-rules/groups.ts';
import {runbooksInRepository} from '../../dashboards/alert-rules/rule-file.ts';
import {createTerms, durationText} from '../../dashboards/alert-rules/terms.ts';
import {filesOf} from '../../dashboards/generate.ts';
import {breakKinds} from '../../src/ledger.ts';
import {labelNameOf, metricNameOf} from '../../src/own-telemetry/names.ts';
import {alertCases, namesakeCases} from '../helpers/alert-cases-all.ts';
import {temporaryDirectory} from '../helpers/listen.ts';
import {testWithPeer} from '../helpers/peers.ts';
import {promtool, runCases} from '../helpers/promtool.ts';

const top = fileURLToPath(new URL('../..', import.meta.url));
const groups = ruleGroups(createTerms({metricNameOf, labelNameOf}));
const rules = Object.values(groups).flatMap(group => group.rules);
const names = [...new Set(rules.map(({alert}) => alert))];
const fileOf = (group: string) => join(top, `dashboards/prometheus/${group}.rules.yaml`);
const committed = Object.keys(groups).map(fileOf);

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

test('the README says how many rules there are', async t => {
	t.true((await readFile(join(top, 'README.md'), 'utf8')).includes(` are ${rules.length} alert rules `));
});

test('the runbook of a broken ledger explains each kind of break', async t => {
	const runbook = await readFile(join(top, runbooksInRepository, 'CallHomeLedgerBroken.md'), 'utf8');
	for (const kind of [...Object.keys(breakKinds), 'went_back']) t.regex(runbook, new RegExp(`^\\* .*\`${kind}\`.*:`, 'm'), kind);
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

test('an alert keeps the site of its bridge', t => {
	for (const {alert, expr} of rules)
		for (const [, labels = ''] of expr.matchAll(/\b(?:by|on) \(([^)]+)\)/g)) t.regex(labels, /^job, instance, site\b/, alert);
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
	const {ok, output} = await promtool('check', 'rules', '--lint=all', '--lint-fatal', ...committed);
	t.true(ok, output);
	for (const {rules} of Object.values(groups)) t.regex(output, new RegExp(`${rules.length} rules found`));
});

for (const [name, group] of Object.entries(groups)) {
	testWithPeer('promtool', `each ${name} rule fires when it is to fire, and is silent when not`, async t => {
		t.timeout(300_000);
		const own = alertCases.filter(({alert}) => group.rules.some(rule => rule.alert === alert));
		const {ok, output} = await runCases(await temporaryDirectory(t), fileOf(name), rules, own);
		t.true(ok, output);
	});
}

for (const [name, group] of Object.entries(groups)) {
	testWithPeer('promtool', `each ${name} rule tells bridges with the same name apart, by job and by site`, async t => {
		t.timeout(300_000);
		const own = namesakeCases.filter(({alert}) => group.rules.some(rule => rule.alert === alert));
		t.true(own.length >= 2 * group.rules.length, `${own.length} cases`);
		const {ok, output} = await runCases(await temporaryDirectory(t), fileOf(name), rules, own, {tools: ['promtool']});
		t.true(ok, output);
	});
}

testWithPeer('promtool', 'a rule that does not fire, or says something else, is noticed', async t => {
	const directory = await temporaryDirectory(t);
	const broken = join(directory, 'broken.rules.yaml');
	const text = (await readFile(fileOf('connectivity'), 'utf8')).replace(
		'callhome_connection_exhausted == 1',
		'callhome_connection_exhausted == 2',
	);
	await writeFile(broken, text);
	const cases = alertCases.filter(({alert}) => alert === 'CallHomePathsExhausted');
	t.false((await runCases(directory, broken, rules, cases)).ok);
	t.false((await runCases(directory, fileOf('connectivity'), rules, cases, {runbooks: 'elsewhere/'})).ok);
});

test('the rules of Grafana are those of Prometheus, each under an id that Grafana takes', async t => {
	const file = parse(await readFile(join(top, 'dashboards/grafana/alerting/callhome-rules.yaml'), 'utf8'));
	type Written = {
		uid: string;
		condition: string;
		data: {refId: string; model: {expr?: string}}[];
		annotations: object;
		for: string;
	};
	const written: Written[] = file.groups.flatMap((group: {rules: Written[]}) => group.rules);
	t.deepEqual(
		written.map(({data: [query], for: span}) => [query?.model.expr, span]),
		rules.map(({expr, for: span}) => [expr, span]),
	);
	t.is(new Set(written.map(({uid}) => uid)).size, rules.length);
	for (const {uid, condition, data, annotations} of written) {
		t.regex(uid, /^[a-z0-9_-]{1,40}$/);
		t.true(data.some(({refId}) => refId === condition));
		t.notRegex(JSON.stringify(annotations), /\$value\b/, 'a number in Prometheus, a text about all queries in Grafana');
	}
	t.is(uidOf('CallHomeSupportProxyRefusing', 'info'), 'ch-support-proxy-refusing-info');
});
