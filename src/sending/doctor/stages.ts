import type {StageResult} from '../../attempt.ts';
import {BridgeError} from '../../errors.ts';
import {authority} from '../address.ts';
import {diagnose} from './diagnose.ts';
import type {ExaminedConnection, ExaminedStage, PathResult, Target, Verdict} from './diagnosis.ts';
import type {Unwalked} from './probing.ts';
import {inspectedAndTrusted} from './rules-service.ts';
import type {Place} from './sign.ts';
import {stageNames} from './summary.ts';

export type Walked = {
	readonly connection: Pick<ExaminedConnection, 'name' | 'kind'>;
	readonly target: Target;
	/** Stages that have not been walked on purpose. */
	readonly rest: readonly Unwalked[];
	/** Unix milliseconds. */
	readonly now: number;
};

/** The last stage decides: before it, one of several addresses or proxies may have failed and the next one led on. */
export function examineStages(
	results: readonly StageResult[],
	walked: Walked,
): Pick<PathResult, 'outcome' | 'failedStage' | 'stages'> {
	const {target, rest, now} = walked;
	const skipped = new Set(rest.map(({stage}) => stage));
	const known = results.length > 0 ? results : [nothingWalked(target, now)];
	const isProxied = known.some(({stage}) => stage.startsWith('proxy'));
	const stages = known
		.filter(({stage, error}) => error !== undefined || !skipped.has(stage))
		.map(result => examined(result, placeOf(result, walked, isProxied)));
	const last = stages.at(-1);
	if (last?.outcome === 'failed') return {outcome: 'failed', failedStage: last.stage, stages};
	const outcome: Verdict = stages.some(stage => stage.outcome !== 'passed') ? 'warned' : 'passed';
	return {outcome, stages: [...stages, ...rest.map(unwalked => toSkipped(unwalked, target, now))]};
}

/** The walk was to end. A stage that failed then says nothing of the way, and those before it do. */
export function untilGivenUp(
	results: readonly StageResult[],
	walked: Walked,
): Pick<PathResult, 'outcome' | 'failedStage' | 'givenUpAt' | 'note' | 'stages'> {
	const last = results.at(-1);
	if (last && !last.error) return examineStages(results, walked);
	const {outcome: _outcome, failedStage: _failed, ...seen} = examineStages(results, walked);
	const givenUpAt = last?.stage ?? 'name';
	const after = last && last.duration > 0 ? ` after ${last.duration} ms` : '';
	const stages = seen.stages.slice(0, -1);
	return {outcome: 'skipped', givenUpAt, note: `given up at ${stageNames[givenUpAt]}${after}`, stages};
}

function examined(result: StageResult, place: Place): ExaminedStage {
	const {stage, error, warning} = result;
	if (error) return {...result, outcome: 'failed', finding: diagnose(stage, error, place)};
	if (warning === undefined) return {...result, outcome: 'passed'};
	return {...result, outcome: 'warned', ...(stage === 'tls' && {finding: inspectedAndTrusted(place)})};
}

function placeOf({stage, peer}: StageResult, {connection, target, now}: Walked, isProxied: boolean): Place {
	const {host, port, addresses} = target;
	const own = stage === 'name' ? host : authority(target);
	return {
		host,
		port,
		addresses,
		connection: connection.name,
		kind: connection.kind,
		peer,
		isDestination: peer === own,
		isProxied,
		now,
	};
}

const toSkipped = ({stage, why}: Unwalked, target: Target, startedAt: number): ExaminedStage => ({
	stage,
	peer: authority(target),
	startedAt,
	duration: 0,
	outcome: 'skipped',
	detail: why,
});

/** A walk that came back empty has led nowhere. */
const nothingWalked = (target: Target, startedAt: number): StageResult => ({
	stage: 'connection',
	peer: authority(target),
	startedAt,
	duration: 0,
	error: new BridgeError('ERR_NOT_CONFIGURED', `There is no way to ${authority(target)} on this connection.`),
});
