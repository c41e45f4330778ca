import {indexing} from './recent.ts';

/** Replaces the indexes of events and activities by those of recent.ts. A UNIQUE goes only with its table. */
export const splitIndexes: readonly string[] = [
	'CREATE TABLE event_by_id (id TEXT PRIMARY KEY, sequence INTEGER NOT NULL) STRICT, WITHOUT ROWID',
	`CREATE TABLE event_by_problem (
		problem_id TEXT NOT NULL, sequence INTEGER NOT NULL, PRIMARY KEY (problem_id, sequence)
	) STRICT, WITHOUT ROWID`,
	`CREATE TABLE activity_by_problem (
		problem_id TEXT NOT NULL, sequence INTEGER NOT NULL, PRIMARY KEY (problem_id, sequence)
	) STRICT, WITHOUT ROWID`,
	`CREATE TABLE recent_event (
		id TEXT PRIMARY KEY, problem_id TEXT NOT NULL, sequence INTEGER NOT NULL
	) STRICT, WITHOUT ROWID`,
	'CREATE INDEX recent_event_of_problem ON recent_event (problem_id, sequence)',
	`CREATE TABLE recent_activity (
		problem_id TEXT NOT NULL, sequence INTEGER NOT NULL, PRIMARY KEY (problem_id, sequence)
	) STRICT, WITHOUT ROWID`,
	"INSERT INTO total (name, value) VALUES ('recent_events', 0), ('recent_activities', 0)",
	...indexing,
	'DROP INDEX activity_of_problem',
	'DROP INDEX event_of_problem',
	`CREATE TABLE event_without_index (
		sequence INTEGER PRIMARY KEY AUTOINCREMENT,
		id TEXT NOT NULL,
		problem_id TEXT NOT NULL,
		decision TEXT NOT NULL,
		received_at INTEGER NOT NULL,
		body TEXT NOT NULL CHECK (json_valid(body))
	) STRICT`,
	'INSERT INTO event_without_index SELECT * FROM event ORDER BY sequence',
	// A number is never used again, also when the newest event is gone.
	`INSERT INTO sqlite_sequence (name, seq) SELECT 'event_without_index', 0
		WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'event_without_index')`,
	`UPDATE sqlite_sequence SET seq = (SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name IN ('event', 'event_without_index'))
		WHERE name = 'event_without_index'`,
	'DROP TABLE event',
	'ALTER TABLE event_without_index RENAME TO event',
];
