import {existsSync} from 'node:fs';
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {complaintOf, runTool} from '../../../src/receivers/host/tool.ts';
import {script} from '../../helpers/host.ts';
import {eventually, temporaryDirectory} from '../../helpers/listen.ts';

const {signal} = new AbortController();

const isAlive = (pid: number): boolean => {
	try {
		process.kill(pid, 0);
		return true;
	} catch {
		return false;
	}
};

test('a tool that is not there is absent, one that may not be run is forbidden', async t => {
	const directory = await temporaryDirectory(t);
	t.deepEqual(await runTool('callhome-no-such-tool', [], {timeoutMillis: 1000, signal}), {
		status: 'absent',
		reason: 'callhome-no-such-tool is not installed',
	});
	const run = await runTool(directory, [], {timeoutMillis: 1000, signal});
	t.is(run.status, 'forbidden');
});

test('what a tool prints and how it ends is handed on', async t => {
	const directory = await temporaryDirectory(t);
	const tool = await script(directory, 'tool', 'echo "out $1 $SECRET $HOME"; echo "first\nlast: no" >&2; exit 64');
	const run = await runTool(tool, ['a b'], {timeoutMillis: 20_000, signal, environment: {SECRET: 'x'}});
	t.deepEqual(run, {status: 'ended', exitCode: 64, stdout: 'out a b x \n', stderr: 'first\nlast: no\n', truncated: false});
	t.is(complaintOf('first\nlast: no\n\n'), 'last: no');
});

test('a tool that does not end is killed, with what it has started', async t => {
	const directory = await temporaryDirectory(t);
	const pids = join(directory, 'pids');
	const tool = await script(
		directory,
		'slow',
		`sleep 300 & echo "$! $$" > ${pids}.new; mv ${pids}.new ${pids}; trap '' TERM; wait; sleep 300`,
	);
	const running = runTool(tool, [], {timeoutMillis: 1500, signal});
	await eventually(() => existsSync(pids));
	const run = await running;
	t.is(run.status, 'slow');
	const [child = 0, parent = 0] = (await readFile(pids, 'utf8')).trim().split(' ').map(Number);
	await eventually(() => !isAlive(child) && !isAlive(parent));
	t.pass();
});

test('a tool that leaves a child behind does not hold the look up', async t => {
	const directory = await temporaryDirectory(t);
	const tool = await script(directory, 'leaver', 'sleep 300 & echo done');
	const run = await runTool(tool, [], {timeoutMillis: 60_000, signal});
	t.like(run, {status: 'ended', exitCode: 0, stdout: 'done\n'});
});

test('a tool that never stops printing is read to the bound and ended', async t => {
	const directory = await temporaryDirectory(t);
	const tool = await script(directory, 'endless', 'yes xxxxxxx');
	const run = await runTool(tool, [], {timeoutMillis: 60_000, signal, mostBytes: 100_000});
	t.like(run, {status: 'ended', truncated: true});
	t.is(run.status === 'ended' && run.stdout.length, 100_000);
});

test('a shutdown ends what runs, and starts nothing more', async t => {
	const directory = await temporaryDirectory(t);
	const tool = await script(directory, 'slow', 'sleep 300');
	const stopping = new AbortController();
	const running = runTool(tool, [], {timeoutMillis: 60_000, signal: stopping.signal});
	stopping.abort();
	t.is((await running).status, 'stopped');
	t.is((await runTool(tool, [], {timeoutMillis: 60_000, signal: stopping.signal})).status, 'stopped');
});
