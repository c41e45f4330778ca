import {execFile} from 'node:child_process';
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {alertRequest, post, settingsOf} from './helpers/bridge.ts';
import {eventually, freePort, temporaryDirectory} from './helpers/listen.ts';
import {startProgram} from './helpers/program.ts';

const cli = join(import.meta.dirname, '../src/cli.ts');

type Ran = {readonly code: number; readonly stdout: string; readonly stderr: string};

const callhome = (args: readonly string[], cwd?: string): Promise<Ran> =>
	new Promise(resolve => {
		execFile(process.execPath, [cli, ...args], {cwd, timeout: 60_000}, (error, stdout, stderr) =>
			resolve({code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr}),
		);
	});

/** A config file in a directory of its own. */
async function writeConfig(t: ExecutionContext, settings: Record<string, unknown> = {}) {
	const directory = await temporaryDirectory(t);
	const file = join(directory, 'callhome.yaml');
	writeFileSync(file, JSON.stringify(settingsOf(directory, settings)));
	return {directory, file};
}

async function startRun(t: ExecutionContext, settings: Record<string, unknown> = {}) {
	const {directory, file} = await writeConfig(t, settings);
	const program = await startProgram(t, process.execPath, [cli, 'run', '--config', file, '--json'], {cwd: directory});
	await program.waitFor('"ready":true', {timeoutMillis: 60_000});
	const line =
		program
			.output()
			.split('\n')
			.find(text => text.includes('"ready":true')) ?? '';
	const {urls} = JSON.parse(line) as {urls: {otlp: string; metrics: string}};
	return {program, directory, file, otlp: new URL(urls.otlp), metrics: new URL(urls.metrics)};
}

test('run, problem list, problem show, activity and status tell the same story', async t => {
	const {program, file, otlp} = await startRun(t);
	t.is((await post(otlp, alertRequest({serial: 'J1A2B3C', body: 'Drive 3\u001b[31m has failed'}))).status, 200);
	const opened = await eventually(
		async () => {
			const [first] = JSON.parse((await callhome(['problem', 'list', '--config', file, '--json'])).stdout);
			return first?.state === 'open' && first;
		},
		{timeoutMillis: 60_000, intervalMillis: 200},
	);
	t.like(opened, {
		state: 'open',
		title: 'Drive 3\u001b[31m has failed',
		severity: 17,
		count: 1,
		system: {name: 'db01', machine_type: '8871', model: 'AC1', serial_number: 'J1A2B3C'},
		component: {id: 'drive-3', type: 'physical_disk', name: ''},
	});
	t.regex(opened.case_number, /^TS\d{9}$/);
	t.regex(opened.first_seen, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

	const shown = JSON.parse((await callhome(['problem', 'show', opened.case_number, '--config', file, '--json'])).stdout);
	t.is(shown.id, opened.id);
	t.is(shown.events.length, 1);
	t.deepEqual(
		shown.activity.map(({word}: {word: string}) => word),
		['first', 'accepted', 'case_number'],
	);
	const sent = shown.attempts.find(({type}: {type: string}) => type === 'hardware_alert');
	t.is(sent.status_code, 200);
	t.is(JSON.parse(sent.request).api_key, '[redacted]');

	const human = await callhome(['problem', 'list', '--config', file]);
	t.regex(human.stdout, /open +TS\d{9} +error +1/);
	t.false(human.stdout.includes('\u001b[31m'), 'a title does not steer the terminal');
	t.regex(
		(await callhome(['problem', 'show', opened.id, '--config', file])).stdout,
		/Case number: TS\d{9}[\s\S]*accepted, waiting[\s\S]*HTTP 200/,
	);
	t.regex((await callhome(['activity', '--config', file, '--problem', opened.id])).stdout, /case_number/);

	const status = await callhome(['status', '--config', file, '--json']);
	t.is(status.code, 0);
	const {destinations, ...lit} = JSON.parse(status.stdout);
	t.like(lit, {status: 'running', sandbox: true, queue_size: 0});
	t.is(destinations.length, 1);
	t.regex(destinations[0].destination, /^127\.0\.0\.1:\d+$/);
	t.deepEqual(
		['reached', 'accepted', 'case_opened', 'uploaded'].map(light => typeof destinations[0][light]),
		['string', 'string', 'string', 'object'],
		'each light by itself, and null for the one that was never lit',
	);

	t.is((await callhome(['run', '--config', file])).code, 43, 'a second bridge on the same state is refused');
	t.is(await program.stop('SIGTERM'), 0);
	const stopped = await callhome(['status', '--config', file, '--json']);
	t.is(stopped.code, 1);
	t.is(JSON.parse(stopped.stdout).problems.open, 1);
});

test('run without a config says that nothing reaches IBM', async t => {
	const directory = await temporaryDirectory(t);
	const program = await startProgram(t, process.execPath, [cli, 'run'], {cwd: directory, env: {}});
	await program.waitFor(/SANDBOX|taken by another program/, {timeoutMillis: 60_000});
	t.regex(program.output(), /nothing reaches IBM|taken by another program/);
	if (program.output().includes('SANDBOX')) t.is(await program.stop('SIGINT'), 0);
});

test('status without consent or keys is 29, as ESA says "not activated"', async t => {
	const {file} = await writeConfig(t, {consent: {}});
	t.is((await callhome(['status', '--config', file])).code, 29);
	const keyless = await writeConfig(t, {exporter: {call_home_connect: {customer_number: '1234567'}}});
	const {code, stdout} = await callhome(['status', '--config', keyless.file]);
	t.is(code, 29);
	t.regex(stdout, /not activated/);
});

test('config check names every fault with file and line, and exits with 1', async t => {
	const directory = await temporaryDirectory(t);
	writeFileSync(join(directory, 'bad.yaml'), 'exporter: {sandbox: {}}\nstore: {direktory: x}\nselektion: {}\n');
	const {code, stdout} = await callhome(['config', 'check', '--config', 'bad.yaml'], directory);
	t.is(code, 1);
	t.is(stdout, 'bad.yaml:2: store.direktory: unknown key\nbad.yaml:3: selektion: unknown key\n');
	const good = await callhome(['config', 'check', '--config', (await writeConfig(t)).file, '--json']);
	t.is(good.code, 0);
	t.like(JSON.parse(good.stdout), {valid: true, faults: []});
});

test('config check reads the files that are read at the start, and names those that cannot be used with their lines', async t => {
	const directory = await temporaryDirectory(t);
	writeFileSync(join(directory, 'empty.pem'), '');
	const text = `exporter: {sandbox: {}}
connections:
  - proxy:
      url: https://proxy.example:3129
      ca_file: empty.pem
destinations:
  updates:
    url: https://updates.example/list.json
    public_key_file: /nowhere/key.pem
`;
	writeFileSync(join(directory, 'callhome.yaml'), text);
	const {code, stdout} = await callhome(['config', 'check'], directory);
	t.is(code, 1);
	t.regex(stdout, /callhome\.yaml:5: connections\[0\]\.proxy\.ca_file: .*no certificate in PEM form/);
	t.regex(stdout, /callhome\.yaml:9: destinations\.updates\.public_key_file: .*\/nowhere\/key\.pem cannot be read/);
	t.false(stdout.includes('good'));
});

test('a config with a fault starts nothing', async t => {
	const directory = await temporaryDirectory(t);
	writeFileSync(join(directory, 'callhome.yaml'), 'exporter: {sandbox: {}}\nstore: {directory: 7}\n');
	const {code, stderr} = await callhome(['run'], directory);
	t.is(code, 17);
	t.regex(stderr, /callhome\.yaml:2: store\.directory:/);
});

test('wrong words get an exit code of ESA and the way out', async t => {
	const {file, directory} = await writeConfig(t);
	mkdirSync(join(directory, 'state'), {recursive: true});
	t.is((await callhome(['frobnicate'])).code, 5);
	t.is((await callhome(['status', '--frobnicate'])).code, 10);
	t.is((await callhome(['problem', 'show'])).code, 14);
	t.is((await callhome(['problem', 'list', '--limit', 'many', '--config', file])).code, 42);
	const nothing = await callhome(['problem', 'list', '--config', file]);
	t.is(nothing.code, 37);
	t.regex(nothing.stderr, /there is no store in .*callhome run/);
});

test('--help of every command shows what it takes', async t => {
	for (const command of [
		[],
		['run'],
		['status'],
		['problem'],
		['problem', 'list'],
		['problem', 'show'],
		['activity'],
		['sandbox'],
		['config', 'check'],
	]) {
		const {code, stdout} = await callhome([...command, '--help']);
		t.is(code, 0, command.join(' '));
		t.regex(stdout, /Usage: callhome/);
	}
	t.regex((await callhome(['--version'])).stdout, /^\d+\.\d+\.\d+\n$/);
});

test('sandbox runs alone, answers over TLS and changes its mode on demand', async t => {
	const {directory, file} = await writeConfig(t);
	const port = await freePort();
	const program = await startProgram(
		t,
		process.execPath,
		[cli, 'sandbox', '--config', file, '--listen', `127.0.0.1:${port}`, '--json'],
		{cwd: directory},
	);
	await program.waitFor('ca_file', {timeoutMillis: 60_000});
	const {url, ca_file} = JSON.parse(program.output()) as {url: string; ca_file: string};
	const curl = (...args: string[]) =>
		new Promise<string>(resolve => execFile('curl', ['-s', '--cacert', ca_file, ...args], (_error, stdout) => resolve(stdout)));
	t.regex(
		await curl(
			'-X',
			'PUT',
			'-d',
			'{"mode":"unavailable"}',
			'-H',
			'content-type: application/json',
			new URL('/sandbox/mode', url).href,
		),
		/unavailable/,
	);
	t.is(await curl('-o', '/dev/null', '-w', '%{http_code}', '-d', '{}', '-H', 'content-type: application/json', url), '503');
	t.is(await program.stop('SIGTERM'), 0);
});

test('an error under --json is JSON on standard error, and nothing stands on standard output', async t => {
	const {file, directory} = await writeConfig(t);
	writeFileSync(join(directory, 'bad.yaml'), 'receivers: {cimm: {}}\n');
	for (const [args, code, error] of [
		[['problem', 'show', 'pnothing', '--config', file], 37, 'ERR_NOT_FOUND'],
		[['problem', 'list', '--config', join(directory, 'bad.yaml')], 17, 'ERR_CONFIG'],
		[['problem', 'list', '--limit', 'many'], 42, 'ERR_USAGE'],
		[['problem', 'lst'], 5, 'ERR_USAGE'],
		[['problem', 'list', '--nonsense'], 10, 'ERR_USAGE'],
		[['problem', 'show'], 14, 'ERR_USAGE'],
	] as const) {
		mkdirSync(directory, {recursive: true});
		const ran = await callhome([...args, '--json'], directory);
		t.is(ran.code, code, ran.stderr);
		t.is(ran.stdout, '');
		const told = JSON.parse(ran.stderr);
		t.is(told.error.code, error);
		t.is(typeof told.error.message, 'string');
		t.notRegex(told.error.message, /^error:/);
	}
});
