import type {HoldReason, Problem, System} from '../problem.ts';
import type {Verdict} from './classify.ts';

/** What is allowed and wanted here. */
export type Policy = {
	readonly consentsToCases: boolean;
	readonly hasCredentials: boolean;
	readonly relapseWithinMillis: number;
	readonly storm: {readonly threshold: number; readonly windowMillis: number; readonly holdMillis: number};
	/** The id under which the backend will know a problem: minted once, before the first attempt (G3). */
	readonly mintTransactionId: (system: System, at: number, problemId: string) => string;
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
	return obstacleOf(system, policy);
}

/** Why a problem that is to call home cannot. */
export function obstacleOf(system: System | undefined, policy: Policy): HoldReason | undefined {
	if (!system) return 'unknown_system';
	return mayNotSend(policy);
}

export function mayNotSend({consentsToCases, hasCredentials}: Policy): HoldReason | undefined {
	if (!consentsToCases) return 'no_consent';
	return hasCredentials ? undefined : 'no_credentials';
}

/** How far a held problem has come: beyond the last of these it is certain that it is to call home. */
const stages: readonly string[] = ['not_serviceable', 'customer_serviceable', 'below_repeat_count'];

/**
What holds a problem after one more event. An event of little weight takes nothing back from an earlier one, and an earlier
one of little weight does not count as the repetition of a later one.
*/
export function nextHold(
	before: Problem,
	{system, verdict}: {readonly system: System | undefined; readonly verdict: Verdict},
	policy: Policy,
): HoldReason | undefined {
	const stage = stages.indexOf(before.reason);
	if (stage < 0) return obstacleOf(system, policy);
	const count = before.reason === 'below_repeat_count' ? before.count + 1 : 1;
	const reason = holdReasonOf(system, verdict, count, policy);
	const reached = reason === undefined ? stages.length : stages.indexOf(reason);
	return reached >= 0 && reached < stage ? (before.reason as HoldReason) : reason;
}

/** The id under which IBM will know a problem: minted once, for a known system, and never again (G3). */
export function withTransactionId<Known extends Problem & {readonly system: System}>(
	problem: Known,
	at: number,
	policy: Policy,
): Known {
	if (problem.transactionId !== problem.id) return problem;
	return {...problem, transactionId: policy.mintTransactionId(problem.system, at, problem.id)};
}
