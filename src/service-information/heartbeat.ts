import {z} from 'zod';
import type {Component} from '../component.ts';
import {toError} from '../errors.ts';
import {type Problem, type System, systemDigest, systemLabel} from '../problem.ts';
import {duration} from '../settings.ts';
import {routineSubmission, type Submission} from '../submission.ts';
import {inventorySchema} from './inventory.ts';
import {isOverdue} from './overdue.ts';

const dayMillis = 86_400_000;

const interval = duration.refine(millis => millis > 0 && millis <= 7 * dayMillis, {
	message: 'must be more than 0 and at most 7d',
});

/** More often would be a burden to IBM's servers and to every proxy on the way. */
const testInterval = duration.refine(millis => millis >= 1000 && millis <= 7 * dayMillis, {
	message: 'must be from 1s to 7d',
});

/** `operational_test: false` says the same as `enabled: false`. */
const operationalTestSchema = z.preprocess(
	value => (typeof value === 'boolean' ? {enabled: value} : value),
	z.strictObject({enabled: z.boolean().default(true), interval: testInterval.default(15 * 60_000)}),
);

export const serviceInformationSchema = z.strictObject({
	heartbeat: z.strictObject({interval: interval.default(30 * 60_000)}).prefault({}),
	/** Walks every path on a schedule, once the bridge is activated. */
	operational_test: operationalTestSchema.prefault({}),
	/** What the systems consist of; it leaves with consent.inventory alone. */
	inventory: inventorySchema.prefault({}),
});
export type ServiceInformationConfig = z.infer<typeof serviceInformationSchema>;

/** A longer list is asked for in several heartbeats. */
const mostTransactions = 500;

export type HeartbeatParts = {
	readonly intervalMillis: number;
	/** The systems that the configuration names. */
	readonly systems: readonly System[];
	/** Problems that IBM has accepted and not yet given a case number. */
	readonly unanswered: () => Promise<readonly Problem[]>;
	/** Replaces the heartbeats that still wait: the newest wins. */
	readonly offer: (heartbeats: readonly Submission[]) => Promise<void>;
	readonly log: (level: 'error', text: string) => void;
	readonly now?: () => number;
	/** Spreads the heartbeats of many bridges over the interval. */
	readonly random?: () => number;
};

/** One heartbeat per system, which also asks for the answers that are still missing. Nothing about a system: no heartbeat. */
export function heartbeatsOf(systems: readonly System[], unanswered: readonly Problem[], now: number): Submission[] {
	const bySystem = new Map(systems.map(system => [systemLabel(system), {system, transactionIds: [] as string[]}]));
	for (const problem of unanswered) {
		const {system, transactionId} = problem;
		if (!system || isOverdue(problem, now)) continue;
		const entry = bySystem.get(systemLabel(system)) ?? {system, transactionIds: []};
		entry.transactionIds.push(transactionId);
		bySystem.set(systemLabel(system), entry);
	}
	return [...bySystem.values()].flatMap(({system, transactionIds}) =>
		inParts(transactionIds).map((part, index) => toHeartbeat(system, part, index, now)),
	);
}

/** At least one part: a heartbeat that asks for nothing is one, too. */
function inParts(transactionIds: readonly string[]): readonly (readonly string[])[] {
	const length = Math.max(1, Math.ceil(transactionIds.length / mostTransactions));
	return Array.from({length}, (_, index) => transactionIds.slice(index * mostTransactions, (index + 1) * mostTransactions));
}

function toHeartbeat(system: System, transactionIds: readonly string[], part: number, now: number): Submission {
	const id = `last_contact_${systemDigest(system)}_${now}${part === 0 ? '' : `_${part}`}`;
	return routineSubmission('heartbeat', id, {system, transactionIds}, now);
}

/** Queues a round of heartbeats at the start and then once each interval, with a tenth of it as jitter. */
export function createHeartbeat(parts: HeartbeatParts): Component {
	const {intervalMillis, systems, unanswered, offer, log, now = Date.now, random = Math.random} = parts;
	let timer: NodeJS.Timeout | undefined;
	let beating: Promise<void> | undefined;
	let stopping = false;

	async function beat() {
		try {
			await offer(heartbeatsOf(systems, await unanswered(), now()));
		} catch (error) {
			log('error', `the heartbeat could not be queued: ${toError(error).message}`);
		}
		if (!stopping) timer = setTimeout(() => (beating = beat()), intervalMillis * (0.95 + 0.1 * random()));
	}

	return {
		name: 'heartbeat',
		async start() {
			if (!stopping) beating = beat();
			await beating;
		},
		async shutdown() {
			stopping = true;
			clearTimeout(timer);
			await beating;
		},
	};
}
