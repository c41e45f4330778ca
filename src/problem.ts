import {hash} from 'node:crypto';

/** A monitored machine, by the identity on its label. */
export type System = {
	readonly name: string;
	/** Four characters, such as 8871. */
	readonly machineType: string;
	readonly model: string;
	readonly serialNumber: string;
	/** ISO 3166-1 alpha-2, when the system is elsewhere than `location`. */
	readonly country?: string;
};

/** One text for a machine: what is on its label. */
export const systemLabel = ({machineType, model, serialNumber}: System): string => `${machineType}-${model}/${serialNumber}`;

/** The same as a part of an id, where the label's own signs would not do. */
export const systemDigest = (system: System): string => hash('sha256', systemLabel(system)).slice(0, 16);

/** The part of the system that has the fault: `hw.id`, `hw.type`, `hw.name`. */
export type HardwareComponent = {readonly id: string; readonly type: string; readonly name: string};

/**
	identified ──▶ queued ──▶ accepted ──▶ open ──▶ closed
	    │            │ ▲
	    ▼            ▼ │
	   held        rejected

accepted: IBM took it; open: the case number is known.
*/
export const problemStates = ['identified', 'queued', 'accepted', 'open', 'closed', 'held', 'rejected'] as const;
export type ProblemState = (typeof problemStates)[number];

/** Why a problem is held. */
export const holdReasons = [
	'unknown_system',
	'not_serviceable',
	'customer_serviceable',
	'excluded',
	'below_repeat_count',
	'maintenance',
	'awaiting_approval',
	'storm',
	'no_consent',
	'no_credentials',
	'unanswered',
] as const;
export type HoldReason = (typeof holdReasons)[number];

export type Problem = {
	readonly id: string;
	/** What makes two events one fault: system, component and whether it is a test. */
	readonly key: string;
	readonly state: ProblemState;
	/** In words: a HoldReason when held, IBM's text when rejected, `recovered` when closed. */
	readonly reason: string;
	readonly title: string;
	readonly severity: number;
	readonly test: boolean;
	/** How many events it stands for. */
	readonly count: number;
	/** Unix milliseconds, like all times here. */
	readonly firstSeen: number;
	readonly lastSeen: number;
	/** Which machine: the system's label, or a digest of the resource while the system is not known. */
	readonly systemKey: string;
	readonly system: System | undefined;
	readonly component: HardwareComponent;
	/** The id under which IBM knows it: stored before the first attempt and never changed (G3). */
	readonly transactionId: string;
	readonly caseNumber: string | undefined;
	readonly acceptedAt: number | undefined;
	readonly recoveredAt: number | undefined;
	readonly closedAt: number | undefined;
	/** When a hold ends by itself (storm). */
	readonly releaseAt: number | undefined;
	/** W3C traceparent of the trace that tells its journey. */
	readonly traceparent: string | undefined;
};

/** Problems that a further event of the same fault joins. */
export const isUnfinished = (problem: Problem): boolean => problem.state !== 'closed';

/** Problems that IBM has taken. */
export const isSent = (state: ProblemState): boolean => state === 'accepted' || state === 'open' || state === 'closed';

/** Under this key a system's recent problems are counted: apart for each reason for which they are held. */
export const recentKey = (systemKey: string, holdReason: string): string => `${systemKey} ${holdReason}`;
