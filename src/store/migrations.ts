import {type Kysely, sql} from 'kysely';
import type {Migration} from 'kysely/migration';

/** In order of their names; one that has run is never changed. */
export const migrations: Record<string, Migration> = {
	'001-spine': {
		async up(database: Kysely<unknown>) {
			for (const statement of spine) await sql.raw(statement).execute(database);
		},
	},
};

const spine = [
	`CREATE TABLE event (
		sequence INTEGER PRIMARY KEY AUTOINCREMENT,
		id TEXT NOT NULL UNIQUE,
		problem_id TEXT NOT NULL,
		decision TEXT NOT NULL,
		received_at INTEGER NOT NULL,
		body TEXT NOT NULL
	)`,
	'CREATE INDEX event_of_problem ON event (problem_id, sequence)',
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
		system TEXT,
		component TEXT NOT NULL,
		transaction_id TEXT NOT NULL UNIQUE,
		case_number TEXT,
		accepted_at INTEGER,
		recovered_at INTEGER,
		closed_at INTEGER,
		release_at INTEGER,
		traceparent TEXT
	)`,
	'CREATE INDEX problem_in_state ON problem (state)',
	'CREATE INDEX problem_of_system ON problem (system_key, first_seen)',
	// The key, and not the problem, is unique: a storm's problem stands for many faults, and none of them opens a second case.
	'CREATE TABLE problem_key (key TEXT PRIMARY KEY, problem_id TEXT NOT NULL) WITHOUT ROWID',
	`CREATE TABLE submission (
		sequence INTEGER PRIMARY KEY AUTOINCREMENT,
		id TEXT NOT NULL UNIQUE,
		type TEXT NOT NULL,
		priority INTEGER NOT NULL,
		problem_id TEXT,
		transaction_id TEXT NOT NULL UNIQUE,
		about_transaction_id TEXT,
		content TEXT NOT NULL,
		attempts INTEGER NOT NULL DEFAULT 0,
		rounds INTEGER NOT NULL DEFAULT 0,
		uncertain INTEGER NOT NULL DEFAULT 0,
		not_before INTEGER NOT NULL,
		queued_at INTEGER NOT NULL,
		traceparent TEXT
	)`,
	'CREATE INDEX submission_due ON submission (priority, not_before)',
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
	)`,
	'CREATE INDEX attempt_of_problem ON attempt (problem_id, sequence)',
	`CREATE TABLE activity (
		sequence INTEGER PRIMARY KEY AUTOINCREMENT,
		at INTEGER NOT NULL,
		level TEXT NOT NULL,
		word TEXT NOT NULL,
		problem_id TEXT,
		text TEXT NOT NULL
	)`,
	'CREATE INDEX activity_of_problem ON activity (problem_id, sequence)',
	'CREATE TABLE level (series TEXT PRIMARY KEY, value REAL NOT NULL) WITHOUT ROWID',
	'CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID',
];
