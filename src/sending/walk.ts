import type {StageResult} from '../attempt.ts';
import type {BridgeError} from '../errors.ts';
import type {Reply} from '../exporter.ts';

/** A question that carries nothing of the operator's, to see whether the right service answers. */
export type Probe = {
	readonly method: 'POST' | 'GET' | 'HEAD';
	readonly path: string;
	readonly headers: Readonly<Record<string, string>>;
	readonly body: string;
	/** What the reply says of the service; an error when it is not the one that was looked for. */
	readonly judge: (reply: Reply) => {readonly detail?: string; readonly warning?: string; readonly error?: BridgeError};
};

/** Where a walk leads. */
export type WalkTarget = {
	readonly host: string;
	readonly port: number;
	/** Goes to this address instead of asking for the name. TLS still verifies the name. */
	readonly address?: string;
	/** Without it the walk ends after TLS. */
	readonly probe?: Probe;
};

/** Walks one connection to a target, stage by stage, and stops at the first that fails. Never rejects. */
export type Walk = (target: WalkTarget, signal: AbortSignal) => Promise<readonly StageResult[]>;
