import type {Outcome} from './outcome.ts';
import type {Secret} from './secret.ts';
import type {Submission} from './submission.ts';

/** A request to leave this machine. `secrets` are what must not be seen in the record that is kept of it. */
export type OutboundRequest = {
	/** https only (G4). */
	readonly url: URL;
	readonly method: 'POST' | 'GET' | 'HEAD';
	readonly headers: Readonly<Record<string, string>>;
	readonly body: string;
	readonly secrets: readonly Secret[];
};

export type Reply = {
	readonly statusCode: number;
	/** Lower-case names; a repeated header's values joined by ", ". */
	readonly headers: Readonly<Record<string, string>>;
	readonly body: string;
	/** SHA-256 of the certificate (DER) that the server showed, in lower-case hex; absent where nothing knows it. */
	readonly peerCertificate?: string | undefined;
};

/**
One way out: direct, or through one proxy. `send` rejects with a BridgeError when no whole reply came: the code says at
which stage (name, connection, proxy, TLS, reply). Only ERR_REPLY_TIMEOUT, ERR_REPLY_TRUNCATED and ERR_CONNECTION_RESET leave
open whether the request arrived.
*/
export type Connection = {
	/** As the operator sees it: `direct`, or `proxy proxy.example:3128`. Never a credential in it. */
	readonly name: string;
	send(request: OutboundRequest, signal: AbortSignal): Promise<Reply>;
};

/** Hands one submission over a connection, in one backend's words. */
export type Exporter = (submission: Submission, connection: Connection, signal: AbortSignal) => Promise<Outcome>;

/** One attempt to hand a submission over. A sender may wrap another sender. */
export type Sender = (submission: Submission, signal: AbortSignal) => Promise<Outcome>;
