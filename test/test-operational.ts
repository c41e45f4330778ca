import test from 'ava';
import {clockCheck, localChecks} from '../src/cli/operational-checks.ts';
import {loadConfig} from '../src/config.ts';
import {alertRequest, post} from './helpers/bridge.ts';
import {eventually, freePort} from './helpers/listen.ts';
import {startProgram} from './helpers/program.ts';
import {cli, type Ran, runTest, secrets, secretUrl, startIbm, writeConfig} from './helpers/test-command.ts';

const testOperational = (file: string) => runTest(['operational', '--config', file, '--json']);

const outcomesIn = ({stdout}: Ran): Record<string, string> => {
	const {checks} = JSON.parse(stdout) as {checks: readonly {name: string; outcome: string}[]};
	return Object.fromEntries(checks.map(({name, outcome}) => [name, outcome]));
};

test('the operational test says what fails beside the paths, and passes once a bridge runs', async t => {
	const dead = await freePort();
	const file = await writeConfig(t, {
		system: {machine_type: '8871', model: 'AC1', serial_number: 'J1A2B3C'},
		connections: [{direct: {}}, {proxy: {url: secretUrl(dead)}}],
	});
	const before = await testOperational(file);
	t.is(before.code, 33);
	t.deepEqual(outcomesIn(before), {
		activation: 'passed',
		bridge: 'failed',
		store: 'failed',
		clock: 'passed',
		paths: 'warned',
	});
	const bridge = await startProgram(t, process.execPath, [cli, 'run', '--config', file, '--json']);
	await bridge.waitFor('"ready":true', {timeoutMillis: 60_000});
	const after = await eventually(
		async () => {
			const ran = await testOperational(file);
			return outcomesIn(ran).heartbeat === 'passed' && ran;
		},
		{timeoutMillis: 60_000},
	);
	t.is(after.code, 0);
	t.deepEqual(outcomesIn(after), {
		activation: 'passed',
		bridge: 'passed',
		store: 'passed',
		queue: 'passed',
		heartbeat: 'passed',
		clock: 'passed',
		paths: 'warned',
	});
	for (const secret of secrets) t.false(`${before.stdout}${after.stdout}`.includes(secret));

	const {config} = loadConfig(file);
	const nextDay = await localChecks(config, Date.now() + 86_400_000);
	t.regex(
		nextDay.find(({name}) => name === 'heartbeat')?.text ?? '',
		/^the last one was answered 24 h ago; one is sent every 30 min$/,
	);
	t.is(nextDay.find(({name}) => name === 'heartbeat')?.outcome, 'failed');
	await bridge.stop();
	t.is((await localChecks(config, Date.now() + 86_400_000)).find(({name}) => name === 'heartbeat')?.outcome, 'unknown');
});

test('a problem that waits for hours is a failure, and a clock that differs is named with its side', async t => {
	const ibm = await startIbm(t);
	const file = await writeConfig(t, {
		...ibm.settings,
		connections: [{proxy: {url: `http://127.0.0.1:${await freePort()}`}}],
		exporter: {
			...ibm.settings.exporter,
			call_home_connect: {...ibm.settings.exporter.call_home_connect, api_key: 'a', private_key: 'b'},
		},
	});
	const bridge = await startProgram(t, process.execPath, [cli, 'run', '--config', file, '--json']);
	await bridge.waitFor('"ready":true', {timeoutMillis: 60_000});
	const [, otlp = ''] = /"otlp":"([^"]+)"/.exec(bridge.output()) ?? [];
	t.is((await post(new URL(otlp), alertRequest({serial: 'J1A2B3C'}))).status, 200);
	const {config} = loadConfig(file);
	const queueAt = async (later: number) => (await localChecks(config, Date.now() + later)).find(({name}) => name === 'queue');
	t.like(await queueAt(0), {outcome: 'passed'});
	t.like(await queueAt(3 * 3_600_000), {
		outcome: 'failed',
		text: '1 submission(s) wait, the oldest problem for 3 h: "callhome activity" says why it is not delivered',
	});
	t.is(clockCheck([]).outcome, 'unknown');
	t.is(clockCheck([900, 600_000]).outcome, 'passed', 'one server whose clock is wrong is no clock of ours');
	t.regex(clockCheck([-7_200_000]).text, /^this machine is 2 h behind the servers/);
	t.regex(clockCheck([600_000]).text, /^this machine is 10 min ahead of the servers/);
});

test('without consent or keys the operational test names what is missing', async t => {
	const ibm = await startIbm(t);
	const ran = await testOperational(await writeConfig(t, {...ibm.settings, consent: {}}));
	t.is(ran.code, 33);
	const {checks} = JSON.parse(ran.stdout) as {checks: readonly {text: string}[]};
	t.regex(checks[0]?.text ?? '', /nothing may leave yet: set consent\.cases: true, .*api_key_file, .*private_key_file/);
});
