import {rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import test from 'ava';
import fc from 'fast-check';
import {rasTables, rowToFinding, timeIn} from '../../../src/receivers/host/ras-rows.ts';
import {eventsCome, type HostStage, hostStage, stateIs, told} from '../../helpers/host.ts';
import {eventually} from '../../helpers/listen.ts';

/** The tables as rasdaemon makes them. */
const schema = `
CREATE TABLE mc_event (id INTEGER PRIMARY KEY, timestamp TEXT, err_count INTEGER, err_type TEXT, err_msg TEXT, label TEXT,
	mc INTEGER, top_layer INTEGER, middle_layer INTEGER, lower_layer INTEGER, address INTEGER, grain INTEGER, syndrome INTEGER,
	driver_detail TEXT);
CREATE TABLE aer_event (id INTEGER PRIMARY KEY, timestamp TEXT, dev_name TEXT, err_type TEXT, err_msg TEXT);
CREATE TABLE extlog_event (id INTEGER PRIMARY KEY, timestamp TEXT, etype INTEGER, error_count INTEGER, severity INTEGER,
	address INTEGER, fru_id BLOB, fru_text TEXT, cper_data BLOB);
CREATE TABLE mce_record (id INTEGER PRIMARY KEY, timestamp TEXT, mcgcap INTEGER, mcgstatus INTEGER, status INTEGER, addr INTEGER,
	misc INTEGER, ip INTEGER, tsc INTEGER, walltime INTEGER, cpu INTEGER, cpuid INTEGER, apicid INTEGER, socketid INTEGER,
	cs INTEGER, bank INTEGER, cpuvendor INTEGER, bank_name TEXT, error_msg TEXT, mcgstatus_msg TEXT, mcistatus_msg TEXT,
	mcastatus_msg TEXT, user_action TEXT, mc_location TEXT);
CREATE TABLE disk_errors (id INTEGER PRIMARY KEY, timestamp TEXT, dev TEXT, sector INTEGER, nr_sector INTEGER, error TEXT,
	rwbs TEXT, cmd TEXT);
`;

const stamp = (at = Date.now()) => `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} +0000`;
const fileOf = ({directory}: HostStage) => join(directory, 'ras-mc_event.db');

function create(stage: HostStage): DatabaseSync {
	const database = new DatabaseSync(fileOf(stage));
	database.exec(schema);
	return database;
}

const memoryEvent = (database: DatabaseSync, type: string, label: string, at = stamp()) =>
	database
		.prepare('INSERT INTO mc_event VALUES (NULL, ?, 1, ?, ?, ?, 0, 0, 0, -1, ?, 32, 0, ?)')
		.run(at, type, 'memory read error', label, 9_223_372_036_854_775_807n, 'area:DRAM');

test('each table is read as it means it, and each row once', async t => {
	const stage = await hostStage(t);
	const database = create(stage);
	memoryEvent(database, 'Uncorrected', 'CPU 0 DIMM 8');
	memoryEvent(database, 'Corrected', 'CPU 0 DIMM 9');
	database
		.prepare('INSERT INTO aer_event VALUES (NULL, ?, ?, ?, ?)')
		.run(stamp(), '0000:01:00.0', 'Uncorrected (Fatal)', 'Data Link Protocol');
	// Bit 61 of the status: not corrected. As SQLite keeps it, the number is negative.
	database
		.prepare('INSERT INTO mce_record (timestamp, status, cpu, bank_name, error_msg) VALUES (?, ?, 4, ?, ?)')
		.run(stamp(), BigInt.asIntN(64, 0xbe00000000800400n), 'bank=3', 'Internal Timer error');
	database.prepare('INSERT INTO extlog_event (timestamp, etype, severity, fru_text) VALUES (?, 2, 2, ?)').run(stamp(), 'DIMM A1');
	database
		.prepare('INSERT INTO disk_errors (timestamp, dev, sector, error) VALUES (?, ?, 5, ?)')
		.run(stamp(), 'sdb', 'critical medium error');
	const first = await stage.start({ras_database: {file: fileOf(stage)}});
	await eventsCome(stage, 6);
	t.deepEqual(told(stage).toSorted(), [
		'cpu/4 failed uncorrected',
		'memory/0/8 failed uncorrected',
		'memory/0/9 told corrected',
		'memory/a1 told corrected',
		'pci/0000:01:00.0 failed uncorrected',
		'physical_disk/sdb failed bad_sector',
	]);
	await eventually(() => stage.marks.has('host/ras_database'));
	await first.stop();
	memoryEvent(database, 'Fatal', 'CPU 1 DIMM 1');
	await stage.start({ras_database: {file: fileOf(stage)}});
	await eventsCome(stage, 7);
	t.is(told(stage).at(-1), 'memory/1/1 failed uncorrected');
	database.close();
});

test('what is older than the history is not told at the first look, and is at no later one', async t => {
	const stage = await hostStage(t);
	const database = create(stage);
	memoryEvent(database, 'Uncorrected', 'CPU 0 DIMM 8', stamp(Date.now() - 5 * 86_400_000));
	await stage.start({ras_database: {file: fileOf(stage)}});
	await eventually(() => stage.marks.has('host/ras_database'));
	memoryEvent(database, 'Uncorrected', 'CPU 0 DIMM 9');
	await eventsCome(stage, 1);
	t.deepEqual(told(stage), ['memory/0/9 failed uncorrected']);
	database.close();
});

test('a database that is made anew is read from its beginning', async t => {
	const stage = await hostStage(t);
	const old = create(stage);
	for (let index = 0; index < 5; index++) memoryEvent(old, 'Uncorrected', `CPU 0 DIMM ${index}`);
	await stage.start({ras_database: {file: fileOf(stage)}});
	await eventsCome(stage, 5);
	await eventually(() => stage.marks.has('host/ras_database'));
	old.close();
	await rm(fileOf(stage));
	const fresh = create(stage);
	memoryEvent(fresh, 'Uncorrected', 'CPU 1 DIMM 7');
	await eventsCome(stage, 6);
	t.is(told(stage).at(-1), 'memory/1/7 failed uncorrected');
	fresh.close();
});

test('more rows than one look reads come all, and once', async t => {
	const stage = await hostStage(t);
	const database = create(stage);
	database.exec('BEGIN');
	for (let index = 0; index < 1234; index++) memoryEvent(database, 'Uncorrected', `CPU 0 DIMM ${index}`);
	database.exec('COMMIT');
	await stage.start({ras_database: {file: fileOf(stage)}});
	await eventsCome(stage, 1234);
	t.is(new Set(told(stage)).size, 1234);
	database.close();
});

test('no file, no database, no tables and a lock are said, and none of them is the end', async t => {
	const stage = await hostStage(t);
	await stage.start({ras_database: {file: fileOf(stage)}});
	await stateIs(stage, 'absent');
	await writeFile(fileOf(stage), 'this is no database, but a text that is long enough to be looked at as one'.repeat(20));
	await stateIs(stage, 'failing');
	t.regex(stage.states.at(-1)?.reason ?? '', /not a database/);
	await rm(fileOf(stage));
	const empty = new DatabaseSync(fileOf(stage));
	empty.exec('CREATE TABLE other (id INTEGER)');
	await eventually(() => /none of the tables/.test(stage.states.at(-1)?.reason ?? ''));
	empty.exec(schema);
	await stateIs(stage, 'working');
	empty.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
	memoryEvent(empty, 'Uncorrected', 'CPU 0 DIMM 8');
	await stateIs(stage, 'failing');
	t.regex(stage.states.at(-1)?.reason ?? '', /locked/);
	empty.exec('COMMIT');
	empty.close();
	await eventsCome(stage, 1);
	t.deepEqual(told(stage), ['memory/0/8 failed uncorrected']);
});

test('whatever is in a row, it is a finding that can be told, or none', t => {
	const value = fc.oneof(
		fc.string({maxLength: 50}),
		fc.integer(),
		fc.constant(null),
		fc.bigInt({min: -(2n ** 63n), max: 2n ** 63n - 1n}),
		fc.uint8Array({maxLength: 8}),
		fc.double(),
	);
	const columns = [
		'id',
		'timestamp',
		'err_count',
		'err_type',
		'label',
		'mc',
		'top_layer',
		'status',
		'cpu',
		'severity',
		'fru_text',
		'dev',
		'dev_name',
		'error',
	];
	const row = fc.record(Object.fromEntries(columns.map(name => [name, value])), {requiredKeys: []});
	fc.assert(
		fc.property(fc.constantFrom(...Object.keys(rasTables), 'other'), row, (table, fields) => {
			const finding = rowToFinding(table, fields, 'inode');
			return finding === undefined || (finding.part.id !== '' && JSON.stringify(finding.message) !== undefined);
		}),
		{numRuns: 300},
	);
	t.is(rowToFinding('mce_record', {id: 1, status: 0.5, cpu: 3}, 'inode')?.part.id, 'cpu/3');
	t.is(timeIn('2015-01-27 11:31:21 +0100'), Date.UTC(2015, 0, 27, 10, 31, 21));
	t.is(timeIn('2015-13-27 11:31:21 +0100'), undefined);
	t.is(timeIn('yesterday'), undefined);
});
