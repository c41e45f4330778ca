import {spawnSync} from 'node:child_process';
import {
	chmodSync,
	copyFileSync,
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	realpathSync,
	renameSync,
	rmSync,
	statSync,
	symlinkSync,
	truncateSync,
	writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import test, {type ExecutionContext} from 'ava';
import {Migrator} from 'kysely/migration';
import {migrations} from '../../src/store/migrations.ts';
import {openDatabase} from '../../src/store/open.ts';
import {applicationId, openSqlite} from '../../src/store/sqlite.ts';
import {temporaryDirectory} from '../helpers/listen.ts';
import {countsOf, fill, keepProblem, openedStore} from '../helpers/stores.ts';

const pageSize = 4096;

/** A store as a killed bridge leaves it: what was committed last is in the log only. */
async function killedStore(t: ExecutionContext, problems = 20) {
	const {store, directory} = await openedStore(t);
	await fill(store, problems);
	const killed = await temporaryDirectory(t);
	for (const suffix of ['', '-wal', '-shm'])
		copyFileSync(join(directory, `callhome.db${suffix}`), join(killed, `callhome.db${suffix}`));
	return {directory: killed, file: join(killed, 'callhome.db')};
}

async function closedStore(t: ExecutionContext, problems = 20) {
	const {store, directory} = await openedStore(t);
	await fill(store, problems);
	await store.close();
	return {directory, file: join(directory, 'callhome.db')};
}

async function assertWorks(t: ExecutionContext, directory: string, problems: number) {
	const opened = await openedStore(t, {directory});
	await opened.store.write(records => keepProblem(records, 'another', 2));
	const counts = await countsOf(opened.store.read);
	t.is(counts.problems, problems + 1);
	t.deepEqual([counts.tallied, counts.counted], [counts.kept, counts.kept]);
	await opened.store.close();
	return opened;
}

test('a store of the first version opens, is brought up to date, and goes on counting', async t => {
	const directory = await temporaryDirectory(t);
	const sqlite = openSqlite(join(directory, 'callhome.db'));
	const [first = '', ...later] = Object.keys(migrations);
	const provider = {getMigrations: async () => ({[first]: migrations[first] ?? {up: async () => {}}})};
	t.is((await new Migrator({db: sqlite.queries, provider}).migrateToLatest()).error, undefined);
	sqlite.connection.exec(`
		INSERT INTO problem VALUES ('p1', 'k', 'open', '', 'Drive 3', 17, 0, 2, 1, 1, 's', NULL, '{}', 't1', NULL, 1, NULL, NULL, NULL, NULL);
		INSERT INTO event VALUES (1, 'e1', 'p1', 'first', 1, '{}'), (2, 'e2', 'p1', 'duplicate', 1, '{}');
		UPDATE total SET value = 2 WHERE name = 'events';
	`);
	sqlite.close();
	await assertWorks(t, directory, 1);
	t.deepEqual(setAsideFiles(directory), []);
	const database = new DatabaseSync(join(directory, 'callhome.db'), {readOnly: true});
	t.deepEqual(
		database
			.prepare('SELECT name FROM kysely_migration ORDER BY name')
			.all()
			.map(({name}) => name),
		[first, ...later],
	);
	database.close();
});

const setAsideFiles = (directory: string) => readdirSync(directory).filter(name => name.includes('set-aside'));

test('a fresh store is made with its directory, for the owner alone, and opens again', async t => {
	const directory = join(await temporaryDirectory(t), 'a', 'b');
	await assertWorks(t, directory, 0);
	t.is(statSync(directory).mode & 0o777, 0o700);
	const again = await openedStore(t, {directory});
	t.is((await again.store.read.problemById('another'))?.count, 2);
	t.deepEqual([again.setAside, setAsideFiles(directory)], [[], []]);
});

test('each commit is synced, and what is deleted is gone from the file', async t => {
	const {sqlite} = await openDatabase(await temporaryDirectory(t));
	t.teardown(() => sqlite.close());
	const pragma = (name: string) => Object.values(sqlite.connection.prepare(`PRAGMA ${name}`).get() ?? {})[0];
	t.deepEqual(['journal_mode', 'synchronous', 'secure_delete', 'page_size'].map(pragma), ['wal', 2, 1, pageSize]);
});

test('nothing is set aside after a kill, with or without the shared memory file', async t => {
	const {directory, file} = await killedStore(t);
	t.true(statSync(`${file}-wal`).size > 0);
	rmSync(`${file}-shm`);
	const {setAside} = await assertWorks(t, directory, 20);
	t.deepEqual(setAside, []);
});

const foreign: [title: string, make: (file: string) => void, cause: RegExp][] = [
	[
		'a database of another program',
		file => {
			using database = new DatabaseSync(file);
			database.exec("CREATE TABLE note (text TEXT); INSERT INTO note VALUES ('mine')");
		},
		/another program/,
	],
	['a text file', file => writeFileSync(file, 'Dear operator, this is no database.\n'.repeat(200)), /not a database/],
	['a directory', file => mkdirSync(join(file, 'inside'), {recursive: true}), /not a file/],
];

for (const [title, make, cause] of foreign) {
	test(`${title} is set aside untouched, and said so`, async t => {
		const directory = await temporaryDirectory(t);
		const file = join(directory, 'callhome.db');
		make(file);
		const before = statSync(file).isFile() ? readFileSync(file) : undefined;
		const {setAside} = await assertWorks(t, directory, 0);
		t.is(setAside.length, 1);
		t.regex(setAside[0]?.cause ?? '', cause);
		t.is(setAside[0]?.salvagedRows, 0);
		const movedTo = setAside[0]?.movedTo ?? '';
		t.true(before ? readFileSync(movedTo).equals(before) : existsSync(join(movedTo, 'inside')));
		const again = await openedStore(t, {directory});
		t.deepEqual(again.setAside, [], 'it is said once');
	});
}

test('the log of another program stays as it was', async t => {
	const directory = await temporaryDirectory(t);
	const file = join(directory, 'callhome.db');
	using other = new DatabaseSync(file);
	other.exec("PRAGMA journal_mode = WAL; CREATE TABLE note (text TEXT); INSERT INTO note VALUES ('mine')");
	const log = readFileSync(`${file}-wal`);
	const {setAside} = await assertWorks(t, directory, 0);
	t.true(readFileSync(`${setAside[0]?.movedTo}-wal`).equals(log));
});

test('an empty file is filled', async t => {
	const directory = await temporaryDirectory(t);
	writeFileSync(join(directory, 'callhome.db'), '');
	const {setAside} = await assertWorks(t, directory, 0);
	t.deepEqual(setAside, []);
});

for (const share of [0.1, 0.5, 0.9]) {
	test(`of a file cut to ${share * 100} % what is left is taken over`, async t => {
		const {directory, file} = await closedStore(t);
		truncateSync(file, Math.floor(statSync(file).size * share) + 100);
		const opened = await openedStore(t, {directory});
		t.is(opened.setAside.length, 1);
		const counts = await countsOf(opened.store.read);
		t.deepEqual([counts.tallied, counts.counted], [counts.kept, counts.kept]);
		if (share > 0.4) t.true((opened.setAside[0]?.salvagedRows ?? 0) > 0);
	});
}

test('a file that is gone, or emptied, while its log is there: what the log holds is taken over', async t => {
	for (const harm of [(file: string) => rmSync(file), (file: string) => truncateSync(file)]) {
		const {directory, file} = await killedStore(t, 3);
		harm(file);
		const {setAside} = await assertWorks(t, directory, 3);
		t.is(setAside.length, 1);
		t.true(existsSync(`${setAside[0]?.movedTo}-wal`));
	}
});

const headers: [title: string, at: number, bytes: readonly number[]][] = [
	['the magic', 3, [0]],
	['the page size', 16, [0x20, 0]],
	['the format for writers', 18, [7]],
	['the reserved bytes', 20, [40]],
	['the format of the schema', 44, [0, 0, 0, 9]],
	['the mark of auto-vacuum', 52, [0, 0, 0, 9]],
	['the text encoding', 56, [0, 0, 0, 2]],
	['the mark of the program', 68, [1, 2, 3, 4]],
];

for (const [title, at, bytes] of headers) {
	test(`a header with a wrong value loses no row: ${title}`, async t => {
		const {directory, file} = await closedStore(t, 12);
		const content = readFileSync(file);
		content.set(bytes, at);
		writeFileSync(file, content);
		const {setAside} = await assertWorks(t, directory, 12);
		t.is(setAside.length, 1);
	});
}

test('a damaged place in the log does not cost what was committed after it', async t => {
	const {directory, file} = await killedStore(t, 30);
	const log = readFileSync(`${file}-wal`);
	const frames = Math.floor((log.length - 32) / (24 + pageSize));
	t.true(frames > 20);
	log.fill(0xaa, 32 + 5 * (24 + pageSize) + 200, 32 + 5 * (24 + pageSize) + 300);
	writeFileSync(`${file}-wal`, log);
	const opened = await openedStore(t, {directory});
	t.regex(opened.setAside[0]?.cause ?? '', /write-ahead log is damaged/);
	t.is((await opened.store.read.problemById('p29'))?.count, 3, 'the last one is there');
	t.true(existsSync(`${opened.setAside[0]?.movedTo}-wal`));
});

test('a log without its header still has its commits', async t => {
	const {directory, file} = await killedStore(t, 5);
	const log = readFileSync(`${file}-wal`);
	log.fill(0, 0, 32);
	writeFileSync(`${file}-wal`, log);
	const {setAside} = await assertWorks(t, directory, 5);
	t.is(setAside.length, 1);
});

test('a log that ends in the middle of a commit is as a power cut leaves it, and no damage', async t => {
	const {directory, file} = await killedStore(t, 5);
	truncateSync(`${file}-wal`, statSync(`${file}-wal`).size - 2000);
	const opened = await openedStore(t, {directory});
	t.deepEqual(opened.setAside, []);
	const counts = await countsOf(opened.store.read);
	t.deepEqual([counts.tallied, counts.counted], [counts.kept, counts.kept]);
});

test('a file of a newer version is refused by name, and left as it is', async t => {
	const {directory, file} = await closedStore(t, 2);
	{
		using database = new DatabaseSync(file);
		database.exec("INSERT INTO kysely_migration VALUES ('002-of-tomorrow', '2027-01-01T00:00:00Z')");
	}
	const error = await t.throwsAsync(openedStore(t, {directory}), {code: 'ERR_CONFIG'});
	t.regex(error.message, /newer version.*002-of-tomorrow/);
	t.deepEqual(setAsideFiles(directory), []);
});

test('a link is followed: the file it points to is what is set aside', async t => {
	const real = await closedStore(t, 4);
	const directory = await temporaryDirectory(t);
	symlinkSync(real.file, join(directory, 'callhome.db'));
	t.deepEqual((await assertWorks(t, directory, 4)).setAside, []);
	const content = readFileSync(real.file);
	content.fill(0x55, 0, pageSize);
	writeFileSync(real.file, content);
	const opened = await openedStore(t, {directory});
	t.is(opened.setAside.length, 1);
	t.true(opened.setAside[0]?.movedTo.startsWith(`${realpathSync(real.directory)}/`));
	t.is((await countsOf(opened.store.read)).problems, 5);
});

test('a directory that cannot be made is refused by name', async t => {
	const directory = await temporaryDirectory(t);
	writeFileSync(join(directory, 'file'), '');
	const error = await t.throwsAsync(openedStore(t, {directory: join(directory, 'file', 'store')}), {code: 'ERR_CONFIG'});
	t.regex(error.message, /store\.directory: .*file\/store cannot be used/);
});

test('a file that is in use by another program is not taken for a damaged one', async t => {
	const {directory, file} = await closedStore(t, 2);
	using other = new DatabaseSync(file);
	other.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE');
	await t.throwsAsync(openedStore(t, {directory}), {code: 'ERR_STORE_BUSY'});
	t.deepEqual(setAsideFiles(directory), []);
});

/** Opens the store in a process of an account that may do nothing, when this one may do anything. */
function openAsNobody(directory: string) {
	const code = `
		const {openStore} = await import(${JSON.stringify(new URL('../../src/store/store.ts', import.meta.url).href)});
		const silent = {onFailure() {}, onSetAside() {}};
		await openStore({directory: ${JSON.stringify(directory)}, ...silent}).then(
			() => console.log('opened'),
			error => console.log(error.code, error.message),
		);`;
	const isRoot = process.getuid?.() === 0;
	const {stdout, stderr} = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
		encoding: 'utf8',
		...(isRoot ? {uid: 65534, gid: 65534} : {}),
	});
	return stdout + stderr;
}

test('a directory that may not be written is refused by name', async t => {
	const {directory} = await closedStore(t, 1);
	chmodSync(directory, 0o555);
	t.regex(openAsNobody(directory), /^ERR_CONFIG store\.directory: .* cannot be used: .*(EACCES|EPERM)/);
	chmodSync(directory, 0o700);
	t.deepEqual(setAsideFiles(directory), []);
});

test('two files set aside at the same moment, by the clock, are both kept', async t => {
	const directory = await temporaryDirectory(t);
	const moved: string[] = [];
	for (const text of ['one', 'other']) {
		rmSync(join(directory, 'callhome.db'), {force: true});
		for (const suffix of ['-wal', '-shm']) rmSync(join(directory, `callhome.db${suffix}`), {force: true});
		writeFileSync(join(directory, 'callhome.db'), text.repeat(400));
		const {sqlite, setAside} = await openDatabase(directory, {now: () => 0});
		sqlite.close();
		moved.push(setAside?.movedTo ?? '');
	}
	t.deepEqual(
		moved.map(file => readFileSync(file, 'utf8').slice(0, 3)),
		['one', 'oth'],
	);
});

test('a start that was killed between the renames is finished by the next one', async t => {
	const {directory, file} = await closedStore(t, 6);
	renameSync(file, `${file}.new`);
	const {setAside} = await assertWorks(t, directory, 6);
	t.deepEqual(setAside, []);
});

test('a start that was killed while it took rows over begins anew', async t => {
	const {directory, file} = await closedStore(t, 6);
	const content = readFileSync(file);
	content.fill(0, 0, pageSize);
	writeFileSync(file, content);
	writeFileSync(`${file}.part`, 'half done');
	writeFileSync(`${file}.part-wal`, 'half done');
	const {setAside} = await assertWorks(t, directory, 6);
	t.is(setAside.length, 1);
	t.deepEqual(
		readdirSync(directory).filter(name => name.includes('.part') || name.includes('.new')),
		[],
	);
});

test('a start that was killed while the schema was made begins anew', async t => {
	const directory = await temporaryDirectory(t);
	{
		using database = new DatabaseSync(join(directory, 'callhome.db'));
		database.exec(`PRAGMA journal_mode = WAL; PRAGMA application_id = ${applicationId}`);
		database.exec('CREATE TABLE kysely_migration (name VARCHAR(255) NOT NULL PRIMARY KEY, timestamp VARCHAR(255) NOT NULL)');
	}
	const {setAside} = await assertWorks(t, directory, 0);
	t.deepEqual(setAside, []);
});
