import type {Activity} from '../../activity.ts';
import {authority} from '../address.ts';
import {type Diagnosis, goesAsSent, type PathResult} from './diagnosis.ts';
import {pathLine, serverLine} from './summary.ts';

const keyOf = ({connection, host, port, by}: PathResult) => [connection, authority({host, port}), by].join(' ');
const stateOf = ({outcome, failedStage, stages}: PathResult) =>
	[outcome, failedStage, stages.at(-1)?.error?.code].filter(part => part !== undefined).join(' ');
const isWell = ({outcome}: PathResult) => outcome === 'passed';

/**
What is new since the run before, each thing in one line: a path that fails, fails elsewhere, or works again, and a server
without any way. At the first run everything that is not well is new. Nothing is said twice.
*/
export function changesBetween(before: Diagnosis | undefined, after: Diagnosis): readonly Activity[] {
	const at = after.startedAt + after.duration;
	const known = new Map(before?.paths.map(path => [keyOf(path), path]));
	const ofPaths = after.paths.flatMap((path): Activity[] => {
		if (path.outcome === 'skipped') return [];
		const last = known.get(keyOf(path));
		if (last && last.outcome !== 'skipped' ? stateOf(last) === stateOf(path) : isWell(path)) return [];
		// A listed address that is out of date is no reason to be alarmed.
		const level = path.outcome === 'failed' && goesAsSent(path) ? 'warn' : 'info';
		return [{at, level, word: isWell(path) ? 'path_works' : `path_${path.outcome}`, text: pathLine(path)}];
	});
	const passedBefore = new Map(before?.servers.map(server => [authority(server), server.passed]));
	const ofServers = after.servers.flatMap((server): Activity[] => {
		if (!server.passed && server.unknown.length > 0) return [];
		if ((passedBefore.get(authority(server)) ?? true) === server.passed) return [];
		const [level, word] = server.passed ? (['info', 'way_found'] as const) : (['error', 'no_way'] as const);
		return [{at, level, word, text: serverLine(server)}];
	});
	return [...ofPaths, ...ofServers];
}
