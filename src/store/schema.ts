import type {Generated} from 'kysely';

/** The tables as Kysely sees them. Times are Unix milliseconds; booleans 0 or 1; JSON is text. */
export type Schema = {
	event: EventTable;
	problem: ProblemTable;
	problem_key: {key: string; problem_id: string};
	submission: SubmissionTable;
	attempt: AttemptTable;
	ledger: LedgerTable;
	activity: ActivityTable;
	/** What events and activities are found by: recent.ts. */
	event_by_problem: {problem_id: string; sequence: number};
	recent_event: {id: string; problem_id: string; sequence: number};
	activity_by_problem: {problem_id: string; sequence: number};
	recent_activity: {problem_id: string; sequence: number};
	level: {series: string; value: number};
	setting: {name: string; value: string};
	/** `events`: how many were ever kept; `submissions`: how many are in the queue; `recent_…`: how many are in these indexes. */
	total: {name: string; value: number};
	/** Kept by triggers on `problem`. */
	problem_tally: {state: string; sent: number; problems: number; events: number};
};

/** Comes before the id of an event's problem when a salvage could not find that problem: the event is to be decided again. */
export const lostMark = '?';

/** The nearest whole number that a column of integers holds: what a clock or a producer said may be none. */
export const whole = (value: number): number =>
	Number.isNaN(value) ? 0 : Math.trunc(Math.min(Math.max(value, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER));
export const wholeOrNull = (value: number | undefined): number | null => (value === undefined ? null : whole(value));

export type EventTable = {
	/** The order of receipt; never reused. */
	sequence: Generated<number>;
	id: string;
	/** With `lostMark` before it when the problem is lost. */
	problem_id: string;
	decision: string;
	received_at: number;
	/** The whole HardwareEvent. */
	body: string;
};

export type ProblemTable = {
	id: string;
	key: string;
	state: string;
	reason: string;
	title: string;
	severity: number;
	test: number;
	count: number;
	first_seen: number;
	last_seen: number;
	system_key: string;
	system: string | null;
	component: string;
	transaction_id: string;
	case_number: string | null;
	accepted_at: number | null;
	recovered_at: number | null;
	closed_at: number | null;
	release_at: number | null;
	traceparent: string | null;
};

export type SubmissionTable = {
	sequence: Generated<number>;
	id: string;
	type: string;
	priority: number;
	problem_id: string | null;
	transaction_id: string;
	about_transaction_id: string | null;
	content: string;
	attempts: number;
	rounds: number;
	uncertain: number;
	not_before: number;
	queued_at: number;
	traceparent: string | null;
};

export type AttemptTable = {
	sequence: Generated<number>;
	submission_id: string;
	problem_id: string | null;
	type: string;
	started_at: number;
	duration: number | null;
	connection: string;
	destination: string;
	/** What left, with the keys taken out. */
	request: string;
	status_code: number | null;
	reply: string | null;
	error_type: string | null;
	error: string | null;
};

export type LedgerTable = {
	/** Without gaps; never used again. */
	sequence: Generated<number>;
	/** Null for what concerns none. */
	attempt: number | null;
	/** ledger.ts says what stands in it. */
	entry: string;
	hash: string;
};

export type ActivityTable = {
	sequence: Generated<number>;
	at: number;
	level: string;
	/** The decision, or what happened: accepted, deferred, case_number, started … */
	word: string;
	problem_id: string | null;
	text: string;
};
