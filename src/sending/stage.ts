import type {Stage, StageResult} from '../attempt.ts';
import {type BridgeError, isBridgeError, toError} from '../errors.ts';
import {authority} from './address.ts';
import {type Peer, stageTimeout, tlsError} from './route-errors.ts';

export type StageLimits = {
	/** For each stage. */
	readonly stageMillis: number;
	/** Hears how each stage went. */
	readonly onStage?: ((result: StageResult) => void) | undefined;
	readonly now?: () => number;
};

export type StageWords<T> = {
	/** What was seen, when it passed. */
	readonly detail?: (value: T) => string;
	/** More of what was seen. */
	readonly seen?: (value: T) => Partial<StageResult>;
	/** What was seen all the same, when it failed. */
	readonly failed?: (error: BridgeError) => Partial<StageResult>;
	/** What a foreign error means. */
	readonly explain?: (error: Error) => BridgeError;
};

/** Runs one stage against its time limit. What it throws becomes a BridgeError. */
export async function inStage<T>(
	stage: Exclude<Stage, 'http' | 'application'>,
	peer: Peer,
	limits: StageLimits,
	signal: AbortSignal,
	run: (limit: AbortSignal) => Promise<T>,
	{detail, seen, failed, explain = error => tlsError(peer, error)}: StageWords<T> = {},
): Promise<T> {
	const {stageMillis, now = Date.now} = limits;
	const limit = AbortSignal.any([signal, AbortSignal.timeout(stageMillis)]);
	const startedAt = now();
	const begun = {stage, peer: stage === 'name' ? peer.host : authority(peer), startedAt};
	const since = () => Math.max(0, now() - startedAt);
	try {
		limit.throwIfAborted();
		const value = await run(limit);
		const shown = detail && {detail: detail(value)};
		observed({...begun, duration: since(), ...shown, ...seen?.(value)}, limits);
		return value;
	} catch (thrown) {
		const error = errorOf(thrown);
		observed({...begun, duration: since(), ...failed?.(error), error}, limits);
		throw error;
	}

	function errorOf(thrown: unknown): BridgeError {
		if (isBridgeError(thrown)) return thrown;
		return limit.aborted ? stageTimeout(stage, peer, stageMillis, signal) : explain(toError(thrown));
	}
}

/** Tells who listens. Nobody who listens may change what happens. */
export function observed(result: StageResult, {onStage}: StageLimits): void {
	try {
		onStage?.(result);
	} catch {
		// A listener's failure is the listener's.
	}
}
