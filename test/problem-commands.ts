import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {alertRequest, post, settingsOf} from './helpers/bridge.ts';
import {callhome, cli} from './helpers/callhome.ts';
import {eventually, temporaryDirectory} from './helpers/listen.ts';
import {startProgram} from './helpers/program.ts';

async function startBridge(t: ExecutionContext) {
	const directory = await temporaryDirectory(t);
	const file = join(directory, 'callhome.yaml');
	writeFileSync(file, JSON.stringify(settingsOf(directory, {processors: {approval: 'manual'}})));
	const program = await startProgram(t, process.execPath, [cli, 'run', '--config', file, '--json'], {cwd: directory});
	await program.waitFor('"ready":true', {timeoutMillis: 120_000});
	const line =
		program
			.output()
			.split('\n')
			.find(text => text.includes('"ready":true')) ?? '';
	return {program, file, otlp: new URL(JSON.parse(line).urls.otlp)};
}

test('a problem that waits for approval is released, held and closed while the bridge runs and while it does not', async t => {
	t.timeout(300_000);
	const {program, file, otlp} = await startBridge(t);
	t.is((await post(otlp, alertRequest({serial: 'J1A2B3C', body: 'Drive 3 has failed'}))).status, 200);
	t.is((await post(otlp, alertRequest({serial: 'J9Z8Y7X', body: 'Drive 4 has failed'}))).status, 200);
	const list = async () => JSON.parse((await callhome('problem', 'list', '--config', file, '--json')).stdout);
	const problems = await list();
	t.deepEqual(
		problems.map(({reason}: {reason: string}) => reason),
		['awaiting_approval', 'awaiting_approval'],
	);
	const [one, other] = problems.map(({id}: {id: string}) => id);

	const released = await callhome('problem', 'release', one, '--reason', 'checked', '--config', file, '--json');
	t.is(released.code, 0, released.stderr);
	await eventually(
		async () => (await list()).some(({id, state}: {id: string; state: string}) => id === one && state === 'open'),
		{
			timeoutMillis: 120_000,
			intervalMillis: 500,
		},
	);
	t.is((await callhome('problem', 'hold', one, '--config', file)).code, 39);
	t.is((await callhome('problem', 'close', 'p0', '--config', file)).code, 37);
	await program.stop();

	t.is((await callhome('problem', 'close', other, '--reason', 'repaired', '--config', file)).code, 0);
	t.is((await callhome('problem', 'close', other, '--config', file)).code, 38);
	const closed = (await list()).find(({id}: {id: string}) => id === other);
	t.like(closed, {state: 'closed', reason: 'closed by the operator: repaired'});
});
