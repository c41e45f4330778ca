/** Every code that the bridge's own errors carry. The command line, the activity log and `error.type` print it. */
export const errorCodes = [
	'ERR_CONFIG',
	'ERR_STORE_FULL',
	'ERR_STORE_BUSY',
	'ERR_STORE_DAMAGED',
	'ERR_ALREADY_RUNNING',
	'ERR_SHUTTING_DOWN',
	'ERR_NOT_READY',
	'ERR_MALFORMED',
	'ERR_TOO_LARGE',
	'ERR_NOT_CONFIGURED',
	'ERR_PAC',
	'ERR_NAME_NOT_FOUND',
	'ERR_NAME_MISLEADING',
	'ERR_CONNECTION_REFUSED',
	'ERR_CONNECTION_RESET',
	'ERR_CONNECTION_TIMEOUT',
	'ERR_REPLY_TIMEOUT',
	'ERR_REPLY_TRUNCATED',
	'ERR_LOGIN_REFUSED',
	'ERR_PROXY_AUTHENTICATION',
	'ERR_PROXY_REFUSED',
	'ERR_PROXY_BUSY',
	'ERR_CERTIFICATE',
	'ERR_CERTIFICATE_PIN',
	'ERR_TLS_INSPECTED',
	'ERR_SIGNATURE',
	'ERR_TLS',
	'ERR_NOT_IBM',
	'ERR_SUBMISSION_DEFERRED',
	'ERR_SUBMISSION_REJECTED',
	'ERR_NOT_FOUND',
	'ERR_USAGE',
] as const;
export type BridgeErrorCode = (typeof errorCodes)[number];

/** Codes after which it is certain that the request did not leave. After any other one it may have arrived. */
export const neverLeft: readonly BridgeErrorCode[] = [
	'ERR_NOT_CONFIGURED',
	'ERR_PAC',
	'ERR_NAME_NOT_FOUND',
	'ERR_NAME_MISLEADING',
	'ERR_CONNECTION_REFUSED',
	'ERR_CONNECTION_TIMEOUT',
	'ERR_PROXY_AUTHENTICATION',
	'ERR_PROXY_REFUSED',
	'ERR_PROXY_BUSY',
	'ERR_CERTIFICATE',
	'ERR_CERTIFICATE_PIN',
	'ERR_TLS_INSPECTED',
	'ERR_TLS',
	'ERR_USAGE',
];

/** The one error class. A code to branch on, a message for people, the original as `cause`. Never a secret in it. */
export class BridgeError extends Error {
	override readonly name = 'BridgeError';
	readonly code: BridgeErrorCode;
	/** Set when the proxy itself is at fault: what lies behind it cannot be reached through it. */
	readonly hop: 'proxy' | undefined;

	constructor(code: BridgeErrorCode, message: string, {hop, ...options}: ErrorOptions & {hop?: 'proxy' | undefined} = {}) {
		super(message, options);
		this.code = code;
		this.hop = hop;
	}
}

export const isBridgeError = (error: unknown, ...codes: readonly BridgeErrorCode[]): error is BridgeError =>
	error instanceof BridgeError && (codes.length === 0 || codes.includes(error.code));

/** Whatever was thrown, as an Error: libraries may throw anything. */
export const toError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)));
