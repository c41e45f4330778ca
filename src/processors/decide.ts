import type {Decision, HardwareEvent} from '../event.ts';
import {type HoldReason, isUnfinished, type Problem, type System} from '../problem.ts';
import type {ComponentState, Verdict} from './classify.ts';
import {componentOf, isTest} from './identify.ts';
import {stormTitleOf, titleOf} from './wording.ts';

/** What is allowed and wanted here. */
export type Policy = {
	readonly consentsToCases: boolean;
	readonly hasCredentials: boolean;
	readonly relapseWithinMillis: number;
	readonly storm: {readonly threshold: number; readonly windowMillis: number; readonly holdMillis: number};
	/** The id under which the backend will know a problem: minted once, before the first attempt (G3). */
	readonly mintTransactionId: (system: System, at: number, problemId: string) => string;
};

/** An event and all that is known when it is decided. */
export type Situation = {
	readonly event: HardwareEvent;
	readonly now: number;
	readonly system: System | undefined;
	readonly systemKey: string;
	readonly faultKey: string;
	readonly state: ComponentState | undefined;
	readonly verdict: Verdict;
	/** The problem that stands for this fault, maybe a closed one. */
	readonly problem: Problem | undefined;
	/** The problem into which this system's storm folds, and how many problems like this one the system began of late. */
	readonly storm: Problem | undefined;
	readonly stormKey: string;
	readonly recentProblems: number;
	/** A new problem's id. */
	readonly problemId: string;
};

export type Ruling = {
	readonly decision: Decision;
	/** The problem as it stands after the event; undefined when the event is not kept. */
	readonly problem?: Problem;
	/** Further faults that the problem stands for from now on. */
	readonly newKeys?: readonly string[];
	/** What is to be sent. */
	readonly submit?: 'case' | 'status';
};

/** Why a problem cannot go out now, or undefined when it can. */
export function holdReasonOf(
	system: System | undefined,
	verdict: Verdict,
	count: number,
	policy: Policy,
): HoldReason | undefined {
	if (verdict.verdict === 'never') return 'not_serviceable';
	if (verdict.verdict === 'serviceable') return 'customer_serviceable';
	if (count < verdict.repeat) return 'below_repeat_count';
	if (!system) return 'unknown_system';
	if (!policy.consentsToCases) return 'no_consent';
	return policy.hasCredentials ? undefined : 'no_credentials';
}

/** Decides one event. Pure: the same situation gives the same ruling. */
export function decide(situation: Situation, policy: Policy): Ruling {
	const {problem, state} = situation;
	if (state === 'ok') return decideRecovery(situation);
	if (problem && isUnfinished(problem)) return join(problem, situation, policy);
	if (problem && mayRelapse(problem, situation.now, policy)) return relapse(problem, situation);
	return begin(situation, policy);
}

/** The problem stands for more faults than this one. */
const isStorm = (problem: Problem, {faultKey}: Situation): boolean => problem.key !== faultKey;
const isAtBackend = ({state}: Problem): boolean => state === 'accepted' || state === 'open';

/** The problem with one more event. */
function withEvent(problem: Problem, {event}: Situation): Problem {
	return {
		...problem,
		count: problem.count + 1,
		firstSeen: Math.min(problem.firstSeen, event.occurredAt),
		lastSeen: Math.max(problem.lastSeen, event.occurredAt),
	};
}

function decideRecovery(situation: Situation): Ruling {
	const {problem, now} = situation;
	if (!problem || !isUnfinished(problem) || problem.recoveredAt !== undefined || isStorm(problem, situation)) {
		return {decision: 'nothing_open'};
	}
	const recovered = {...withEvent(problem, situation), recoveredAt: now};
	if (isAtBackend(problem)) return {decision: 'recovered', problem: recovered, submit: 'status'};
	if (problem.state === 'queued') return {decision: 'recovered', problem: recovered}; // It did happen: IBM is told all the same.
	return {decision: 'recovered', problem: {...recovered, state: 'closed', reason: 'recovered', closedAt: now}};
}

function join(problem: Problem, situation: Situation, policy: Policy): Ruling {
	const {event, system, verdict} = situation;
	const worse = event.severity > problem.severity;
	const joined = {
		...withEvent(problem, situation),
		severity: Math.max(problem.severity, event.severity),
		title: worse && !isStorm(problem, situation) ? titleOf(event) : problem.title,
		recoveredAt: undefined,
	};
	if (problem.state === 'held' && problem.reason !== 'unanswered' && problem.reason !== 'storm') {
		const reason = holdReasonOf(system, verdict, joined.count, policy);
		if (!reason && system) return release({...joined, system}, situation, policy);
		return {decision: worse ? 'worse' : 'duplicate', problem: {...joined, reason: reason ?? problem.reason}};
	}
	const decision = worse ? 'worse' : problem.recoveredAt === undefined ? 'duplicate' : 'relapse';
	const tells = isAtBackend(problem) && decision !== 'duplicate';
	return {decision, problem: joined, ...(tells ? {submit: 'status'} : {})};
}

function release(problem: Problem & {system: System}, {now}: Situation, policy: Policy): Ruling {
	const transactionId = policy.mintTransactionId(problem.system, now, problem.id);
	return {decision: 'released', problem: {...problem, state: 'queued', reason: '', transactionId}, submit: 'case'};
}

/** Only what IBM has taken comes back as the same problem; what never left may begin anew. */
const mayRelapse = (problem: Problem, now: number, policy: Policy): boolean =>
	problem.acceptedAt !== undefined && problem.closedAt !== undefined && now - problem.closedAt < policy.relapseWithinMillis;

function relapse(problem: Problem, situation: Situation): Ruling {
	const reopened: Problem = {
		...withEvent(problem, situation),
		severity: Math.max(problem.severity, situation.event.severity),
		state: problem.caseNumber === undefined ? 'accepted' : 'open',
		reason: '',
		recoveredAt: undefined,
		closedAt: undefined,
	};
	return {decision: 'relapse', problem: reopened, submit: 'status'};
}

function begin(situation: Situation, policy: Policy): Ruling {
	const {event, system, verdict, faultKey, recentProblems, storm, now} = situation;
	const reason = holdReasonOf(system, verdict, 1, policy);
	if (!isTest(event) && (recentProblems >= policy.storm.threshold || isRaging(storm, now, policy)))
		return fold(situation, policy, reason);
	const problem = newProblem(situation, policy, faultKey, titleOf(event), reason);
	if (reason) return {decision: 'held', problem, newKeys: [faultKey]};
	return {decision: 'first', problem, newKeys: [faultKey], submit: 'case'};
}

/** A storm goes on until the system has been quiet for as long as a storm is held. */
const isRaging = (storm: Problem | undefined, now: number, policy: Policy): boolean =>
	storm !== undefined && isUnfinished(storm) && now - storm.lastSeen < policy.storm.holdMillis;

/** Many faults of one system in a short time have one cause: one problem stands for them, and each event is kept. */
function fold(situation: Situation, policy: Policy, reason: HoldReason | undefined): Ruling {
	const {storm, stormKey, faultKey, event, system, now} = situation;
	if (storm && isUnfinished(storm)) {
		const severity = Math.max(storm.severity, event.severity);
		return {decision: 'storm', problem: {...withEvent(storm, situation), severity}, newKeys: [faultKey]};
	}
	const problem = newProblem(situation, policy, stormKey, stormTitleOf(system, event), reason ?? 'storm');
	const releaseAt = reason ? undefined : now + policy.storm.holdMillis;
	return {decision: 'storm', problem: {...problem, releaseAt}, newKeys: [stormKey, faultKey]};
}

function newProblem(situation: Situation, policy: Policy, key: string, title: string, reason: HoldReason | undefined): Problem {
	const {event, system, systemKey, problemId, now} = situation;
	return {
		id: problemId,
		key,
		state: reason ? 'held' : 'queued',
		reason: reason ?? '',
		title,
		severity: event.severity,
		test: isTest(event),
		count: 1,
		firstSeen: event.occurredAt,
		lastSeen: event.occurredAt,
		systemKey,
		system,
		component: componentOf(event),
		transactionId: system ? policy.mintTransactionId(system, now, problemId) : problemId,
		caseNumber: undefined,
		acceptedAt: undefined,
		recoveredAt: undefined,
		closedAt: undefined,
		releaseAt: undefined,
		traceparent: undefined,
	};
}
