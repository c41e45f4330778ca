/** A request that is about to leave, as it is kept: with the keys taken out. */
export type AttemptBegin = {
	readonly submissionId: string;
	readonly problemId: string | undefined;
	/** What kind of submission. */
	readonly type: string;
	/** Unix milliseconds. */
	readonly startedAt: number;
	readonly connection: string;
	/** Host and port. */
	readonly destination: string;
	readonly request: string;
};

/** How it ended: with a reply, or with an error. */
export type AttemptEnd = {
	/** Milliseconds. */
	readonly duration: number;
	readonly statusCode?: number;
	readonly reply?: string;
	readonly errorType?: string;
	readonly error?: string;
};
