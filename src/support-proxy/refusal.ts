import {type BridgeErrorCode, isBridgeError} from '../errors.ts';

/** What a request can be refused for before anything is opened for it. */
export const refusals = [
	'not_listed',
	'port',
	'malformed',
	'upload_over_http',
	'unauthenticated',
	'rate',
	'client_not_allowed',
	'too_many',
	'headers_timeout',
	'headers_too_large',
] as const;

/** What became of a request. The word goes to the metric, the activity log and the test. */
export type Decision = 'allowed' | (typeof refusals)[number] | BridgeErrorCode | 'unexpected';

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

const tlsHandshake = 22;

/** What the HTTP parser did not take, in words of ours: its own may have bytes of the client in them. Undefined: nobody is there to be told. */
export function clientRefusal(
	{code = '', rawPacket}: NodeJS.ErrnoException & {readonly rawPacket?: Buffer},
	headerSize: number,
): Refusal | undefined {
	if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
		const text = 'The header of the request did not come to its end in time (support_proxy.limits.headers_timeout).';
		return {decision: 'headers_timeout', status: 408, text};
	}
	if (code === 'HPE_HEADER_OVERFLOW') {
		const text = `The header of the request is larger than ${headerSize} bytes (support_proxy.limits.header_size).`;
		return {decision: 'headers_too_large', status: 431, text};
	}
	if (!code.startsWith('HPE_')) return undefined;
	return malformed(
		rawPacket?.[0] === tlsHandshake
			? 'This proxy is spoken to without TLS: its URL begins with http://. What goes through the tunnel has its own TLS.'
			: 'This is not a request of HTTP/1.1.',
	);
}
