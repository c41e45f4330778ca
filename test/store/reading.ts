import {spawnSync} from 'node:child_process';
import {chmodSync, copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import test from 'ava';
import {openStoreForReading} from '../../src/store/store.ts';
import {temporaryDirectory} from '../helpers/listen.ts';
import {fill, keepProblem, openedStore} from '../helpers/stores.ts';

test('a reader sees what is committed while the bridge writes, and does not disturb it', async t => {
	const {store, directory, failures} = await openedStore(t);
	await fill(store, 3);
	const {read, close} = openStoreForReading(directory);
	t.teardown(close);
	const writes = Array.from({length: 30}, (_, index) => store.write(records => keepProblem(records, `n${index}`, 2)));
	for (let turn = 0; turn < 30; turn++) {
		const problems = await read.listProblems({limit: 1000});
		t.true(problems.length >= 3 && problems.length <= 33);
	}
	await Promise.all(writes);
	t.is((await read.listProblems({limit: 1000})).length, 33);
	t.deepEqual(failures, []);
	await t.throwsAsync(read.writeSetting('name', 'value'), undefined, 'it reads only');
});

test('after a clean end, and after a kill, it reads without a bridge', async t => {
	const {store, directory} = await openedStore(t);
	await fill(store, 3);
	const killed = await temporaryDirectory(t);
	for (const suffix of ['', '-wal']) copyFileSync(join(directory, `callhome.db${suffix}`), join(killed, `callhome.db${suffix}`));
	await store.close();
	t.deepEqual(readdirSync(directory), ['callhome.db']);
	for (const place of [directory, killed]) {
		const {read, close} = openStoreForReading(place);
		t.is(await read.countEvents(), 9);
		await close();
		await close();
	}
});

test('no store, one of a newer version, and a damaged one are told apart', async t => {
	const directory = await temporaryDirectory(t);
	t.throws(() => openStoreForReading(directory), {code: 'ERR_NOT_FOUND', message: /no store in .*callhome run/});
	const file = join(directory, 'callhome.db');
	writeFileSync(file, '');
	t.throws(() => openStoreForReading(directory), {code: 'ERR_NOT_FOUND', message: /callhome run/});
	const {store} = await openedStore(t, {directory});
	await store.close();
	{
		using database = new DatabaseSync(file);
		database.exec("INSERT INTO kysely_migration VALUES ('002-of-tomorrow', '')");
	}
	t.throws(() => openStoreForReading(directory), {code: 'ERR_CONFIG', message: /newer version/});
	const content = readFileSync(file);
	writeFileSync(file, content.fill(7, 0, 100));
	t.throws(() => openStoreForReading(directory), {code: 'ERR_STORE_DAMAGED', message: /damaged: start the bridge/});
	t.true(readFileSync(file).equals(content), 'a reader sets nothing aside');
});

test('a directory in which nothing may be made is read all the same', async t => {
	const {store, directory} = await openedStore(t);
	await fill(store, 3);
	await store.close();
	chmodSync(join(directory, 'callhome.db'), 0o444);
	chmodSync(directory, 0o555);
	const code = `
		const {openStoreForReading} = await import(${JSON.stringify(new URL('../../src/store/store.ts', import.meta.url).href)});
		const {read, close} = openStoreForReading(${JSON.stringify(directory)});
		console.log(await read.countEvents());
		await close();`;
	const account = process.getuid?.() === 0 ? {uid: 65534, gid: 65534} : {};
	const {stdout, stderr} = spawnSync(process.execPath, ['--input-type=module', '-e', code], {encoding: 'utf8', ...account});
	t.deepEqual([stdout, stderr], ['9\n', '']);
	t.deepEqual(readdirSync(directory), ['callhome.db']);
	chmodSync(join(directory, 'callhome.db'), 0o000);
	const refused = spawnSync(process.execPath, ['--input-type=module', '-e', code], {encoding: 'utf8', ...account});
	t.regex(refused.stderr, /callhome\.db cannot be read: .*use the account of the bridge/);
	chmodSync(directory, 0o700);
	rmSync(join(directory, 'callhome.db'));
});
