/** google.rpc.Code */
const code = {
	invalidArgument: 3,
	notFound: 5,
	resourceExhausted: 8,
	unimplemented: 12,
	unavailable: 14,
	unauthenticated: 16,
} as const;

type Terms = {
	readonly statusCode: number;
	/** google.rpc.Code */
	readonly code: number;
	readonly retryAfterSeconds?: number;
	readonly headers?: Readonly<Record<string, string>>;
	/** Answered in plain text, as the Collector does: the request is not OTLP as far as it was read. */
	readonly isPlain?: true;
	/** The connection ends with the answer. */
	readonly closes?: true;
};

/**
Why a request gets no 200. A producer repeats what was answered with 429 or 503 and drops its records on anything else,
so all that may pass by itself is 503, a body that came too slowly included.
*/
export const refusalTerms = {
	malformed: {statusCode: 400, code: code.invalidArgument},
	unauthenticated: {statusCode: 401, code: code.unauthenticated, headers: {'WWW-Authenticate': 'Bearer'}},
	not_found: {statusCode: 404, code: code.notFound, isPlain: true},
	method_not_allowed: {statusCode: 405, code: code.unimplemented, headers: {Allow: 'POST'}, isPlain: true},
	too_large: {statusCode: 413, code: code.resourceExhausted, closes: true},
	unsupported_type: {
		statusCode: 415,
		code: code.invalidArgument,
		headers: {Accept: 'application/x-protobuf, application/json'},
		isPlain: true,
	},
	unsupported_coding: {statusCode: 415, code: code.invalidArgument, headers: {'Accept-Encoding': 'gzip, zstd'}, isPlain: true},
	too_many_requests: {statusCode: 429, code: code.resourceExhausted, retryAfterSeconds: 1},
	too_slow: {statusCode: 503, code: code.unavailable, retryAfterSeconds: 5, closes: true},
	overloaded: {statusCode: 503, code: code.unavailable, retryAfterSeconds: 1},
	store_busy: {statusCode: 503, code: code.unavailable, retryAfterSeconds: 5},
	store_full: {statusCode: 503, code: code.unavailable, retryAfterSeconds: 30},
	shutting_down: {statusCode: 503, code: code.unavailable, retryAfterSeconds: 5, closes: true},
	failed: {statusCode: 503, code: code.unavailable, retryAfterSeconds: 30},
} as const satisfies Record<string, Terms>;
export type RefusalKind = keyof typeof refusalTerms;

export type Refusal = {
	readonly refusal: RefusalKind;
	/** For the producer. */
	readonly message: string;
	/** When it is another than the kind's own. */
	readonly retryAfterSeconds?: number;
	/** What went wrong inside, for the log alone. */
	readonly cause?: Error;
};

export const isRefusal = (outcome: object): outcome is Refusal => 'refusal' in outcome;

export const termsOf = (refusal: Refusal): Terms => ({
	...refusalTerms[refusal.refusal],
	...(refusal.retryAfterSeconds !== undefined && {retryAfterSeconds: refusal.retryAfterSeconds}),
});
