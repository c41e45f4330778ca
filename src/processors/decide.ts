import type {Decision, HardwareEvent} from '../event.ts';
import {type HoldReason, isUnfinished, type Problem, type System} from '../problem.ts';
import type {ComponentState, Verdict} from './classify.ts';
import {
	holdEndOf,
	holdReasonOf,
	mayNotSend,
	nextHold,
	obstacleOf,
	type Policy,
	type Standing,
	withTransactionId,
} from './hold.ts';
import {componentOf, isStormKey, isTest, ownStormKey} from './identify.ts';
import {stormTitleOf, titleOf} from './wording.ts';

export type {Policy};

/** A level does not repeat itself: when it has stood for this long, that is as good as a repetition. */
export const confirmMillis = 5 * 60_000;

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
	/** When the event is a recovery: whether it ends anything, and whether anything else of the problem lasts. */
	readonly clears: boolean;
	readonly lasts: boolean;
	/** The problem into which this system's storm folds, and how many problems like this one the system began of late. */
	readonly storm: Problem | undefined;
	readonly stormKey: string;
	readonly recentProblems: number;
	/** The problem of the same part that another source has reported just now. */
	readonly twin: Problem | undefined;
	/** Keys of the part's place, and of the moment: further reports find the problem by them. */
	readonly placeKeys: readonly string[];
	readonly momentKeys: readonly string[];
	/** The how manieth report of the problem it is, of those that count together. */
	readonly repetitions: number;
	/** A new problem's id. */
	readonly problemId: string;
};

export type Ruling = {
	readonly decision: Decision;
	/** The problem as it stands after the event; undefined when the event is not kept. */
	readonly problem?: Problem;
	/** Further faults that the problem stands for from now on. */
	readonly newKeys?: readonly string[];
	/** What is to be sent. `case_again`: an earlier attempt may have arrived. */
	readonly submit?: 'case' | 'case_again' | 'status';
};

/** Decides one event. Pure: the same situation gives the same ruling. */
export function decide(situation: Situation, policy: Policy): Ruling {
	const {problem, state} = situation;
	if (state === 'ok') return decideRecovery(situation, policy);
	if (problem && isUnfinished(problem)) return join(problem, situation, policy);
	if (problem && mayRelapse(problem, situation.now, policy)) return decideRelapse(problem, situation, policy);
	if (situation.twin) return joinTwin(situation.twin, situation, policy);
	return begin(situation, policy);
}

/** Two sources speak of one part: from now on the problem stands for what either of them calls it. */
const joinTwin = (twin: Problem, situation: Situation, policy: Policy): Ruling => ({
	...join(twin, situation, policy),
	newKeys: [situation.faultKey, ...situation.placeKeys, ...situation.momentKeys],
});

/** The problem stands for more faults than this one. */
const isStorm = (problem: Problem, {faultKey}: Situation): boolean => problem.key !== faultKey;

const standingOf = ({event, system, now}: Situation): Standing => ({system, resource: event.resource, test: isTest(event), now});
const isAtBackend = ({state}: Problem): boolean => state === 'accepted' || state === 'open';

/** What IBM is told of a problem that it has, if it may be told anything. */
const status = (policy: Policy) => (mayNotSend(policy) ? {} : {submit: 'status' as const});

/** An event from the future is one of a clock that is ahead. */
const timeOf = ({event, now}: Situation): number => Math.min(event.occurredAt, now);

/** The problem with one more event. */
function withEvent(problem: Problem, situation: Situation): Problem {
	return {
		...problem,
		count: problem.count + 1,
		firstSeen: Math.min(problem.firstSeen, timeOf(situation)),
		lastSeen: Math.max(problem.lastSeen, timeOf(situation)),
	};
}

/** Sent before the last fault and delivered after it. A level is taken as it comes: the next one will put it right. */
const isLate = ({event}: Situation, problem: Problem): boolean => !event.measurement && event.occurredAt < problem.lastSeen;

function decideRecovery(situation: Situation, policy: Policy): Ruling {
	const {problem, now, clears, lasts} = situation;
	if (!problem || !isUnfinished(problem) || problem.recoveredAt !== undefined) return {decision: 'nothing_open'};
	if (!clears || isLate(situation, problem)) return {decision: 'nothing_open'};
	const joined = withEvent(problem, situation);
	if (lasts) return {decision: isStorm(problem, situation) ? 'recovered' : 'duplicate', problem: joined};
	const recovered = {...joined, recoveredAt: now};
	if (isAtBackend(problem)) return {decision: 'recovered', problem: recovered, ...status(policy)};
	// It did happen, and IBM may know of it: it is told all the same.
	if (problem.state === 'queued' || problem.reason === 'unanswered') return {decision: 'recovered', problem: recovered};
	// What IBM has refused it has not taken: when the fault comes back it is a new problem, for there is no case to go on with.
	const acceptedAt = problem.state === 'rejected' ? undefined : problem.acceptedAt;
	return {decision: 'recovered', problem: {...recovered, state: 'closed', reason: 'recovered', closedAt: now, acceptedAt}};
}

function join(problem: Problem, situation: Situation, policy: Policy): Ruling {
	const {event} = situation;
	const worse = event.severity > problem.severity;
	const joined: Problem = {
		...withEvent(problem, situation),
		severity: Math.max(problem.severity, event.severity),
		title: worse && !isStormKey(problem.key) ? titleOf(event) : problem.title,
		recoveredAt: undefined,
	};
	const again = worse ? 'worse' : 'duplicate';
	if (problem.state === 'held') return joinHeld(problem, joined, again, situation, policy);
	const decision = !worse && problem.recoveredAt !== undefined ? 'relapse' : again;
	return {decision, problem: joined, ...(isAtBackend(problem) && decision !== 'duplicate' ? status(policy) : {})};
}

function joinHeld(before: Problem, joined: Problem, decision: Decision, situation: Situation, policy: Policy): Ruling {
	if (before.reason === 'storm' || before.reason === 'awaiting_approval') return {decision, problem: joined};
	const system = situation.system ?? before.system;
	const {verdict, repetitions: count} = situation;
	const standing = {...standingOf(situation), system};
	const wasSent = before.reason === 'unanswered';
	const isNoReason = verdict.verdict === 'never' || verdict.verdict === 'excluded';
	if (wasSent && (isNoReason || obstacleOf(standing, policy))) return {decision, problem: joined};
	const reason = wasSent ? undefined : nextHold(before, {...standing, verdict, count}, policy);
	if (reason || !system) {
		const releaseAt = reason === 'below_repeat_count' ? joined.releaseAt : holdEndOf(reason, standing, policy);
		return {decision, problem: {...joined, reason: reason ?? before.reason, releaseAt}};
	}
	const known = withTransactionId({...joined, system}, situation.now, policy);
	const queued: Problem = {...known, state: 'queued', reason: '', releaseAt: undefined};
	return {decision: 'released', problem: queued, submit: wasSent ? 'case_again' : 'case'};
}

/** Only what IBM has taken comes back as the same problem; what never left may begin anew. */
const mayRelapse = (problem: Problem, now: number, policy: Policy): boolean =>
	problem.acceptedAt !== undefined && problem.closedAt !== undefined && now - problem.closedAt < policy.relapseWithinMillis;

function decideRelapse(problem: Problem, situation: Situation, policy: Policy): Ruling {
	const {verdict, event} = situation;
	const joined = withEvent(problem, situation);
	if (verdict.verdict === 'never' || verdict.verdict === 'excluded') return {decision: 'duplicate', problem: joined}; // No reason to open the case again.
	const count = verdict.within === undefined ? joined.count : 1;
	if (holdReasonOf(standingOf(situation), verdict, count, policy)) return begin(situation, policy);
	const reopened: Problem = {
		...joined,
		severity: Math.max(problem.severity, event.severity),
		state: problem.caseNumber === undefined ? 'accepted' : 'open',
		reason: '',
		recoveredAt: undefined,
		closedAt: undefined,
	};
	return {decision: 'relapse', problem: reopened, ...status(policy)};
}

function begin(situation: Situation, policy: Policy): Ruling {
	const {event, verdict, faultKey, placeKeys, momentKeys, recentProblems, storm, now} = situation;
	const reason = holdReasonOf(standingOf(situation), verdict, 1, policy);
	const newKeys = [faultKey, ...placeKeys, ...momentKeys];
	const isStormy = recentProblems >= policy.storm.threshold || isRaging(storm, now, policy);
	if (isStormy && !isTest(event)) return fold(situation, policy, reason);
	const problem = newProblem(situation, policy, faultKey, titleOf(event), reason);
	if (!reason) return {decision: 'first', problem, newKeys, submit: 'case'};
	const isLevel = event.isStanding === true || event.measurement?.kind === 'state';
	const awaitsRepetition = reason === 'below_repeat_count' && isLevel;
	const releaseAt = awaitsRepetition ? now + confirmMillis : holdEndOf(reason, standingOf(situation), policy);
	return {decision: 'held', problem: {...problem, releaseAt}, newKeys};
}

/** A storm goes on until the system has been quiet for as long as a storm is held. */
const isRaging = (storm: Problem | undefined, now: number, policy: Policy): boolean =>
	storm !== undefined && takesFaults(storm) && now - storm.lastSeen < policy.storm.holdMillis;

/** What IBM has refused stands for no further fault: nobody would hear of it. */
const takesFaults = (storm: Problem): boolean => isUnfinished(storm) && storm.state !== 'rejected';

/** Many faults of one system in a short time have one cause: one problem stands for them, and each event is kept. */
function fold(situation: Situation, policy: Policy, reason: HoldReason | undefined): Ruling {
	const {storm, stormKey, faultKey, event, system, now} = situation;
	if (storm && takesFaults(storm) && (storm.state === 'held' || isRaging(storm, now, policy))) {
		const severity = Math.max(storm.severity, event.severity);
		const folded = {...withEvent(storm, situation), severity, recoveredAt: undefined};
		const wasWell = storm.recoveredAt !== undefined && isAtBackend(storm);
		return {decision: 'storm', problem: folded, newKeys: [faultKey], ...(wasWell ? status(policy) : {})};
	}
	const key = ownStormKey(stormKey, situation.problemId);
	const problem = newProblem(situation, policy, key, stormTitleOf(system, event), reason ?? 'storm');
	const releaseAt = reason ? holdEndOf(reason, standingOf(situation), policy) : now + policy.storm.holdMillis;
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
		firstSeen: timeOf(situation),
		lastSeen: timeOf(situation),
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
