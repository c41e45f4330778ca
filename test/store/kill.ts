import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {setTimeout as pause} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import test from 'ava';
import {temporaryDirectory} from '../helpers/listen.ts';
import {countsOf, openedStore} from '../helpers/stores.ts';

const child = fileURLToPath(new URL('../helpers/store-child.ts', import.meta.url));

/** Lets a process write, kills it, and returns what it had been told to be kept. */
async function writeAndKill(directory: string, prefix: string, millis: number): Promise<string[]> {
	const writer = spawn(process.execPath, [child, directory, prefix], {stdio: ['ignore', 'pipe', 'inherit']});
	let output = '';
	const wrote = new Promise<void>(resolve => {
		writer.stdout.setEncoding('utf8').on('data', (text: string) => {
			output += text;
			resolve();
		});
	});
	const closed = once(writer, 'close');
	await Promise.race([wrote, closed]);
	await pause(millis);
	writer.kill('SIGKILL');
	await closed;
	return output.split('\n').slice(0, -1); // The last line may have been cut.
}

test('what was acknowledged is there after each of twenty kills, and nothing is set aside', async t => {
	t.timeout(120_000);
	const directory = await temporaryDirectory(t);
	const acknowledged: string[] = [];
	for (let kill = 0; kill < 20; kill++) {
		acknowledged.push(...(await writeAndKill(directory, `k${kill}`, Math.random() * 250)));
		t.deepEqual(
			acknowledged.filter(line => line.startsWith('failure') || line.startsWith('set aside')),
			[],
		);
	}
	const {store, setAside} = await openedStore(t, {directory});
	t.deepEqual(setAside, []);
	t.true(acknowledged.length > 100, `${acknowledged.length} acknowledged`);
	const problems = new Map((await store.read.listProblems({limit: 1_000_000})).map(problem => [problem.id, problem]));
	t.deepEqual(
		acknowledged.filter(name => problems.get(name)?.count !== 3),
		[],
	);
	const kept = await store.read.keptIds(acknowledged.flatMap(name => [0, 1, 2].map(index => `${name}-${index}`)));
	t.is(kept.size, acknowledged.length * 3);
	t.deepEqual(await store.read.orphanedProblems(), [], 'a problem is never kept without its submission');
	const counts = await countsOf(store.read);
	t.deepEqual([counts.tallied, counts.counted], [counts.kept, counts.kept]);
});
