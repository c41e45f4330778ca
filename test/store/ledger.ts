import {join} from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import test from 'ava';
import fc from 'fast-check';
import {verifyLedger} from '../../src/agent/verify-ledger.ts';
import {hashOf, readEntry} from '../../src/ledger.ts';
import {acknowledge, attempt, storeWith} from '../helpers/ledger.ts';
import {seenAt} from '../helpers/records.ts';

test('each request and each end is one entry, and the chain follows from the texts alone', async t => {
	const {store, directory, breaks} = await storeWith(t, 3);
	t.deepEqual(await breaks(), []);
	using database = new DatabaseSync(join(directory, 'callhome.db'), {readOnly: true});
	const rows = database.prepare('SELECT * FROM ledger ORDER BY sequence').all();
	let previous = '0'.repeat(64);
	for (const {entry, hash} of rows) {
		t.is(hashOf(previous, String(entry)), String(hash));
		previous = String(hash);
	}
	t.deepEqual(
		rows.map(({entry}) => readEntry(String(entry))).map(entry => `${entry?.sequence} ${entry?.kind} ${entry?.attempt}`),
		['1 request 1', '2 reply 1', '3 request 2', '4 error 2', '5 request 3', '6 reply 3'],
	);
	t.deepEqual(readEntry(String(rows[0]?.entry)), {
		sequence: 1,
		at: new Date(seenAt).toISOString(),
		kind: 'request',
		attempt: 1,
		submission_id: 's0',
		problem_id: 'p1',
		type: 'hardware_alert',
		connection: 'direct',
		destination: 'ibm.example:443',
		text_sha256: 'e721e9f57f5a4857aa22220e72a820e9d53b7088df251f9117410496ce584e44',
		text_length: 9,
	});
	t.like(await verifyLedger(store.read), {entries: 6, compared: 6, head: {sequence: 6, hash: previous}, attemptsBefore: 0});
});

const tampered: [what: string, sql: string, breaks: string[]][] = [
	['an entry that is gone', 'DELETE FROM ledger WHERE sequence = 4', ['unrecorded 2-2 end', 'missing 4-4 entries']],
	[
		'entries that are gone from the front',
		'DELETE FROM ledger WHERE sequence < 3',
		['unrecorded 1-1 request', 'missing 1-2 entries'],
	],
	[
		'entries that are gone from the end',
		'DELETE FROM ledger WHERE sequence > 8',
		['unrecorded 5-5 request', 'missing 9-10 entries'],
	],
	[
		'an entry with other words',
		"UPDATE ledger SET entry = replace(entry, 'ibm.example', 'ibm.sample') WHERE sequence = 3",
		['hash 3-3 entry', 'content 3-3 destination'],
	],
	['another hash', 'UPDATE ledger SET hash = upper(hash) WHERE sequence = 3', ['hash 3-4 entry']],
	[
		'an entry of another number',
		"UPDATE ledger SET entry = json_set(entry, '$.sequence', 9) WHERE sequence = 3",
		['hash 3-3 entry', 'malformed 3-3 entry'],
	],
	[
		'an entry that is none',
		"UPDATE ledger SET entry = '[]' WHERE sequence = 3",
		['unrecorded 2-2 request', 'hash 3-3 entry', 'malformed 3-3 entry'],
	],
	[
		'an entry that is not even JSON',
		"PRAGMA ignore_check_constraints = ON; UPDATE ledger SET entry = '{' WHERE sequence = 3",
		['unrecorded 2-2 request', 'hash 3-3 entry', 'malformed 3-3 entry'],
	],
	[
		'an entry of another attempt',
		'UPDATE ledger SET attempt = 1 WHERE sequence = 3',
		['unrecorded 2-2 request', 'content 3-3 attempt'],
	],
	[
		'an entry of no attempt',
		'UPDATE ledger SET attempt = NULL WHERE sequence = 3',
		['unrecorded 2-2 request', 'content 3-3 attempt'],
	],
	['another request', "UPDATE attempt SET request = 'nothing' WHERE sequence = 2", ['content 3-3 text_sha256']],
	['another reply', "UPDATE attempt SET reply = 'reply 9' WHERE sequence = 1", ['content 2-2 text_sha256']],
	['a reply that is gone', 'UPDATE attempt SET reply = NULL WHERE sequence = 1', ['content 2-2 text_sha256']],
	['an error with a reply beside it', "UPDATE attempt SET reply = 'yes' WHERE sequence = 2", ['content 4-4 reply_beside_error']],
	['a reply that has become an error', "UPDATE attempt SET error_type = 'E' WHERE sequence = 1", ['content 2-2 kind']],
	['another destination', "UPDATE attempt SET destination = 'x:1' WHERE sequence = 2", ['content 3-3 destination']],
	['another time', 'UPDATE attempt SET started_at = 1 WHERE sequence = 2', ['content 3-4 at']],
	['another status', 'UPDATE attempt SET status_code = 503 WHERE sequence = 1', ['content 2-2 status_code']],
	['another duration', 'UPDATE attempt SET duration = 6 WHERE sequence = 1', ['content 2-2 at']],
	['an attempt that has not ended', 'UPDATE attempt SET duration = NULL WHERE sequence = 1', ['content 2-2 duration_millis']],
	['an attempt that is gone', 'DELETE FROM attempt WHERE sequence = 2', ['lost 3-4 attempt']],
	[
		'an attempt that was put in',
		"INSERT INTO attempt (submission_id, type, started_at, connection, destination, request) VALUES ('s', 't', 1, 'c', 'd', 'r')",
		['unrecorded 6-6 request'],
	],
	[
		'an end that was put in',
		`INSERT INTO attempt (submission_id, type, started_at, duration, connection, destination, request)
			SELECT 's', 't', 1, 2, 'c', 'd', 'r'; UPDATE ledger SET attempt = 6 WHERE sequence = 3`,
		['unrecorded 2-2 request', 'unrecorded 6-6 end', 'content 3-3 at'],
	],
	[
		'a numbering that was set back',
		"UPDATE sqlite_sequence SET seq = 1 WHERE name = 'ledger'; DELETE FROM attempt WHERE sequence = 5",
		['lost 9-10 attempt'],
	],
	['a number that was never given', "INSERT INTO ledger VALUES (9007199254740993, NULL, '{}', '')", ['malformed 1-1 number']],
	['a number before the first', "INSERT INTO ledger VALUES (-1, NULL, '{}', '')", ['malformed 1-1 number']],
	['a table that is empty', 'DELETE FROM ledger', ['unrecorded 1-5 request', 'missing 1-10 entries']],
];

for (const [what, sql, expected] of tampered) {
	test(`finds ${what}, and nothing else, until it is acknowledged`, async t => {
		const {store, tamper, breaks} = await storeWith(t);
		t.deepEqual(await breaks(), []);
		tamper(sql);
		t.deepEqual(await breaks(), expected);
		await attempt(store, 7);
		t.deepEqual(await breaks(), expected, 'it stays when more is sent');
		await acknowledge(store);
		t.deepEqual(await breaks(), []);
		const {breaks: all} = await verifyLedger(store.read);
		t.true(all.length === expected.length && all.every(({acknowledged}) => acknowledged), 'they are still listed');
		await attempt(store, 8);
		tamper(`UPDATE attempt SET connection = 'other' WHERE sequence = (SELECT max(sequence) FROM attempt)`);
		t.is((await breaks()).length, 1, 'what comes after it counts');
	});
}

type Value = string | number | bigint | null;
const columns = {
	attempt: [
		'submission_id',
		'problem_id',
		'type',
		'started_at',
		'duration',
		'connection',
		'destination',
		'request',
		'status_code',
		'reply',
		'error_type',
		'error',
	],
	ledger: ['attempt', 'entry', 'hash'],
} as const;
const places = Object.entries(columns).flatMap(([table, names]) => names.map(column => ({table, column})));
const anyValue = fc.oneof(
	fc.string(),
	fc.integer(),
	fc.constantFrom(null, '', 0, 1, 200, 'reply 0', 'error', 'interrupted', '{}', '0'.repeat(64), 2n ** 60n, -(2n ** 62n)),
);

test('whatever is written over any value of an attempt or of an entry is found, and well again when it is put back', async t => {
	const {directory, breaks} = await storeWith(t, 4);
	using database = new DatabaseSync(join(directory, 'callhome.db'), {timeout: 5000});
	let changed = 0;
	const bigints = (sql: string) => {
		const statement = database.prepare(sql);
		statement.setReadBigInts(true);
		return statement;
	};
	await fc.assert(
		fc.asyncProperty(fc.constantFrom(...places), fc.integer({min: 1, max: 4}), anyValue, async ({table, column}, row, value) => {
			const read = () => bigints(`SELECT ${column} AS value FROM ${table} WHERE sequence = ?`).get(row)?.value as Value;
			const write = (value: Value) => database.prepare(`UPDATE ${table} SET ${column} = ? WHERE sequence = ?`).run(value, row);
			const original = read();
			try {
				write(value);
			} catch {
				return true; // SQLite refuses it: another type, or no JSON.
			}
			const isChanged = read() !== original;
			const found = await breaks();
			write(original);
			changed += isChanged ? 1 : 0;
			return found.length > 0 === isChanged && (await breaks()).length === 0;
		}),
		{numRuns: 600},
	);
	t.true(changed > 150, `${changed} changes`);
});
