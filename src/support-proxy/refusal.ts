import {type BridgeErrorCode, isBridgeError} from '../errors.ts';

/** What became of a request. The word goes to the metric, the activity log and the test. */
export type Decision =
	| 'allowed'
	| 'not_listed'
	| 'port'
	| 'misleading'
	| 'malformed'
	| 'upload_over_http'
	| 'unauthenticated'
	| 'rate'
	| 'client_not_allowed'
	| 'too_many'
	| 'headers_timeout'
	| 'headers_too_large'
	| BridgeErrorCode
	| 'unexpected';

/** A "no": the status, one line that names the rule and the way out, and headers of its own. */
export type Refusal = {
	readonly decision: Exclude<Decision, 'allowed'>;
	readonly status: number;
	readonly text: string;
	readonly headers?: Readonly<Record<string, string>>;
};

const statusOf: Partial<Record<BridgeErrorCode, number>> = {
	ERR_NAME_MISLEADING: 403,
	ERR_CONNECTION_TIMEOUT: 504,
	ERR_REPLY_TIMEOUT: 504,
	ERR_PROXY_BUSY: 503,
	ERR_SHUTTING_DOWN: 503,
	ERR_NOT_READY: 503,
};
const retryAfter = {'Retry-After': '30'};

/** Why a destination could not be reached. The message of a BridgeError is for people and without a secret; others may not be. */
export function upstreamRefusal(thrown: unknown): Refusal {
	if (!isBridgeError(thrown)) {
		const text = 'The connection to the destination failed. The log of the bridge says more.';
		return {decision: 'unexpected', status: 502, text};
	}
	const status = statusOf[thrown.code] ?? 502;
	return {decision: thrown.code, status, text: thrown.message, ...(status === 503 && {headers: retryAfter})};
}

export const tooMany = (text: string): Refusal => ({decision: 'too_many', status: 503, text, headers: retryAfter});

export const malformed = (text: string): Refusal => ({decision: 'malformed', status: 400, text});
