import {createHash} from 'node:crypto';
import {z} from 'zod';
import type {Component} from '../component.ts';
import type {Problem, System} from '../problem.ts';
import {duration} from '../settings.ts';
import type {Submission} from '../submission.ts';

export const serviceInformationSchema = z.strictObject({
	heartbeat: z.strictObject({interval: duration.default(30 * 60_000)}).prefault({}),
});
export type ServiceInformationConfig = z.infer<typeof serviceInformationSchema>;

/** How long IBM keeps an answer: after that a heartbeat need not ask for it. */
export const answerExpiryMillis = 72 * 3_600_000;

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
	const bySystem = new Map(systems.map(system => [labelOf(system), {system, transactionIds: [] as string[]}]));
	for (const {system, transactionId, acceptedAt = 0} of unanswered) {
		if (!system || now - acceptedAt > answerExpiryMillis) continue;
		const entry = bySystem.get(labelOf(system)) ?? {system, transactionIds: []};
		entry.transactionIds.push(transactionId);
		bySystem.set(labelOf(system), entry);
	}
	return [...bySystem.values()].map(({system, transactionIds}) => toHeartbeat(system, transactionIds, now));
}

const labelOf = ({machineType, model, serialNumber}: System): string => `${machineType}-${model}/${serialNumber}`;

function toHeartbeat(system: System, transactionIds: readonly string[], now: number): Submission {
	const digest = createHash('sha256').update(labelOf(system)).digest('hex').slice(0, 8);
	const id = `last_contact_${digest}_${now}`;
	return {
		id,
		type: 'heartbeat',
		problemId: undefined,
		transactionId: id,
		aboutTransactionId: undefined,
		content: {system, createdAt: now, transactionIds},
		attempts: 0,
		rounds: 0,
		uncertain: false,
		notBefore: now,
		queuedAt: now,
		traceparent: undefined,
	};
}

/** Queues a round of heartbeats at the start and then once each interval, with a tenth of it as jitter. */
export function createHeartbeat(parts: HeartbeatParts): Component {
	const {intervalMillis, systems, unanswered, offer, log, now = Date.now, random = Math.random} = parts;
	let timer: NodeJS.Timeout | undefined;
	let beating: Promise<void> | undefined;

	async function beat() {
		try {
			await offer(heartbeatsOf(systems, await unanswered(), now()));
		} catch (error) {
			log('error', `the heartbeat could not be queued: ${String(error)}`);
		}
		timer = setTimeout(() => (beating = beat()), intervalMillis * (0.95 + 0.1 * random()));
	}

	return {
		name: 'heartbeat',
		async start() {
			beating = beat();
			await beating;
		},
		async shutdown() {
			await beating;
			clearTimeout(timer);
		},
	};
}
