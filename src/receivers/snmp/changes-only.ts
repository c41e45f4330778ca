import type {SourceParts} from '../../source.ts';

/** Passes on how a target does when that has changed, and not when only its reason has. */
export function changesOnly(onTarget: SourceParts['onTarget']): SourceParts['onTarget'] {
	const last = new Map<string, string>();
	return function tell(state) {
		const key = `${state.source} ${state.target}`;
		if (last.get(key) === state.state) return;
		last.set(key, state.state);
		onTarget(state);
	};
}
