import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import test from 'ava';
import fc from 'fast-check';
import {Migrator} from 'kysely/migration';
import {verifyLedger} from '../../src/agent/verify-ledger.ts';
import {openBreaks} from '../../src/ledger-verifier.ts';
import {migrations} from '../../src/store/migrations.ts';
import {openSqlite} from '../../src/store/sqlite.ts';
import type {Store} from '../../src/store/store.ts';
import {acknowledge, attempt, begun, breaksOf, storeWith, tamperWith} from '../helpers/ledger.ts';
import {temporaryDirectory} from '../helpers/listen.ts';
import {seenAt} from '../helpers/records.ts';
import {keepProblem, openedStore} from '../helpers/stores.ts';

const hour = 3_600_000;

/** As somebody would who may write to the file: the whole chain again, over what is kept now. */
async function rebuild(store: Store, tamper: (sql: string) => void) {
	const attempts = (await store.read.attemptsOf('p1')).toSorted((one, other) => one.sequence - other.sequence);
	tamper('DELETE FROM ledger; DELETE FROM attempt; DELETE FROM sqlite_sequence');
	for (const {submission_id: submissionId, request, duration, status_code, reply, error_type, error} of attempts) {
		const sequence = await store.write(records => records.beginAttempt({...begun, submissionId, request}));
		const end =
			error_type === null ? {statusCode: Number(status_code), reply: `${reply}`} : {errorType: error_type, error: `${error}`};
		await store.write(records => records.endAttempt(sequence, {duration: Number(duration), ...end}));
	}
}

test('a ledger that was made anew as a whole is found by a head that was noted, here or elsewhere', async t => {
	const {store, tamper, breaks} = await storeWith(t);
	const {head} = await verifyLedger(store.read);
	t.is((await verifyLedger(store.read, {head})).containment, 'contained');
	tamper("UPDATE attempt SET request = 'harmless' WHERE sequence = 2");
	await rebuild(store, tamper);
	t.deepEqual(await breaks(), [], 'nothing in the file itself shows it');
	const verification = await verifyLedger(store.read, {head});
	t.is(verification.containment, 'not_contained');
	t.like(openBreaks(verification), {length: 1, 0: {kind: 'rewritten', from: 10, what: 'head'}});
	await store.write(records => records.writeLedgerNote({head}));
	t.deepEqual(await breaks(), ['rewritten 10-10 noted head']);
	await acknowledge(store);
	t.deepEqual(await breaks(), []);
	t.is(openBreaks(await verifyLedger(store.read, {head})).length, 1, 'what a person has kept cannot be acknowledged away');
});

test('a ledger that was cut at its end, with its attempts and its numbering, is found by a head that was noted', async t => {
	const {store, tamper, breaks} = await storeWith(t);
	const {head} = await verifyLedger(store.read);
	await store.write(records => records.writeLedgerNote({head}));
	tamper("DELETE FROM ledger WHERE sequence > 8; UPDATE sqlite_sequence SET seq = 8 WHERE name = 'ledger'");
	tamper('DELETE FROM attempt WHERE sequence > 4');
	t.deepEqual(await breaks(), ['rewritten 10-10 noted head']);
	t.is((await verifyLedger(store.read, {head})).containment, 'not_contained');
	for (const index of [5, 6, 7]) await attempt(store, index);
	t.deepEqual(await breaks(), ['rewritten 10-10 noted head'], 'another entry has that number now');
});

test('what is long over is forgotten from the front, and what stays is one chain from there', async t => {
	const {store, directory} = await openedStore(t);
	for (let index = 0; index < 40; index++) {
		// Each tenth belongs to a problem that is not over.
		if (index % 10 === 9) await store.write(records => keepProblem(records, `p${index}`, 1));
		await attempt(store, index, {problemId: `p${index}`, startedAt: seenAt + index * hour});
	}
	const {head} = await verifyLedger(store.read);
	const forget = async (closedBefore: number) => {
		for (let removed = 1; removed > 0; ) {
			removed = await store.write(records => records.prune({closedBefore, relapsedBefore: closedBefore, limit: 7}));
			t.deepEqual(await breaksOf(store), []);
		}
		return verifyLedger(store.read, {head});
	};
	t.like(await forget(seenAt + 5 * hour), {anchor: {sequence: 10}, entries: 70, containment: 'contained'});
	t.like(await forget(seenAt + 35 * hour), {anchor: {sequence: 18}, entries: 62}, 'the tenth attempt is kept still');
	tamperWith(directory, 'DELETE FROM submission; DELETE FROM problem_key; DELETE FROM problem');
	t.like(await forget(seenAt + 35 * hour), {anchor: {sequence: 70}, entries: 10, containment: 'contained'});
	t.like(await forget(seenAt + 99 * hour), {anchor: head, entries: 0, head, containment: 'contained'});
	await attempt(store, 41);
	const rest = await verifyLedger(store.read, {head});
	t.like(rest, {entries: 2, head: {sequence: 82}, breaks: {length: 0}, containment: 'contained'});
	const forgotten = await verifyLedger(store.read, {head: {sequence: 3, hash: head.hash}});
	t.is(forgotten.containment, 'forgotten');
	tamperWith(directory, "UPDATE setting SET value = json_set(value, '$.hash', printf('%064d', 0)) WHERE name = 'ledger.anchor'");
	t.deepEqual(await breaksOf(store), ['hash 81-81 entry']);
});

test('what was sent without a problem is forgotten sooner, its entries stay, and what is taken away of a problem is still seen', async t => {
	const {store, directory} = await openedStore(t);
	for (let index = 0; index < 20; index++) {
		const problemId = index % 5 === 0 ? `p${index}` : undefined;
		if (problemId) await store.write(records => keepProblem(records, problemId, 1));
		await attempt(store, index, {problemId, startedAt: seenAt + index * hour});
	}
	const limits = {closedBefore: 0, routineBefore: seenAt + 15 * hour, relapsedBefore: 0, limit: 3};
	for (let removed = 1; removed > 0; ) {
		removed = await store.write(records => records.prune(limits));
		t.deepEqual(await breaksOf(store), []);
	}
	const {entries, compared} = await verifyLedger(store.read);
	t.deepEqual([entries, compared], [40, 2 * 8], 'four of problems, and four that are not old enough');
	tamperWith(directory, "DELETE FROM attempt WHERE problem_id = 'p5'");
	t.deepEqual(await breaksOf(store), ['lost 11-12 attempt']);
});

test('entries that are forgotten while the ledger is verified are no break', async t => {
	const {store} = await storeWith(t, 600);
	let parts = 0;
	const verification = await verifyLedger(store.read, {
		pause: async () => {
			parts++;
			if (parts !== 2) return;
			for (let removed = 1; removed > 0; )
				removed = await store.write(records => records.prune({closedBefore: seenAt + hour, relapsedBefore: 0}));
			await attempt(store, 1);
		},
	});
	t.is(parts, 2);
	t.deepEqual(openBreaks(verification), []);
	t.is(verification.head.sequence, 1202);
});

test('an attempt that the bridge did not survive ends in the ledger with the next start', async t => {
	const {store} = await openedStore(t);
	const sequence = await store.write(records => records.beginAttempt(begun));
	t.deepEqual(await breaksOf(store), [], 'it is under way');
	t.is(await store.write(records => records.endInterrupted(seenAt + 5000)), 1);
	t.like(await verifyLedger(store.read), {entries: 2, lastAt: new Date(seenAt + 5000).toISOString(), breaks: {length: 0}});
	await store.write(records => records.endAttempt(sequence, {duration: 1, statusCode: 200, reply: 'too late'}));
	t.like(await verifyLedger(store.read), {entries: 2, breaks: {length: 0}}, 'an attempt ends once');
});

test('a change that fails leaves no entry behind, and many at once make one chain', async t => {
	const {store} = await openedStore(t);
	const failing = () =>
		store.write(async records => {
			await records.beginAttempt({...begun, request: 'never'});
			throw new Error('no');
		});
	const one = async (index: number) => {
		const failed = failing().catch(({message}: Error) => message);
		await attempt(store, index);
		return failed;
	};
	t.deepEqual(new Set(await Promise.all(Array.from({length: 200}, (_, index) => one(index)))), new Set(['no']));
	t.like(await verifyLedger(store.read), {entries: 400, compared: 400, head: {sequence: 400}, breaks: {length: 0}});
});

const anyText = fc.oneof(fc.string({unit: 'grapheme'}), fc.string({unit: 'binary'}), fc.constantFrom('\0', '\ud800', ''));
const anyNumber = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(Number.NaN, 8.64e15, -8.64e15, 1e300, -0));

test('whatever a clock, a name or a reply says, it is recorded as it is kept', async t => {
	const {store} = await openedStore(t);
	const record = fc.record({
		text: anyText,
		startedAt: anyNumber,
		duration: anyNumber,
		statusCode: anyNumber,
		isError: fc.boolean(),
	});
	await fc.assert(
		fc.asyncProperty(fc.array(record, {maxLength: 4}), async attempts => {
			for (const {text, startedAt, duration, statusCode, isError} of attempts) {
				const names = {submissionId: text, problemId: text, type: text, connection: text, destination: text};
				const sequence = await store.write(records => records.beginAttempt({...names, startedAt, request: text}));
				const end = isError ? {errorType: text, error: text} : {statusCode, reply: text};
				await store.write(records => records.endAttempt(sequence, {duration, ...end}));
			}
			return (await breaksOf(store)).length === 0;
		}),
		{numRuns: 100},
	);
	t.true((await verifyLedger(store.read)).entries > 100);
});

/** A store as the version before the ledger left it, with two attempts, one of them under way. */
async function olderStore(directory: string) {
	const sqlite = openSqlite(join(directory, 'callhome.db'));
	const before = Object.entries(migrations).filter(([name]) => name < '004');
	const provider = {getMigrations: async () => Object.fromEntries(before)};
	const {error} = await new Migrator({db: sqlite.queries, provider}).migrateToLatest();
	if (error) throw error;
	sqlite.connection.exec(`
		INSERT INTO attempt (submission_id, type, started_at, duration, connection, destination, request)
			VALUES ('s1', 'test', 1, 2, 'direct', 'x:1', 'r'), ('s2', 'test', 1, NULL, 'direct', 'x:1', 'r');
		INSERT INTO setting (name, value) VALUES ('other', 'kept')`);
	sqlite.close();
}

/** Makes the file one that has to be salvaged, without a row being lost. */
function damage(directory: string): void {
	const file = join(directory, 'callhome.db');
	const [page] = leavesOf(file, 'attempt_of_problem');
	const content = readFileSync(file);
	content.fill(0xff, (Number(page) - 1) * 4096, Number(page) * 4096);
	writeFileSync(file, content);
}

for (const damaged of ['never', 'before', 'afterwards'] as const) {
	test(`a store of the version before is brought up to date, damaged ${damaged}: its attempts are older than the ledger`, async t => {
		const directory = await temporaryDirectory(t);
		await olderStore(directory);
		if (damaged === 'before') damage(directory);
		const {store, setAside} = await openedStore(t, {directory});
		await store.write(records => records.endInterrupted());
		await attempt(store, 1);
		t.like(await verifyLedger(store.read), {attemptsBefore: 2, entries: 3, breaks: {length: 0}});
		await store.close();
		if (damaged === 'afterwards') damage(directory);
		const again = await openedStore(t, {directory});
		t.is(setAside.length + again.setAside.length, damaged === 'never' ? 0 : 1);
		t.like(await verifyLedger(again.store.read), {attemptsBefore: 2, entries: 3, breaks: {length: 0}});
		t.is(await again.store.read.readSetting('other'), 'kept');
	});
}

function leavesOf(file: string, table: string): number[] {
	using database = new DatabaseSync(file, {readOnly: true});
	const pages = database.prepare("SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY pageno").all(table);
	return pages.map(({pageno}) => Number(pageno));
}

for (const [table, kinds] of [
	['ledger', ['missing', 'unrecorded']],
	['attempt', ['lost']],
] as const) {
	test(`what a salvage has lost of the table ${table} shows as a break, the rest verifies, and no number is used twice`, async t => {
		const {store, directory} = await storeWith(t, 60);
		const {head} = await verifyLedger(store.read);
		await store.write(records => records.writeLedgerNote({head}));
		await store.close();
		const file = join(directory, 'callhome.db');
		const pages = leavesOf(file, table);
		const content = readFileSync(file);
		for (const page of [pages[1], pages.at(-1)]) content.fill(0xff, (Number(page) - 1) * 4096, Number(page) * 4096);
		writeFileSync(file, content);

		const opened = await openedStore(t, {directory});
		t.is(opened.setAside.length, 1);
		const broken = await verifyLedger(opened.store.read);
		t.deepEqual([...new Set(openBreaks(broken).map(({kind}) => kind))].sort(), [...kinds]);
		t.true(broken.compared > 60 && broken.compared < 120, `${broken.compared} of 120 compared`);
		t.is(await attempt(opened.store, 99), 61);
		t.is((await verifyLedger(opened.store.read)).head.sequence, 122);
		await acknowledge(opened.store);
		t.deepEqual(await breaksOf(opened.store), []);
	});
}

test('a row with a number of a damaged page keeps nothing from being sent after a salvage', async t => {
	const {store, directory, tamper} = await storeWith(t, 20);
	tamper(`
		INSERT INTO ledger VALUES (9223372036854775807, NULL, '{"sequence":1}', '');
		INSERT INTO event VALUES (9223372036854775806, 'e', 'p', 'first', 1, '{}');
		INSERT INTO attempt (sequence, submission_id, type, started_at, connection, destination, request)
			VALUES (36028797018963968, 's', 't', 1, 'c', 'd', 'r')`);
	await store.close();
	damage(directory);
	const opened = await openedStore(t, {directory});
	t.is(opened.setAside.length, 1);
	t.is(await attempt(opened.store, 21), 21);
	await opened.store.write(records => keepProblem(records, 'another', 2));
	t.deepEqual(await breaksOf(opened.store), []);
});

test('what was forgotten is still known to be after a salvage', async t => {
	const {store, directory} = await openedStore(t);
	for (let index = 0; index < 20; index++) {
		if (index === 12) await store.write(records => keepProblem(records, 'p12', 1));
		await attempt(store, index, {problemId: `p${index}`, startedAt: seenAt + index * hour});
	}
	for (let removed = 1; removed > 0; )
		removed = await store.write(records => records.prune({closedBefore: seenAt + 15 * hour, relapsedBefore: 0}));
	const {anchor, entries} = await verifyLedger(store.read);
	t.deepEqual([anchor.sequence, entries], [24, 16], 'the thirteenth is not over, and entries go from the front only');
	await store.close();
	damage(directory);
	const opened = await openedStore(t, {directory});
	t.is(opened.setAside.length, 1);
	t.like(await verifyLedger(opened.store.read), {anchor, entries, breaks: {length: 0}});
});
