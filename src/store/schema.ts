import type {Generated} from 'kysely';

/** The tables as Kysely sees them. Times are Unix milliseconds; booleans 0 or 1; JSON is text. */
export type Schema = {
	event: EventTable;
	problem: ProblemTable;
	problem_key: {key: string; problem_id: string};
	submission: SubmissionTable;
	attempt: AttemptTable;
	activity: ActivityTable;
	level: {series: string; value: number};
	setting: {name: string; value: string};
};

export type EventTable = {
	/** Never reused, so its highest value is the number of events ever kept. */
	sequence: Generated<number>;
	id: string;
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

export type ActivityTable = {
	sequence: Generated<number>;
	at: number;
	level: string;
	/** The decision, or what happened: accepted, deferred, case_number, started … */
	word: string;
	problem_id: string | null;
	text: string;
};
