import {styleText} from 'node:util';
import type {SourcesState} from '../agent/sources-state.ts';
import {printable, table} from './print.ts';

/** Null when the bridge does not run: what it knew then says nothing of now. */
export const sourcesJson = (state: SourcesState | undefined) => ({
	sources: state?.counts ?? null,
	source_troubles: state?.troubles ?? null,
});

/** How many targets each source reads, and each that it does not, with its reason. */
export function sourcesLines(state: SourcesState | undefined): string[] {
	if (!state || state.counts.length === 0) return [];
	const counts = state.counts.map(({source, state: word, targets}) => [source, word, String(targets)]);
	const troubles = state.troubles.map(({source, target, state: word, reason}) => {
		const line = `${source}${target === '' ? '' : ` of ${target}`}: ${word}. ${reason}`.trim();
		return word === 'absent' ? printable(line) : styleText('red', printable(line));
	});
	return ['', ...table(['Source', 'State', 'Targets'], counts), ...troubles];
}
