/** One line of the activity log: what was decided or what happened, and why. */
export type Activity = {
	/** Unix milliseconds. */
	readonly at: number;
	readonly level: 'info' | 'warn' | 'error';
	/** The decision, or what happened: `first`, `held`, `accepted`, `deferred`, `case_number` … */
	readonly word: string;
	readonly problemId?: string | undefined;
	readonly text: string;
};
