import type {Attributes} from '../event.ts';
import type {HoldReason, Problem, System} from '../problem.ts';
import type {Verdict} from './classify.ts';
import type {FindMaintenance, MaintenanceWindow} from './maintenance.ts';

/** What is allowed and wanted here. */
export type Policy = {
	readonly consentsToCases: boolean;
	readonly hasCredentials: boolean;
	/** A person releases each problem. */
	readonly needsApproval: boolean;
	readonly maintenanceOf: FindMaintenance;
	/** Reports of one part by different sources within this time are one fault; 0 when each stands alone. */
	readonly correlateMillis: number;
	/** Faults of one machine that are dated to the same moment are one. */
	readonly sameTimeIsOne: boolean;
	readonly relapseWithinMillis: number;
	readonly storm: {readonly threshold: number; readonly windowMillis: number; readonly holdMillis: number};
	/** The id under which the backend will know a problem: minted once, before the first attempt (G3). */
	readonly mintTransactionId: (system: System, at: number, problemId: string) => string;
};

/** Which machine a problem is about, as far as it is known, and when it is asked. */
export type Standing = {
	readonly system: System | undefined;
	/** Of one of its events. */
	readonly resource: Attributes;
	/** Whether it is a test: a test is to arrive at once. */
	readonly test: boolean;
	readonly now: number;
};

/** Why a problem cannot go out now, or undefined when it can. */
export function holdReasonOf(standing: Standing, verdict: Verdict, count: number, policy: Policy): HoldReason | undefined {
	if (verdict.verdict === 'excluded') return 'excluded';
	if (verdict.verdict === 'never') return 'not_serviceable';
	if (verdict.verdict === 'serviceable') return 'customer_serviceable';
	if (count < verdict.repeat) return 'below_repeat_count';
	return obstacleOf(standing, policy);
}

/** Why a problem that is to call home cannot. */
export function obstacleOf(standing: Standing, policy: Policy): HoldReason | undefined {
	if (!standing.system) return 'unknown_system';
	const forbidden = mayNotSend(policy);
	if (forbidden || standing.test) return forbidden;
	if (windowOf(standing, policy)) return 'maintenance';
	return policy.needsApproval ? 'awaiting_approval' : undefined;
}

const windowOf = ({system, resource, now}: Standing, policy: Policy): MaintenanceWindow | undefined =>
	policy.maintenanceOf(system, resource, now);

/** When such a hold ends by itself; undefined when something else ends it. */
export const holdEndOf = (reason: string | undefined, standing: Standing, policy: Policy): number | undefined =>
	reason === 'maintenance' ? windowOf(standing, policy)?.until : undefined;

export function mayNotSend({consentsToCases, hasCredentials}: Policy): HoldReason | undefined {
	if (!consentsToCases) return 'no_consent';
	return hasCredentials ? undefined : 'no_credentials';
}

/** How far a held problem has come: beyond the last of these it is certain that it is to call home. */
const stages: readonly string[] = ['excluded', 'not_serviceable', 'customer_serviceable', 'below_repeat_count'];

/**
What holds a problem after one more event. An event of little weight takes nothing back from an earlier one, and an earlier
one of little weight does not count as the repetition of a later one.
*/
export function nextHold(
	before: Problem,
	{verdict, count: repetitions, ...standing}: Standing & {readonly verdict: Verdict; readonly count: number},
	policy: Policy,
): HoldReason | undefined {
	const stage = stages.indexOf(before.reason);
	if (stage < 0) return obstacleOf(standing, policy);
	const count = before.reason === 'below_repeat_count' ? repetitions : 1;
	const reason = holdReasonOf(standing, verdict, count, policy);
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
