import type {StageResult} from '../attempt.ts';
import {neverLeft} from '../errors.ts';
import {type PathObservation, resultOf} from './connection-health.ts';

/**
What a walk shows of its path, in the words of a real attempt; undefined when it shows nothing. It speaks for its own path alone:
the others over the same connection are walked as well, and nothing is to be counted twice.
*/
export function resultOfWalk(stages: readonly StageResult[]): PathObservation | undefined {
	const last = stages.at(-1);
	if (!last) return undefined;
	const {error} = last;
	if (!error) return {ok: true};
	const didLeave = !neverLeft.includes(error.code);
	const result = resultOf(didLeave ? {status: 'deferred', error, uncertain: true} : {status: 'unreachable', error});
	return result && {...result, everywhere: false};
}
