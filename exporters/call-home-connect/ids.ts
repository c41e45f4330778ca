import type {System} from '../../src/problem.ts';
import type {SubmissionType} from '../../src/submission.ts';

/** IBM's word for each of our messages. */
export const eventTypeOf: Record<SubmissionType, string> = {
	hardware_alert: 'service',
	test: 'service',
	status: 'status',
	heartbeat: 'last_contact',
	case_query: 'last_contact',
	confirmation: 'confirm_response',
	connection_report: 'status',
	inventory: 'inventory',
};

/** The two words by which IBM knows a machine. They stay the same for the machine's life. */
export const assetOf = (system: System) => ({
	asset: `${system.machineType}-${system.model}`,
	assetId: system.serialNumber,
});

/** Sixteen zeros say that a machine has no virtual id. */
export const noVirtualId = '0'.repeat(16);

const defaultAgent = 'callhome-bridge';
const longestDiscriminator = 64;
const wordOf = (text: string) => text.replace(/[^0-9A-Za-z.-]+/g, '-').slice(0, longestDiscriminator);

export type TransactionIdParts = {
	readonly type: SubmissionType;
	readonly system: System;
	/** Unix milliseconds: the `createdAt` of the submission. */
	readonly createdAt: number;
	/** What tells two messages of one system in one millisecond apart, such as the problem's id. */
	readonly discriminator: string;
	/** The configured client name. */
	readonly agent?: string;
};

/** The event id under which IBM keeps the answer. Stored before the first attempt and repeated by every further one (G3). */
export function transactionIdOf({type, system, createdAt, discriminator, agent = defaultAgent}: TransactionIdParts): string {
	const {asset, assetId} = assetOf(system);
	return `${eventTypeOf[type]}_IBM_${agent}_${asset}_${assetId}_${createdAt}_${wordOf(discriminator)}`;
}

/** The envelope's id is the event's without the event type: as unique, and the same on every retry. */
export function envelopeIdOf(transactionId: string, type: SubmissionType): string {
	const prefix = `${eventTypeOf[type]}_`;
	return transactionId.startsWith(prefix) ? transactionId.slice(prefix.length) : `IBM_envelope_${transactionId}`;
}

/** The id of the question what became of a transaction: another one for each time it is asked. */
export const questionIdOf = (transactionId: string, attempts: number): string =>
	`${eventTypeOf.case_query}_${envelopeIdOf(transactionId, 'hardware_alert')}_asked-${attempts}`;
