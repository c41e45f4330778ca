import type {Inventory} from './inventory.ts';
import type {HardwareComponent, System} from './problem.ts';

/** What kinds of message go out; the words of `callhome.submission.type`. */
export const submissionTypes = [
	'hardware_alert',
	'test',
	'status',
	'heartbeat',
	'case_query',
	'confirmation',
	'connection_report',
	'inventory',
] as const;
export type SubmissionType = (typeof submissionTypes)[number];

/** Lower goes first: a fault never waits behind a heartbeat. */
export const priorityOf: Record<SubmissionType, number> = {
	hardware_alert: 0,
	test: 1,
	status: 2,
	case_query: 3,
	confirmation: 4,
	heartbeat: 5,
	connection_report: 6,
	inventory: 7,
};

/** A connection that leads nowhere, as it may be told: by its place and kind, never by a name of the operator's network. */
export type LostConnection = {
	/** Its place in the order of the configuration, from 1. */
	readonly position: number;
	/** `direct`, `proxy` … */
	readonly kind: string;
	/** Unix milliseconds. */
	readonly since: number;
	readonly lastSuccessAt: number | undefined;
	readonly errorType: string | undefined;
};

/** What a submission says, in our words: an exporter finds the backend's. */
export type SubmissionContent = {
	readonly system: System;
	/** Unix milliseconds at which the submission was decided; part of its ids, so a retry repeats them. */
	readonly createdAt: number;
	/** hardware_alert, test, status: the fault. */
	readonly problem?: {
		readonly title: string;
		readonly note: string;
		readonly severity: number;
		readonly errorCode: string;
		readonly count: number;
		readonly firstSeen: number;
		readonly lastSeen: number;
		readonly component: HardwareComponent;
		readonly recovered: boolean;
		/** The failing part's own marks, as far as the producer named them. */
		readonly part?: {
			readonly serialNumber?: string;
			readonly model?: string;
			readonly vendor?: string;
			readonly location?: string;
		};
	};
	/** heartbeat, case_query: transactions whose answer is wanted. */
	readonly transactionIds?: readonly string[];
	/** connection_report: how many connections there are, and which of them lead nowhere while another one delivers. */
	readonly connections?: {readonly count: number; readonly lost: readonly LostConnection[]};
	/** inventory: what the system consists of. */
	readonly inventory?: Inventory;
};

/** One row of the sending queue. It goes only when its outcome is final: a crash repeats it, nothing loses it. */
export type Submission = {
	readonly id: string;
	readonly type: SubmissionType;
	readonly problemId: string | undefined;
	/**
	The event id on the wire, the same on every retry. For `status` and `confirmation` the message has an id of its own,
	and `aboutTransactionId` names the problem's.
	*/
	readonly transactionId: string;
	readonly aboutTransactionId: string | undefined;
	readonly content: SubmissionContent;
	/** How many attempts ended without a final answer. */
	readonly attempts: number;
	/** For a case query: how many times IBM answered that there is no case yet. */
	readonly rounds: number;
	/** An earlier attempt may have arrived although no answer came back: ask before sending again (G3). */
	readonly uncertain: boolean;
	/** Unix milliseconds. */
	readonly notBefore: number;
	readonly queuedAt: number;
	readonly traceparent: string | undefined;
};

/** What belongs to no problem, as it begins: to be sent at once, under an id that is its transaction's, too. */
export const routineSubmission = (
	type: SubmissionType,
	id: string,
	content: Omit<SubmissionContent, 'createdAt'>,
	now: number,
): Submission => ({
	id,
	type,
	problemId: undefined,
	transactionId: id,
	aboutTransactionId: undefined,
	content: {...content, createdAt: now},
	attempts: 0,
	rounds: 0,
	uncertain: false,
	notBefore: now,
	queuedAt: now,
	traceparent: undefined,
});
