import {setTimeout as pause} from 'node:timers/promises';
import {isBridgeError, toError} from '../../errors.ts';
import type {Consume, HardwareEvent} from '../../event.ts';
import type {Decoded, Refusal} from './decode.ts';
import type {Datagram} from './socket.ts';
import {isStandardTrap, type Trap} from './trap.ts';

/** What became of a datagram. `lost`: it was good, and is not kept. */
export type Outcome = 'accepted' | 'filtered' | 'rejected' | 'lost';

export type IntakeParts = {
	readonly consume: Consume;
	readonly decode: (datagram: Buffer, sender: string) => Decoded;
	readonly toEvent: (trap: Trap) => HardwareEvent;
	readonly send: (bytes: Buffer, to: Datagram) => void;
	readonly settled: (count: number) => void;
	readonly onOutcome: (outcome: Outcome, count: number, why: string) => void;
	readonly onRefused: (reason: Refusal, datagram: Datagram) => void;
	/** The store takes nothing at the moment, or takes again: `undefined`. */
	readonly onStore: (error: Error | undefined) => void;
	readonly random: () => number;
};

type Waiting = {readonly event: HardwareEvent; readonly answer: Buffer | undefined; readonly datagram: Datagram};

/** Traps that go to disk together: one fsync for all of them. */
const batchSize = 1024;
const firstPauseMillis = 200;
const longestPauseMillis = 15_000;
const closingMillis = 5000;

/**
	arrived ──▶ decoded ──▶ kept ──▶ answered
	              │           ▲ │
	              ▼           └─┘ while the store takes nothing: a trap is sent only once
	          refused
*/
export function createTrapIntake(parts: IntakeParts) {
	const {consume, decode, toEvent, send, settled, onOutcome, onRefused, onStore, random} = parts;
	const arrived: Datagram[] = [];
	const closing = new AbortController();
	let working: Promise<void> | undefined;

	function offer(datagrams: readonly Datagram[]): void {
		for (const datagram of datagrams) arrived.push(datagram);
		working ??= work().finally(() => {
			working = undefined;
		});
	}

	async function work(): Promise<void> {
		while (arrived.length > 0 && !closing.signal.aborted) {
			const taken = arrived.splice(0, batchSize);
			await keep(taken.flatMap(take));
			settled(taken.length);
		}
	}

	function take(datagram: Datagram): Waiting[] {
		const decoded = decode(datagram.bytes, datagram.address);
		if (decoded.kind !== 'notification') {
			if (decoded.answer) send(decoded.answer, datagram);
			if (decoded.kind === 'report') return [];
			onRefused(decoded.reason, datagram);
			onOutcome('rejected', 1, decoded.reason);
			return [];
		}
		const {trap, answer} = decoded;
		if (!isStandardTrap(trap)) return [{event: toEvent(trap), answer, datagram}];
		if (answer) send(answer, datagram);
		onOutcome('filtered', 1, trap.oid);
		return [];
	}

	/** An inform is answered when it is on disk, and not before (G1). */
	async function keep(batch: readonly Waiting[]): Promise<void> {
		if (batch.length === 0) return;
		for (let attempt = 0; ; attempt++) {
			try {
				await consume(batch.map(({event}) => event));
				break;
			} catch (error) {
				if (!isBridgeError(error, 'ERR_STORE_FULL', 'ERR_STORE_BUSY', 'ERR_SHUTTING_DOWN'))
					return keepEach(batch, toError(error));
				onStore(error);
				if (!(await isTimeLeft(attempt))) return onOutcome('lost', batch.length, error.code);
			}
		}
		onStore(undefined);
		for (const {answer, datagram} of batch) if (answer) send(answer, datagram);
		onOutcome('accepted', batch.length, '');
	}

	async function isTimeLeft(attempt: number): Promise<boolean> {
		const millis = Math.min(longestPauseMillis, firstPauseMillis * 2 ** Math.min(attempt, 10)) * (0.5 + random() / 2);
		return pause(millis, true, {signal: closing.signal, ref: false}).catch(() => false);
	}

	/** One that cannot be kept, for whatever reason, does not take the others with it. */
	async function keepEach(batch: readonly Waiting[], error: Error): Promise<void> {
		if (batch.length === 1) return onOutcome('lost', 1, error.message);
		for (const one of batch) await keep([one]);
	}

	/** What has arrived is kept if the store takes it; a store that does not is not waited for. */
	async function close(): Promise<void> {
		const limit = setTimeout(() => closing.abort(), closingMillis);
		while (working) await working;
		clearTimeout(limit);
		if (arrived.length > 0) onOutcome('lost', arrived.length, 'the bridge ends');
	}

	return {offer, close};
}
