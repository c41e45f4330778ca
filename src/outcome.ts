/** What IBM said about one transaction. */
export type Answer = {
	readonly transactionId: string;
	readonly caseNumber?: string;
	/** A business error: IBM answered, and the answer is no. */
	readonly error?: string;
	/** Unix milliseconds until which IBM keeps the answer. */
	readonly expiresAt?: number;
};

/** What became of one attempt. Expected failures are values; only bugs are thrown. */
export type Outcome =
	/** The backend took it. Not yet a case: that comes in `answers`, now or later. */
	| {readonly status: 'acknowledged'; readonly reference: string; readonly answers: readonly Answer[]}
	/** Reached, not now: the same submission again later. */
	| {readonly status: 'deferred'; readonly error: Error; readonly retryAfterMillis?: number; readonly uncertain?: boolean}
	/** This connection does not lead to the backend: the next connection's turn. */
	| {readonly status: 'unreachable'; readonly error: Error}
	/** The backend will never take it as it is. */
	| {readonly status: 'rejected'; readonly error: Error};
