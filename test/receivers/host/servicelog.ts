import {execFile} from 'node:child_process';
import {mkdir} from 'node:fs/promises';
import {join} from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import {promisify} from 'node:util';
import test from 'ava';
import fc from 'fast-check';
import {hostReceiverSchema} from '../../../src/receivers/host/config.ts';
import {createRunner} from '../../../src/receivers/host/runner.ts';
import {servicelogSource} from '../../../src/receivers/host/servicelog.ts';
import {closedToFinding, eventToFinding} from '../../../src/receivers/host/servicelog-rows.ts';
import {eventsCome, type HostStage, hostStage, stateIs, told} from '../../helpers/host.ts';
import {eventually} from '../../helpers/listen.ts';

/** The tables and triggers that libservicelog makes. */
const schema = `
CREATE TABLE events ('id' INTEGER NOT NULL PRIMARY KEY, 'time_logged' DATE, 'time_event' DATE, 'time_last_update' DATE,
	'type' INTEGER, 'severity' INTEGER, 'platform' TEXT, 'machine_serial' TEXT, 'machine_model' TEXT, 'nodename' TEXT,
	'refcode' TEXT, 'description' TEXT, 'serviceable' INTEGER, 'predictive' INTEGER, 'disposition' INTEGER,
	'call_home_status' INTEGER, 'closed' INTEGER, 'repair' INTEGER, 'callouts' INTEGER, 'raw_data' BLOB);
CREATE TRIGGER trigger_events_insert AFTER INSERT ON events BEGIN
	UPDATE events SET time_logged = DATETIME('NOW'), time_last_update = DATETIME('NOW') WHERE rowid = new.rowid; END;
CREATE TABLE callouts ('id' INTEGER NOT NULL PRIMARY KEY, 'event_id' INTEGER, 'priority' TEXT, 'type' INTEGER, 'procedure' TEXT,
	'location' TEXT, 'fru' TEXT, 'serial' TEXT, 'ccin' TEXT);
CREATE TABLE notifications ('id' INTEGER NOT NULL PRIMARY KEY, 'time_logged' DATE, 'time_last_update' DATE, 'notify' INTEGER,
	'command' TEXT, 'method' INTEGER, 'match' TEXT);
`;

const fileOf = ({directory}: HostStage) => join(directory, 'servicelog/servicelog.db');

async function create(stage: HostStage): Promise<DatabaseSync> {
	await mkdir(join(stage.directory, 'servicelog'), {recursive: true});
	const database = new DatabaseSync(fileOf(stage));
	database.exec(schema);
	return database;
}

type Logged = {severity?: number; serviceable?: number; predictive?: number; callHome?: number; location?: string; text?: string};

function log(
	database: DatabaseSync,
	{severity = 6, serviceable = 1, predictive = 0, callHome = 1, location, text}: Logged,
): number {
	const {lastInsertRowid} = database
		.prepare(
			`INSERT INTO events (type, severity, refcode, description, serviceable, predictive, disposition, call_home_status, closed)
			VALUES (2, ?, 'B124E504', ?, ?, ?, 1, ?, 0)`,
		)
		.run(
			severity,
			text ?? 'Memory subsystem including external cache: memory DIMM has failed',
			serviceable,
			predictive,
			callHome,
		);
	if (location !== undefined) {
		const callout = database.prepare(
			"INSERT INTO callouts (event_id, priority, type, location, fru, serial, ccin) VALUES (?, ?, 16, ?, '00VK195', 'YH10', '31F5')",
		);
		callout.run(lastInsertRowid, 'L', 'U78C9.001.WZS0001-P2');
		callout.run(lastInsertRowid, 'H', location);
	}
	return Number(lastInsertRowid);
}

test('an event that is to be called home names its part by the location, and a repair ends it', async t => {
	const stage = await hostStage(t);
	const database = await create(stage);
	const first = log(database, {location: 'U78C9.001.WZS0001-P1-C32'});
	const running = await stage.start({servicelog: {file: fileOf(stage)}});
	await eventsCome(stage, 1);
	t.like(stage.events[0], {
		severity: 17,
		attributes: {
			'hw.id': 'memory/u78c9-001-wzs0001-p1-c32',
			'hw.sensor_location': 'U78C9.001.WZS0001-P1-C32',
			'hw.serial_number': 'YH10',
			'callhome.event.code': 'B124E504',
			'callhome.call_home_candidate': true,
			'callhome.host.servicelog.fru': '00VK195',
		},
	});
	const second = log(database, {location: 'U78C9.001.WZS0001-P1-C32'});
	await eventsCome(stage, 2);
	await eventually(() => stage.marks.get('host/servicelog')?.includes('[1,2]'));
	await running.stop();
	database.prepare('UPDATE events SET closed = 1 WHERE id = ?').run(first);
	await stage.start({servicelog: {file: fileOf(stage)}});
	await eventually(() => stage.marks.get('host/servicelog')?.includes('[2]'));
	t.is(stage.events.length, 2, 'another event of the part is still open');
	database.prepare('UPDATE events SET closed = 1 WHERE id = ?').run(second);
	await eventsCome(stage, 3);
	t.is(told(stage).at(-1), 'memory/u78c9-001-wzs0001-p1-c32 ok');
	database.close();
});

test('who is needed is what the log says: IBM, the customer, or IBM already knows', async t => {
	const stage = await hostStage(t);
	const database = await create(stage);
	log(database, {callHome: 1, predictive: 1});
	log(database, {callHome: 0});
	log(database, {callHome: 2});
	log(database, {serviceable: 0, callHome: 0});
	log(database, {serviceable: 0, severity: 2});
	await stage.start({servicelog: {file: fileOf(stage)}});
	await eventsCome(stage, 4);
	await eventually(() => stage.marks.has('host/servicelog'));
	t.deepEqual(
		stage.events.map(({attributes}) => [
			attributes['hw.state'],
			attributes['callhome.serviceable'],
			attributes['callhome.call_home_candidate'],
		]),
		[
			['predicted_failure', true, true],
			['failed', true, false],
			['failed', true, false],
			['failed', false, undefined],
		],
	);
	database.close();
});

test('a log that was cleared begins again at 1, and is read from there', async t => {
	const stage = await hostStage(t);
	const database = await create(stage);
	for (let index = 0; index < 3; index++) log(database, {location: `P1-C${index}`});
	await stage.start({servicelog: {file: fileOf(stage)}});
	await eventsCome(stage, 3);
	await eventually(() => stage.marks.has('host/servicelog'));
	// SQLite's clock counts in seconds: an event of another second is another one.
	database.exec('DELETE FROM events; DELETE FROM callouts; DROP TRIGGER trigger_events_insert');
	database.exec(
		`INSERT INTO events (id, time_logged, severity, refcode, description, serviceable, call_home_status, closed)
		SELECT value, '2026-01-02 03:04:05', 6, 'SRC' || value, 'fan ' || value, 1, 1, 0 FROM json_each('[1,2,3,4]')`,
	);
	await eventsCome(stage, 7);
	t.deepEqual(told(stage).slice(3), ['fan/src1 failed', 'fan/src2 failed', 'fan/src3 failed', 'fan/src4 failed']);
	database.close();
});

test('the notification hook makes it look at once, and until it is registered the log says how', async t => {
	const stage = await hostStage(t);
	const database = await create(stage);
	const hook = join(stage.directory, 'run/servicelog');
	const config = hostReceiverSchema.parse({servicelog: {file: fileOf(stage), notify_file: hook, interval: '24h'}});
	if (!config) return t.fail();
	const marks = {
		read: async (key: string) => stage.marks.get(key),
		write: async (key: string, value: string) => void stage.marks.set(key, value),
	};
	const source = servicelogSource(config.servicelog, {marks, log: (_level, text) => stage.logged.push(text)});
	// Only the hook: the database itself is watched as well.
	const runner = createRunner(
		{...source, wakeOn: [hook]},
		{
			consume: async events => {
				stage.events.push(...events);
				return events.map(() => 'first');
			},
			measure: () => {},
			marks,
			onTarget: state => stage.states.push(state),
			log: () => {},
			random: () => 0,
			identity: async () => ({'host.name': 'power1'}),
		},
	);
	await runner.start();
	t.teardown(() => runner.shutdown());
	await stateIs(stage, 'working');
	t.regex(
		stage.logged.join('\n'),
		/servicelog_notify --add --type=EVENT .*--method=num_stdin --command='\/usr\/bin\/touch .*run\/servicelog'/,
	);
	log(database, {location: 'P1-C1'});
	await promisify(execFile)('/usr/bin/touch', [hook]);
	await eventsCome(stage, 1);
	t.is(told(stage)[0], 'memory/p1-c1 failed');
	database.close();
	return undefined;
});

test('no log, and a log without events, are said', async t => {
	const stage = await hostStage(t);
	await stage.start({servicelog: {file: fileOf(stage)}});
	await stateIs(stage, 'absent');
	await mkdir(join(stage.directory, 'servicelog'), {recursive: true});
	const database = new DatabaseSync(fileOf(stage));
	database.exec('CREATE TABLE x (id INTEGER)');
	await stateIs(stage, 'failing');
	t.regex(stage.states.at(-1)?.reason ?? '', /no table of events/);
	database.close();
});

test('whatever is in a row of the log, it is a finding', t => {
	const value = fc.oneof(fc.string({maxLength: 60}), fc.integer(), fc.constant(null), fc.uint8Array({maxLength: 8}), fc.double());
	const columns = ['id', 'time_logged', 'severity', 'refcode', 'description', 'serviceable', 'predictive', 'call_home_status'];
	const places = ['priority', 'location', 'fru', 'serial', 'ccin', 'procedure'];
	const row = (names: readonly string[]) => fc.record(Object.fromEntries(names.map(name => [name, value])), {requiredKeys: []});
	fc.assert(
		fc.property(row(columns), fc.array(row(places), {maxLength: 4}), (event, callouts) => {
			const finding = eventToFinding(event, callouts);
			return finding.part.id !== '' && finding.message !== '' && closedToFinding(event, callouts).part.id === finding.part.id;
		}),
		{numRuns: 200},
	);
	t.pass();
});
