import {existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import test from 'ava';
import fc from 'fast-check';
import type {SetAside} from '../../src/store/open.ts';
import {openStore} from '../../src/store/store.ts';
import {countsOf, fill, keepProblem} from '../helpers/stores.ts';

const pageSize = 4096;
const tables = ['event', 'problem', 'problem_key', 'submission', 'attempt', 'ledger', 'activity'] as const;
const silent = {onFailure: () => {}, onSetAside: () => {}};

const original = join(mkdtempSync(join(tmpdir(), 'callhome-salvage-')), 'callhome.db');
test.before(async () => {
	const directory = join(original, '..');
	const store = await openStore({directory, ...silent});
	await fill(store, 60);
	await store.close();
});
test.after.always(() => rmSync(join(original, '..'), {recursive: true}));

const rowsIn = (file: string): Record<string, number> => {
	using database = new DatabaseSync(file, {readOnly: true});
	return Object.fromEntries(
		tables.map(table => [table, Number(database.prepare(`SELECT count(*) AS rows FROM ${table}`).get()?.rows)]),
	);
};

/** What lies on a page, as SQLite itself tells: the most rows that its loss may cost, and of which table. */
function lossOf(page: number): {table: string; rows: number} {
	using database = new DatabaseSync(original, {readOnly: true});
	const use = database.prepare('SELECT name, pagetype, ncell FROM dbstat WHERE pageno = ?').get(page);
	const table = tables.find(name => name === use?.name);
	if (!table || use?.pagetype === 'internal') return {table: '', rows: 0};
	return {table, rows: use?.pagetype === 'overflow' ? 1 : Number(use?.ncell)};
}

type Damage = {readonly page: number; readonly from: number; readonly bytes: Uint8Array};

function damagedCopy(directory: string, damages: readonly Damage[]): Buffer {
	const content = readFileSync(original);
	for (const {page, from, bytes} of damages) content.set(bytes.subarray(0, pageSize - from), page * pageSize + from);
	writeFileSync(join(directory, 'callhome.db'), content);
	return content;
}

const damageOf = (pages: number) =>
	fc.record({
		page: fc.nat({max: pages - 1}),
		from: fc.oneof({weight: 2, arbitrary: fc.constant(0)}, fc.nat({max: pageSize - 1})),
		bytes: fc.oneof(
			fc.uint8Array({minLength: pageSize, maxLength: pageSize, size: 'max'}),
			fc.uint8Array({minLength: 1, maxLength: 64, size: 'max'}),
			fc.constant(new Uint8Array(pageSize)),
		),
	});

test('whatever is damaged, the store opens, says so, keeps the file, and takes over what lies on the other pages', async t => {
	const pages = statSync(original).size / pageSize;
	const before = rowsIn(original);
	let setAsides = 0;
	const property = fc.asyncProperty(fc.array(damageOf(pages), {minLength: 1, maxLength: 3}), async damages => {
		const directory = mkdtempSync(join(tmpdir(), 'callhome-salvage-'));
		try {
			const content = damagedCopy(directory, damages);
			const reports: SetAside[] = [];
			const store = await openStore({directory, ...silent, onSetAside: report => reports.push(report)});
			for (const {movedTo} of reports) t.true(readFileSync(movedTo).equals(content), 'the damaged file is kept as it was');
			await store.write(records => keepProblem(records, 'another', 2));
			const counts = await countsOf(store.read);
			await store.close();
			t.deepEqual([counts.tallied, counts.counted], [counts.kept, counts.kept]);
			for (const {movedTo} of reports) t.true(existsSync(movedTo));
			setAsides += reports.length;
			const after = rowsIn(join(directory, 'callhome.db'));
			const losses = [...new Set(damages.map(({page}) => page + 1))].map(lossOf);
			const added = {event: 2, attempt: 0, ledger: 0} as Record<string, number>;
			for (const table of tables) {
				const allowed = losses.reduce((sum, loss) => sum + (loss.table === table ? loss.rows : 0), 0);
				const keyLoss =
					table === 'problem_key' ? losses.reduce((sum, loss) => sum + (loss.table === 'problem' ? loss.rows : 0), 0) : 0;
				const left = (after[table] ?? 0) - (added[table] ?? 1);
				t.true(left >= (before[table] ?? 0) - allowed - keyLoss, `${table}: ${left} of ${before[table]}, ${allowed} may be lost`);
			}
		} finally {
			rmSync(directory, {recursive: true});
		}
	});
	await fc.assert(property, {numRuns: 150});
	t.log(`${setAsides} of 150 set aside`);
	t.true(setAsides > 50);
});
