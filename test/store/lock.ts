import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {chmodSync, existsSync, readdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {isLocked, lockDirectory} from '../../src/store/lock.ts';
import {temporaryDirectory} from '../helpers/listen.ts';

async function lockElsewhere(t: ExecutionContext, directory: string) {
	const code = `
		const {lockDirectory} = await import(${JSON.stringify(new URL('../../src/store/lock.ts', import.meta.url).href)});
		const lock = lockDirectory(${JSON.stringify(directory)});
		console.log('locked');
		setInterval(() => lock, 1000);`;
	const holder = spawn(process.execPath, ['--input-type=module', '-e', code], {stdio: ['ignore', 'pipe', 'inherit']});
	const closed = once(holder, 'close');
	const kill = async () => {
		holder.kill('SIGKILL');
		await closed;
	};
	t.teardown(kill);
	await Promise.race([once(holder.stdout, 'data'), closed.then(() => Promise.reject(new Error('it could not lock')))]);
	return kill;
}

test('one bridge works on a directory, and a kill frees it', async t => {
	const directory = join(await temporaryDirectory(t), 'made by the lock');
	const kill = await lockElsewhere(t, directory);
	t.true(isLocked(directory));
	const error = t.throws(() => lockDirectory(directory), {code: 'ERR_ALREADY_RUNNING'});
	t.true(error.message.includes(directory));
	t.true(isLocked(directory), 'asking and failing took nothing away');
	await kill();
	t.false(isLocked(directory));
	const lock = lockDirectory(directory);
	t.true(isLocked(directory), 'within the process, too');
	t.throws(() => lockDirectory(directory), {code: 'ERR_ALREADY_RUNNING'});
	lock[Symbol.dispose]();
	lock[Symbol.dispose]();
	t.false(isLocked(directory));
});

test('asking whether a directory is locked leaves nothing behind', async t => {
	const directory = await temporaryDirectory(t);
	t.false(isLocked(join(directory, 'missing')));
	t.false(isLocked(directory));
	t.deepEqual(readdirSync(directory), []);
	using _ = lockDirectory(directory);
	const before = readdirSync(directory);
	t.true(isLocked(directory));
	t.deepEqual(readdirSync(directory), before);
});

test('asking does not keep a bridge from starting', async t => {
	const directory = await temporaryDirectory(t);
	lockDirectory(directory)[Symbol.dispose]();
	const code = `
		const {isLocked} = await import(${JSON.stringify(new URL('../../src/store/lock.ts', import.meta.url).href)});
		console.log('asking');
		for (const end = Date.now() + 1500; Date.now() < end; ) isLocked(${JSON.stringify(directory)});`;
	const asking = spawn(process.execPath, ['--input-type=module', '-e', code], {stdio: ['ignore', 'pipe', 'inherit']});
	const closed = once(asking, 'close');
	await once(asking.stdout, 'data');
	for (let start = 0; start < 50; start++) lockDirectory(directory)[Symbol.dispose]();
	t.is(asking.exitCode, null, 'it was still asking');
	await closed;
});

test('a damaged lock file locks nobody out', async t => {
	const directory = await temporaryDirectory(t);
	writeFileSync(join(directory, 'running.lock'), 'no lock at all '.repeat(100));
	t.false(isLocked(directory));
	using _ = lockDirectory(directory);
	t.true(isLocked(directory));
	t.throws(() => lockDirectory(directory), {code: 'ERR_ALREADY_RUNNING'});
});

test('a directory that cannot be locked is no other bridge', async t => {
	const directory = await temporaryDirectory(t);
	writeFileSync(join(directory, 'file'), '');
	t.throws(() => lockDirectory(join(directory, 'file')), {code: 'ERR_CONFIG', message: /store\.directory/});
	t.false(isLocked(join(directory, 'file')));
	chmodSync(directory, 0o700);
	t.true(existsSync(directory));
});
