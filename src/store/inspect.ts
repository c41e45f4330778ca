import {closeSync, openSync, readSync, statSync} from 'node:fs';
import {DatabaseSync} from 'node:sqlite';
import {BridgeError, toError} from '../errors.ts';
import {isDamage} from './failures.ts';
import {migrationName, migrations, schemaNamesAfter} from './migrations.ts';
import {disagreements} from './recent.ts';
import {applicationId, pageSize} from './sqlite.ts';
import {readWal, type Wal} from './wal.ts';

/** Why a file cannot be our store as it is. Nothing is taken over from a foreign one. */
export type Fault = {readonly cause: string; readonly foreign: boolean};

const damage = (cause: string): Fault => ({cause, foreign: false});

/**
What a start can check in a fraction of a second: up to the first size whether each index agrees with its table, up to the
second the whole file by itself, and of a larger one what is needed to send. Damage that is met later is found then.
*/
const compared = 16 * 1024 ** 2;
const checkedWhole = 64 * 1024 ** 2;
const checkedAlways = ['problem', 'problem_key', 'submission', 'level', 'setting', 'total', 'problem_tally'];

/**
Looks at the file without changing it: undefined when it is sound, or is not there. `thorough` when something was found to
be damaged already. Rejects a file of a newer version, and one that cannot be read now: neither is damaged.
*/
export function faultOf(file: string, thorough: boolean): Fault | undefined {
	const stats = statSync(file, {throwIfNoEntry: false});
	if (stats && !stats.isFile()) return {cause: 'it is not a file', foreign: true};
	const wal = readWal(`${file}-wal`);
	const size = stats?.size ?? 0;
	if (size === 0) return wal.pages.size > 0 ? damage('the file is empty, but not its write-ahead log') : undefined;
	try {
		using database = new DatabaseSync(file, {readOnly: true, timeout: 1000});
		return contentFault(database, () => headerFault(file, wal), extentOf(size, thorough)) ?? walFault(wal);
	} catch (error) {
		if (!isDamage(error)) throw error;
		return damage(toError(error).message);
	}
}

const walFault = ({damaged}: Wal) => (damaged ? damage('its write-ahead log is damaged before its end') : undefined);

function contentFault(
	database: DatabaseSync,
	headerFault: () => Fault | undefined,
	{checks, isCompared}: Extent,
): Fault | undefined {
	const names = new Set(
		database
			.prepare('SELECT name FROM sqlite_schema')
			.all()
			.map(({name}) => String(name)),
	);
	if (names.size === 0) return undefined;
	const isOurs = database.prepare('PRAGMA application_id').get()?.application_id === applicationId;
	const looksOurs = ['event', 'problem', 'submission'].filter(name => names.has(name)).length >= 2;
	if (!isOurs && !looksOurs) return {cause: 'it is a database of another program', foreign: true};
	const executed = executedMigrations(database);
	refuseNewer(executed, database.location() ?? '');
	if (!executed.every(name => name in migrations)) return damage('its list of migrations is damaged');
	const isComplete = executed.length === 0 ? !looksOurs : schemaNamesAfter(executed).isSubsetOf(names);
	if (!isOurs || !isComplete) return damage('its schema is damaged');
	return headerFault() ?? checkFault(database, checks) ?? (isCompared ? indexFault(database, names) : undefined);
}

/** The names of the migrations that a file has seen. */
export function executedMigrations(database: DatabaseSync): string[] {
	const table = database.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'kysely_migration'").get();
	if (!table) return [];
	return database
		.prepare('SELECT name FROM kysely_migration')
		.all()
		.map(({name}) => String(name));
}

/** A downgrade would lose what only the newer version understands. */
export function refuseNewer(executed: readonly string[], file: string): void {
	const unknown = executed.find(name => migrationName.test(name) && !(name in migrations));
	if (unknown === undefined) return;
	throw new BridgeError(
		'ERR_CONFIG',
		`${file} was written by a newer version of the bridge (${unknown}): run that version, or set store.directory`,
	);
}

/** Fields of a file's first 100 bytes whose value is known, and which SQLite obeys without a check. */
const header: readonly (readonly [from: number, to: number, ...allowed: readonly number[]])[] = [
	[16, 18, pageSize],
	[18, 19, 1, 2],
	[19, 20, 1, 2],
	[20, 21, 0],
	[44, 48, 4],
	[52, 56, 0],
	[56, 60, 1],
	[64, 68, 0],
];

function headerFault(file: string, wal: Wal): Fault | undefined {
	const logged = wal.pages.get(1);
	const descriptor = openSync(logged === undefined ? file : `${file}-wal`, 'r');
	const bytes = Buffer.alloc(100);
	try {
		readSync(descriptor, bytes, 0, bytes.length, logged ?? 0);
	} finally {
		closeSync(descriptor);
	}
	const isSound = header.every(([from, to, ...allowed]) => allowed.includes(bytes.readUIntBE(from, to - from)));
	return isSound ? undefined : damage('its header is damaged');
}

/** How much is checked. */
type Extent = {readonly checks: readonly string[]; readonly isCompared: boolean};

function extentOf(size: number, thorough: boolean): Extent {
	if (thorough || size <= compared) return {checks: ['PRAGMA integrity_check(1)'], isCompared: true};
	const checks = size <= checkedWhole ? ['PRAGMA quick_check(1)'] : checkedAlways.map(table => `PRAGMA quick_check(${table})`);
	return {checks, isCompared: false};
}

/** SQLite checks its own indexes; these are ours. */
function indexFault(database: DatabaseSync, names: ReadonlySet<string>): Fault | undefined {
	if (!names.has('recent_event')) return undefined; // The store of a version that has none.
	const disagrees = disagreements.some(query => database.prepare(query).get() !== undefined);
	return disagrees ? damage('an index does not agree with its table') : undefined;
}

/** SQLite's own check. It tests each value against its column, and JSON for being JSON, too. */
function checkFault(database: DatabaseSync, checks: readonly string[]): Fault | undefined {
	for (const check of checks) {
		const verdict = String(Object.values(database.prepare(check).get() ?? {})[0]);
		if (verdict !== 'ok') return damage(verdict);
	}
	return undefined;
}
