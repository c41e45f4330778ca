import {z} from 'zod';
import type {Finding} from './alert.ts';

/** How the parts of a source stood when it was last told, by `hw.id`. `turn` counts the changes of a part. */
export const levelsSchema = z.record(z.string(), z.object({level: z.string(), turn: z.int()}));
export type Levels = z.output<typeof levelsSchema>;

const mostParts = 10_000;

const levelOf = ({state = 'ok', errorType}: Finding): string =>
	state === 'ok' || errorType === undefined ? state : `${state} ${errorType}`;

/**
What is news among the states of parts: a first `ok` is none, nor is what stands as it stood. A change has the same identity
when it is told again because its mark could not be written. A part that is not there this time keeps its level.
*/
export function changesOf(
	levels: Levels,
	states: readonly Finding[],
): {readonly findings: readonly Finding[]; readonly levels: Levels} {
	const after: Levels = Object.assign(Object.create(null), levels);
	const findings: Finding[] = [];
	for (const finding of states) {
		const {id} = finding.part;
		const before = after[id] ?? {level: 'ok', turn: 0};
		const level = levelOf(finding);
		if (level === before.level) continue;
		if (after[id] === undefined && Object.keys(after).length >= mostParts) continue;
		const turn = before.turn + 1;
		after[id] = {level, turn};
		findings.push({...finding, isStanding: true, identity: ['level', id, level, turn, ...finding.identity]});
	}
	return {findings, levels: after};
}
