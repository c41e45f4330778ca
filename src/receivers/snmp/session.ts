import type {Varbind} from './trap.ts';

/** One conversation with one agent. OIDs are written as 1.3.6.1. */
export type Session = {
	/** The objects themselves; null for each that the agent does not have. */
	get(oids: readonly string[]): Promise<readonly Varbind[]>;
	/**
	What comes after each of the OIDs, so many times over, in the order of the OIDs; the agent may give fewer rows. A null is the end.
	*/
	next(oids: readonly string[], repetitions: number): Promise<readonly Varbind[]>;
	close(): void;
};

/** Why an agent gave no answer that can be used. */
export type SessionFault =
	| 'timeout' // No answer at all: SNMPv1 and v2c are silent to a wrong community, too.
	| 'credentials' // The agent says that they are wrong.
	| 'held' // They were, a short time ago: it is not asked.
	| 'too_big' // The answer would not fit into a datagram.
	| 'no_such_name' // SNMPv1: one of the objects does not exist.
	| 'failed';

export class SessionError extends Error {
	override readonly name = 'SessionError';
	readonly fault: SessionFault;

	constructor(fault: SessionFault, message: string, options?: ErrorOptions) {
		super(message, options);
		this.fault = fault;
	}
}

/** RFC 3416, section 3. */
export const errorStatuses: Readonly<Record<number, SessionFault>> = {
	1: 'too_big',
	2: 'no_such_name',
	6: 'credentials',
	16: 'credentials',
};

/** The tags of noSuchObject, noSuchInstance and endOfMibView. */
export const isAbsent = (tag: number): boolean => tag >= 0x80 && tag <= 0x82;

export type SessionOptions = {
	/** An address: names are resolved before. */
	readonly address: string;
	readonly port: number;
	readonly timeoutMillis: number;
	readonly retries: number;
};
