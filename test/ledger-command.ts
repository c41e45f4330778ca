import {readFileSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {alertRequest, post, settingsOf} from './helpers/bridge.ts';
import {callhome, cli, run} from './helpers/callhome.ts';
import {tamperWith} from './helpers/ledger.ts';
import {eventually, temporaryDirectory} from './helpers/listen.ts';
import {startProgram} from './helpers/program.ts';

async function startBridge(t: ExecutionContext) {
	const directory = await temporaryDirectory(t);
	const file = join(directory, 'callhome.yaml');
	writeFileSync(file, JSON.stringify(settingsOf(directory)));
	const program = await startProgram(t, process.execPath, [cli, 'run', '--config', file, '--json'], {cwd: directory});
	await program.waitFor('"ready":true', {timeoutMillis: 120_000});
	const line =
		program
			.output()
			.split('\n')
			.find(text => text.includes('"ready":true')) ?? '';
	const state = join(directory, 'state');
	const asked = async (...args: readonly string[]) => {
		const {stdout, stderr, code} = await callhome('ledger', ...args, '--config', file, '--json');
		return {code, stderr, ...JSON.parse(stdout || '{}')};
	};
	return {program, directory, state, file, asked, otlp: new URL(JSON.parse(line).urls.otlp)};
}

test('the ledger is verified, exported, broken and acknowledged, while the bridge runs and while it does not', async t => {
	t.timeout(300_000);
	const {program, directory, state, file, asked, otlp} = await startBridge(t);
	t.is((await post(otlp, alertRequest({serial: 'J1A2B3C', body: 'Drive 3 has failed'}))).status, 200);
	const patience = {timeoutMillis: 120_000, intervalMillis: 500};
	await eventually(async () => {
		const list = await callhome('problem', 'list', '--config', file, '--json');
		return JSON.parse(list.stdout)[0]?.state === 'open';
	}, patience);
	const clean = await asked('verify');
	t.like(clean, {code: 0, intact: true, breaks: {length: 0}, attempts_before: 0});
	t.true(clean.entries >= 4, 'a submission and a question for its case, each with its reply');
	const head = `${clean.head.sequence}:${clean.head.hash}`;

	const out = join(directory, 'ledger.jsonl');
	t.like(await asked('export', '--output', out), {code: 0, file: out, head: clean.head});
	t.is(statSync(out).mode & 0o777, 0o600);
	const again = await callhome('ledger', 'export', '--output', out, '--config', file);
	t.is(again.code, 42);
	t.regex(again.stderr, /is there already/);
	const elsewhere = await temporaryDirectory(t);
	const alone = await run(process.execPath, [cli, 'ledger', 'verify', out, '--head', head, '--json'], elsewhere);
	t.like(JSON.parse(alone.stdout), {intact: true, head: clean.head, kept_head: {result: 'contained'}});
	const piped = await run('sh', [
		'-c',
		`"$0" "$1" ledger export --config "$2" | "$0" "$1" ledger verify -`,
		process.execPath,
		cli,
		file,
	]);
	t.regex(piped.stdout, /is intact/);

	const forged = readFileSync(out, 'utf8').replace('Drive 3', 'Drive 9');
	writeFileSync(join(directory, 'forged.jsonl'), forged);
	const found = await callhome('ledger', 'verify', join(directory, 'forged.jsonl'));
	t.is(found.code, 1);
	t.regex(found.stdout, /broken in 1 place[\s\S]*content +entry 1 /);

	tamperWith(state, "UPDATE attempt SET request = replace(request, 'Drive 3', 'Drive 9') WHERE sequence = 1");
	t.like(await asked('verify'), {code: 1, intact: false, counts: {content: 1}, breaks: {0: {kind: 'content', from: 1, to: 1}}});
	t.like(await asked('acknowledge', '--reason', 'a test of the drill'), {code: 0, acknowledged: 1});
	t.like(await asked('verify', '--head', head), {
		code: 0,
		intact: true,
		kept_head: {result: 'contained'},
		breaks: {0: {acknowledged: true}},
	});
	const status = JSON.parse((await callhome('status', '--config', file, '--json')).stdout);
	t.like(status.ledger, {breaks: {content: 0, missing: 0}});
	t.truthy(status.ledger.last_verification);
	t.is((await callhome('ledger', 'acknowledge', '--config', file)).code, 14);
	await program.stop();

	tamperWith(state, 'DELETE FROM ledger WHERE sequence = 2');
	const gone = await asked('verify');
	t.like(gone, {code: 1, counts: {missing: 1, unrecorded: 1}});
	t.like(await asked('acknowledge', '--reason', 'another'), {code: 0, acknowledged: 2});
	t.like(await asked('verify'), {code: 0, intact: true});
	const activity = await callhome('activity', '--config', file, '--json');
	t.is(JSON.parse(activity.stdout).filter(({word}: {word: string}) => word === 'ledger_acknowledged').length, 2);
});

test('what is no head, no file, no ledger and no store is said by name', async t => {
	t.timeout(120_000);
	const directory = await temporaryDirectory(t);
	const config = join(directory, 'callhome.yaml');
	writeFileSync(config, JSON.stringify(settingsOf(directory)));
	const of = async (...args: readonly string[]) => {
		const {code, stderr} = await callhome('ledger', ...args);
		return `${code} ${stderr.trim()}`;
	};
	t.regex(await of('verify', '--config', config), /^37 ERR_NOT_FOUND: there is no store/);
	t.regex(await of('verify', join(directory, 'none.jsonl')), /^37 ERR_NOT_FOUND: .*none.jsonl cannot be read/);
	t.regex(await of('verify', config), /^9 ERR_MALFORMED: .* is not an exported ledger/);
	t.regex(await of('verify', config, '--head', '12'), /^42 ERR_USAGE: "12" is not a head/);
	t.regex(await of('acknowledge', '--reason', ' ', '--config', config), /^42 .*1 to 500 characters/);
	t.regex((await callhome('ledger', 'verify', '--help')).stdout, /SHA-256\(hash of the entry before/);
});
