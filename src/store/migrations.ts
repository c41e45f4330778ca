import {type Kysely, sql} from 'kysely';
import type {Migration} from 'kysely/migration';
import {splitIndexes} from './migration-indexes.ts';

/** How a migration is named, so that one of a newer version is told from a damaged name. */
export const migrationName = /^\d{3}-[a-z0-9-]{1,60}$/;

const tables = [
	`CREATE TABLE event (
		sequence INTEGER PRIMARY KEY AUTOINCREMENT,
		id TEXT NOT NULL UNIQUE,
		problem_id TEXT NOT NULL,
		decision TEXT NOT NULL,
		received_at INTEGER NOT NULL,
		body TEXT NOT NULL CHECK (json_valid(body))
	) STRICT`,
	`CREATE TABLE problem (
		id TEXT PRIMARY KEY,
		key TEXT NOT NULL,
		state TEXT NOT NULL,
		reason TEXT NOT NULL,
		title TEXT NOT NULL,
		severity INTEGER NOT NULL,
		test INTEGER NOT NULL,
		count INTEGER NOT NULL,
		first_seen INTEGER NOT NULL,
		last_seen INTEGER NOT NULL,
		system_key TEXT NOT NULL,
		system TEXT CHECK (json_valid(system)),
		component TEXT NOT NULL CHECK (json_valid(component)),
		transaction_id TEXT NOT NULL UNIQUE,
		case_number TEXT,
		accepted_at INTEGER,
		recovered_at INTEGER,
		closed_at INTEGER,
		release_at INTEGER,
		traceparent TEXT
	) STRICT`,
	// The key, and not the problem, is unique: a storm's problem stands for many faults, and none of them opens a second case.
	'CREATE TABLE problem_key (key TEXT PRIMARY KEY, problem_id TEXT NOT NULL) STRICT',
	`CREATE TABLE submission (
		sequence INTEGER PRIMARY KEY AUTOINCREMENT,
		id TEXT NOT NULL UNIQUE,
		type TEXT NOT NULL,
		priority INTEGER NOT NULL,
		problem_id TEXT,
		transaction_id TEXT NOT NULL UNIQUE,
		about_transaction_id TEXT,
		content TEXT NOT NULL CHECK (json_valid(content)),
		attempts INTEGER NOT NULL DEFAULT 0,
		rounds INTEGER NOT NULL DEFAULT 0,
		uncertain INTEGER NOT NULL DEFAULT 0,
		not_before INTEGER NOT NULL,
		queued_at INTEGER NOT NULL,
		traceparent TEXT
	) STRICT`,
	`CREATE TABLE attempt (
		sequence INTEGER PRIMARY KEY AUTOINCREMENT,
		submission_id TEXT NOT NULL,
		problem_id TEXT,
		type TEXT NOT NULL,
		started_at INTEGER NOT NULL,
		duration INTEGER,
		connection TEXT NOT NULL,
		destination TEXT NOT NULL,
		request TEXT NOT NULL,
		status_code INTEGER,
		reply TEXT,
		error_type TEXT,
		error TEXT
	) STRICT`,
	`CREATE TABLE activity (
		sequence INTEGER PRIMARY KEY AUTOINCREMENT,
		at INTEGER NOT NULL,
		level TEXT NOT NULL,
		word TEXT NOT NULL,
		problem_id TEXT,
		text TEXT NOT NULL
	) STRICT`,
	'CREATE TABLE level (series TEXT PRIMARY KEY, value REAL NOT NULL) STRICT, WITHOUT ROWID',
	'CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID',
	'CREATE TABLE total (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID',
	`CREATE TABLE problem_tally (
		state TEXT NOT NULL,
		sent INTEGER NOT NULL,
		problems INTEGER NOT NULL,
		events INTEGER NOT NULL,
		PRIMARY KEY (state, sent)
	) STRICT, WITHOUT ROWID`,
];

const indexes = [
	'CREATE INDEX event_of_problem ON event (problem_id, sequence)',
	'CREATE INDEX problem_in_state ON problem (state, last_seen DESC, id)',
	'CREATE INDEX problem_of_system ON problem (system_key, first_seen)',
	'CREATE INDEX problem_of_case ON problem (case_number) WHERE case_number IS NOT NULL',
	'CREATE INDEX problem_released ON problem (state, release_at) WHERE release_at IS NOT NULL',
	'CREATE INDEX key_of_problem ON problem_key (problem_id)',
	'CREATE INDEX submission_due ON submission (priority, not_before)',
	'CREATE INDEX submission_of_type ON submission (type, queued_at)',
	'CREATE INDEX submission_of_problem ON submission (problem_id)',
	'CREATE INDEX attempt_of_problem ON attempt (problem_id, sequence)',
	'CREATE INDEX attempt_under_way ON attempt (submission_id) WHERE duration IS NULL',
	'CREATE INDEX activity_of_problem ON activity (problem_id, sequence)',
];

const leaveTally = `
	UPDATE problem_tally SET problems = problems - 1, events = events - old.count
		WHERE state = old.state AND sent = (old.accepted_at IS NOT NULL);
`;
const enterTally = `
	INSERT INTO problem_tally SELECT new.state, new.accepted_at IS NOT NULL, 0, 0 WHERE NOT EXISTS
		(SELECT 1 FROM problem_tally WHERE state = new.state AND sent = (new.accepted_at IS NOT NULL));
	UPDATE problem_tally SET problems = problems + 1, events = events + new.count
		WHERE state = new.state AND sent = (new.accepted_at IS NOT NULL);
`;

/**
What a scrape reads is counted as it is written. The events of a problem that was pruned stay in the tally, since a
counter does not go back. No OR IGNORE here: the conflict clause of the statement that fires a trigger would replace it.
*/
const tallies = [
	"INSERT INTO total (name, value) VALUES ('events', 0), ('submissions', 0)",
	`CREATE TRIGGER problem_added AFTER INSERT ON problem BEGIN
		${enterTally}
	END`,
	`CREATE TRIGGER problem_changed AFTER UPDATE ON problem BEGIN
		${leaveTally}
		${enterTally}
	END`,
	`CREATE TRIGGER problem_pruned AFTER DELETE ON problem BEGIN
		UPDATE problem_tally SET problems = problems - 1 WHERE state = old.state AND sent = (old.accepted_at IS NOT NULL);
	END`,
	`CREATE TRIGGER submission_queued AFTER INSERT ON submission BEGIN
		UPDATE total SET value = value + 1 WHERE name = 'submissions';
	END`,
	`CREATE TRIGGER submission_gone AFTER DELETE ON submission BEGIN
		UPDATE total SET value = value - 1 WHERE name = 'submissions';
	END`,
];

const spine = [...tables, ...indexes, ...tallies];

/** Nearly every change of a problem is one more event that joins it: its place in the tally stays the same. */
const cheapJoins = [
	'DROP TRIGGER problem_changed',
	`CREATE TRIGGER problem_changed AFTER UPDATE ON problem
		WHEN old.state <> new.state OR (old.accepted_at IS NULL) <> (new.accepted_at IS NULL) BEGIN
		${leaveTally}
		${enterTally}
	END`,
	`CREATE TRIGGER problem_joined AFTER UPDATE ON problem
		WHEN old.count <> new.count AND old.state = new.state AND (old.accepted_at IS NULL) = (new.accepted_at IS NULL) BEGIN
		UPDATE problem_tally SET events = events + new.count - old.count
			WHERE state = new.state AND sent = (new.accepted_at IS NOT NULL);
	END`,
];

/** The attempts of before cannot be recorded any more; which they are is noted. */
const ledger = [
	`CREATE TABLE ledger (
		sequence INTEGER PRIMARY KEY AUTOINCREMENT,
		attempt INTEGER,
		entry TEXT NOT NULL CHECK (json_valid(entry)),
		hash TEXT NOT NULL
	) STRICT`,
	'CREATE INDEX ledger_of_attempt ON ledger (attempt) WHERE attempt IS NOT NULL',
	"INSERT INTO setting (name, value) SELECT 'ledger.before', coalesce(max(sequence), 0) FROM attempt",
];

/** Nearly all attempts are of no problem, and the oldest of them are looked for each hour. */
const routineAttempts = ['CREATE INDEX attempt_of_none ON attempt (started_at) WHERE problem_id IS NULL'];

const steps: Readonly<Record<string, readonly string[]>> = {
	'001-spine': spine,
	'002-cheap-joins': cheapJoins,
	'003-split-indexes': splitIndexes,
	'004-ledger': ledger,
	'005-routine-attempts': routineAttempts,
};

/**
In order of their names; one that has run in a release is never changed. Tables are STRICT and JSON is checked, so that
SQLite's own check of the file finds a damaged value, too.
*/
export const migrations: Readonly<Record<string, Migration>> = Object.fromEntries(
	Object.entries(steps).map(([name, statements]) => [
		name,
		{
			async up(database: Kysely<unknown>) {
				for (const statement of statements) await sql.raw(statement).execute(database);
			},
		},
	]),
);

/** Names of all tables, indexes and triggers that a store has once these migrations have run. */
export function schemaNamesAfter(executed: readonly string[]): ReadonlySet<string> {
	const names = new Set<string>();
	for (const statement of executed.flatMap(name => steps[name] ?? [])) {
		const [, verb, first = '', second] =
			/^(CREATE|DROP|ALTER) (?:TABLE|INDEX|TRIGGER) (\w+)(?: RENAME TO (\w+))?/.exec(statement) ?? [];
		if (verb === 'CREATE') names.add(first);
		else if (verb) names.delete(first);
		if (second) names.add(second);
	}
	return names;
}
