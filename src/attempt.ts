import type {BridgeError} from './errors.ts';

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
	/** SHA-256 of the certificate that the server showed, in lower-case hex. */
	readonly peerCertificate?: string | undefined;
	readonly errorType?: string;
	readonly error?: string;
};

/** The stages of a way out, in the order in which they are walked. A way takes those that it has. */
export const stages = ['name', 'connection', 'proxy_tls', 'proxy', 'proxy_authentication', 'tls', 'http', 'application'] as const;
export type Stage = (typeof stages)[number];

/** How one stage went. */
export type StageResult = {
	readonly stage: Stage;
	/** Whom it talked to, HOST:PORT: the proxy or the destination. Of a name, the name alone. */
	readonly peer: string;
	/** Unix milliseconds. */
	readonly startedAt: number;
	/** Milliseconds. */
	readonly duration: number;
	/** What was seen, such as the addresses of a name or the issuer of a certificate. One line, never a secret. */
	readonly detail?: string;
	/** It passed, and still something is to be looked at, such as a certificate of a TLS inspection that is trusted here. */
	readonly warning?: string;
	/** Unix milliseconds at which the certificate that was shown ends, or one above it. */
	readonly certificateEnd?: number;
	/** Why it failed. */
	readonly error?: BridgeError;
};
