import test from 'ava';
import {changesBetween} from '../../../src/sending/doctor/changes.ts';
import type {Diagnosis} from '../../../src/sending/doctor/diagnosis.ts';
import {examine} from '../../../src/sending/doctor/examine.ts';
import {diagnosisJson} from '../../../src/sending/doctor/json.ts';
import {askLine, pathLine, serverLine, verdictLine} from '../../../src/sending/doctor/summary.ts';
import type {WalkTarget} from '../../../src/sending/walk.ts';
import {connectionOf, destinationOf, dropped, failed, goesWell, never, passed, serverOf} from '../../helpers/scripted-walks.ts';

const destinations = [
	destinationOf('problem_reporting', serverOf('esupport.example', {addresses: ['192.0.2.7']})),
	destinationOf('extended_error_data', serverOf('up.example', {addresses: ['192.0.2.8']})),
];
const inspected = (target: WalkTarget) => [
	passed('connection', 'p.example:3128'),
	passed('proxy', 'p.example:3128'),
	failed('tls', `${target.host}:443`, 'ERR_TLS_INSPECTED', 'It is presented by "CN=Box\u001b[31m\u202e", not by IBM’s CA'),
];
const trusted = (target: WalkTarget) =>
	goesWell(target).map(result => (result.stage === 'tls' ? {...result, warning: 'presented by "CN=Box"'} : result));

const diagnosisOf = (...scripts: [name: string, script: (target: WalkTarget) => ReturnType<typeof goesWell>][]) =>
	examine({
		connections: scripts.map(([name, script]) => connectionOf(name, script)),
		destinations,
		probes: () => undefined,
		signal: never,
		now: () => 1_795_435_200_000,
	});
const linesOf = ({paths}: Diagnosis) => paths.filter(({by}) => by === 'name').map(pathLine);

test('each path is one line that names the stage, the cause and the way out', async t => {
	const lines = linesOf(await diagnosisOf(['direct', dropped], ['proxy p.example:3128', inspected], ['direct 2', trusted]));
	t.is(
		lines[0],
		'direct -> esupport.example:443  FAILED at TCP: dropped without a word, as a firewall does: ask for TCP to port 443',
	);
	t.regex(
		lines[2] ?? '',
		/^proxy p\.example:3128 -> esupport\.example:443 {2}FAILED at TLS: presented by "CN=Box.*: exempt the host from TLS inspection$/,
	);
	t.regex(lines[4] ?? '', /works, with a warning at TLS: read by a TLS inspection/);
	t.regex(linesOf(await diagnosisOf(['direct', goesWell]))[0] ?? '', /^direct -> esupport\.example:443 {2}works, \d+ ms$/);
});

test('each destination is one line, and the last line is the verdict', async t => {
	const some = await diagnosisOf(['direct', dropped], ['direct 2', goesWell]);
	t.deepEqual(some.servers.map(serverLine), [
		'esupport.example:443 (problems): works over 1 of 2 connections, not over direct',
		'up.example:443 (uploads): works over 1 of 2 connections, not over direct',
	]);
	t.regex(verdictLine(some), /^PASSED, with a warning: .* 2 path/);
	const none = await diagnosisOf(['direct', dropped]);
	t.is(none.servers.map(serverLine)[0], 'esupport.example:443 (problems): NO WAY over 1 connection');
	t.is(verdictLine(none), 'FAILED: no way to esupport.example:443, up.example:443.');
	t.regex(verdictLine(await diagnosisOf(['direct', goesWell])), /^PASSED: /);
});

test('what has to be asked of others is a sentence that can be handed on', async t => {
	const {asks} = await diagnosisOf(['direct', dropped], ['proxy p.example:3128', inspected]);
	t.is(
		asks[0] && askLine(asks[0]),
		'allow TCP from this machine to esupport.example port 443 (HTTPS), today at 192.0.2.7, for call home to IBM: problems',
	);
	t.regex(
		asks[2] ? askLine(asks[2]) : '',
		/^exempt esupport\.example port 443 .* from TLS inspection on the way from proxy p\.example:3128/,
	);
});

test('the JSON has the contract’s names, and nothing in it steers a terminal', async t => {
	const json = diagnosisJson(await diagnosisOf(['proxy p.example:3128', inspected]));
	t.like(json, {passed: false, started_at: '2026-11-23T12:00:00.000Z', duration_ms: 0});
	t.like(json.paths[0], {
		connection: 'proxy p.example:3128',
		destination: 'esupport.example:443',
		purposes: ['problem_reporting'],
		by: 'name',
		address: null,
		outcome: 'failed',
		failed_stage: 'tls',
	});
	t.like(json.paths[0]?.stages[2], {stage: 'tls', peer: 'esupport.example:443', outcome: 'failed', duration_ms: 3});
	t.is(json.paths[0]?.stages[2]?.error?.code, 'ERR_TLS_INSPECTED');
	t.like(json.destinations[0], {destination: 'esupport.example:443', passed: false, working: []});
	t.like(json.firewall[0], {kind: 'no_inspection', host: 'esupport.example', port: 443, protocol: 'HTTPS', needed: true});
	t.notRegex(JSON.stringify(json), /[\p{Cc}\p{Cf}]|\\u00[01]/u);
	t.regex(JSON.stringify(json), /^[^A-Z]*"passed"/);
	const keys = [...JSON.stringify(json).matchAll(/"(\w+)":/g)].map(([, key]) => key ?? '');
	t.deepEqual(
		keys.filter(key => !/^[a-z_]+$/.test(key)),
		[],
	);
});

test('a run that is like the one before says nothing; what fails, moves or works again is said once', async t => {
	const wordsOf = (before: Diagnosis | undefined, after: Diagnosis) =>
		changesBetween(before, after).map(({level, word, text}) => `${level} ${word} ${text.split(':')[0]}`);
	const good = await diagnosisOf(['direct', goesWell]);
	const bad = await diagnosisOf(['direct', dropped]);
	t.deepEqual(wordsOf(undefined, good), []);
	t.deepEqual(wordsOf(good, good), []);
	t.deepEqual(wordsOf(bad, bad), []);
	t.deepEqual(wordsOf(good, bad), [
		'warn path_failed direct -> esupport.example',
		'info path_failed direct -> esupport.example',
		'warn path_failed direct -> up.example',
		'info path_failed direct -> up.example',
		'error no_way esupport.example',
		'error no_way up.example',
	]);
	t.deepEqual(wordsOf(undefined, bad), wordsOf(good, bad));
	const elsewhere = await diagnosisOf(['direct', inspected]);
	t.is(wordsOf(bad, elsewhere).length, 4);
	t.deepEqual(
		wordsOf(bad, good).filter(line => !line.includes('path_works')),
		['info way_found esupport.example', 'info way_found up.example'],
	);
});
