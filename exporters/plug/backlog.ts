import {context, diag, ROOT_CONTEXT} from '@opentelemetry/api';
import {BridgeError, isBridgeError, toError} from '../../src/errors.ts';
import type {Consume, HardwareEvent} from '../../src/event.ts';

export type BacklogOptions = {
	/** Events that may wait in memory while the store does not take them. */
	readonly maxQueueSize?: number;
	/** The pause after a failure; it doubles with each further one, up to the longest. */
	readonly initialIntervalMillis?: number;
	readonly maxIntervalMillis?: number;
};

const defaults = {maxQueueSize: 10_000, initialIntervalMillis: 1000, maxIntervalMillis: 30_000};

/** Events in one transaction: what is added meanwhile goes with the next. */
const batchSize = 1000;

/** Events are numbered as they are emitted, so that a flush knows which of them came before it. */
type Waiting = {readonly sequence: number; readonly event: HardwareEvent};

/**
	add ──▶ waiting ──consume──▶ on disk
	           ▲          │
	           └─pause────┘ the store is full or busy

An event leaves when it is on disk and not before; only beyond maxQueueSize are events lost, and then it is said how many.
*/
export class Backlog {
	readonly #consume: Consume;
	readonly #options: typeof defaults;
	readonly #waiting: Waiting[] = [];
	/** By sequence: events that are emitted, but whose resource is not complete yet. */
	readonly #coming = new Map<number, Promise<void>>();
	#sequence = 0;
	#pass: Promise<void> | undefined;
	#immediate: NodeJS.Immediate | undefined;
	#pause: NodeJS.Timeout | undefined;
	#failures = 0;
	/** Why the last pass left events behind. */
	#failure: BridgeError | undefined;
	#lost = 0;
	#lastLoss: BridgeError | undefined;
	/** How many of the lost ones a flush has named already. */
	#told = 0;
	#ending: Promise<void> | undefined;

	constructor(consume: Consume, options: BacklogOptions = {}) {
		this.#consume = consume;
		this.#options = {...defaults, ...options};
	}

	add(events: readonly HardwareEvent[]): void {
		for (const event of events) {
			const refusal = this.#refusal();
			if (refusal) this.lose(refusal);
			else this.#waiting.push({sequence: ++this.#sequence, event});
		}
		this.#schedule();
	}

	/** Takes events that are known later; `events` must not throw, but may say `lose`. */
	addLater(ready: Promise<unknown>, events: () => readonly HardwareEvent[]): void {
		const refusal = this.#refusal();
		if (refusal) {
			this.lose(refusal);
			return;
		}
		const sequence = ++this.#sequence;
		const arrive = () => {
			this.#coming.delete(sequence);
			this.#waiting.push(...events().map(event => ({sequence, event})));
			this.#schedule();
		};
		this.#coming.set(sequence, ready.then(arrive, arrive));
	}

	/** Counts an event that will never be on disk. */
	lose(reason: BridgeError): void {
		this.#lost++;
		this.#lastLoss = reason;
		const untold = this.#lost - this.#told;
		if (untold === 1 || untold % 1000 === 0) diag.error(`callhome-bridge: ${lostText(untold, reason)}`);
	}

	/**
	Tries at once. Resolves when all events added before the call are on disk; rejects when one of them is not, and names
	how many were lost since a flush last did.
	*/
	async flush(timeoutMillis = 30_000): Promise<void> {
		const last = this.#sequence;
		const toldBefore = this.#told;
		const {promise: timeout, resolve} = Promise.withResolvers<'timeout'>();
		const timer = setTimeout(resolve, timeoutMillis, 'timeout');
		const ended = await Promise.race([this.#storeUpTo(last), timeout]);
		clearTimeout(timer);
		const late = new BridgeError('ERR_STORE_BUSY', `no answer from the store within ${timeoutMillis} ms`);
		const fault = this.#faultOf(last, toldBefore, ended === 'timeout' ? late : this.#failure);
		if (fault) throw fault;
	}

	/** Flushes, and takes no events any more. */
	shutdown(): Promise<void> {
		this.#ending ??= this.flush().finally(() => {
			clearImmediate(this.#immediate);
			clearTimeout(this.#pause);
		});
		return this.#ending;
	}

	#refusal(): BridgeError | undefined {
		const {maxQueueSize} = this.#options;
		if (this.#ending) return new BridgeError('ERR_SHUTTING_DOWN', 'it was emitted after the shutdown');
		if (this.#waiting.length + this.#coming.size < maxQueueSize) return undefined;
		return new BridgeError('ERR_STORE_FULL', `${maxQueueSize} wait already, for the store takes none`);
	}

	/** After a turn of the event loop, so that events emitted together are stored together. */
	#schedule(): void {
		if (this.#waiting.length === 0 || this.#pass || this.#pause || this.#immediate) return;
		this.#immediate = setImmediate(() => void this.#store());
	}

	async #storeUpTo(last: number): Promise<void> {
		await Promise.all([...this.#coming].filter(([sequence]) => sequence <= last).map(([, arrived]) => arrived));
		await this.#pass;
		if (this.#countUpTo(last) > 0) await this.#store();
	}

	#countUpTo(last: number): number {
		const coming = [...this.#coming.keys()].filter(sequence => sequence <= last);
		return coming.length + this.#waiting.filter(({sequence}) => sequence <= last).length;
	}

	#store(): Promise<void> {
		clearImmediate(this.#immediate);
		clearTimeout(this.#pause);
		this.#immediate = undefined;
		this.#pause = undefined;
		// Of events of many callers, so it belongs to the trace of none.
		this.#pass ??= context
			.with(ROOT_CONTEXT, () => this.#storeAll())
			.finally(() => {
				this.#pass = undefined;
				this.#afterPass();
			});
		return this.#pass;
	}

	/** One event that the bridge cannot cope with stays behind by itself, and keeps no other one from the store. */
	async #storeAll(): Promise<void> {
		this.#failure = undefined;
		let behind = 0;
		let size = batchSize;
		while (this.#waiting.length > behind) {
			const batch = this.#waiting.slice(behind, behind + size);
			const error = await this.#consumeBatch(batch);
			if (!error) this.#waiting.splice(behind, batch.length);
			else if (isBridgeError(error)) {
				this.#failure = error;
				return;
			} else if (batch.length > 1) size = 1;
			else {
				behind++;
				this.#failure = new BridgeError('ERR_STORE_BUSY', `an event was not taken: ${error.message}`, {cause: error});
			}
		}
	}

	async #consumeBatch(batch: readonly Waiting[]): Promise<Error | undefined> {
		try {
			await this.#consume(batch.map(({event}) => event));
			return undefined;
		} catch (error) {
			return toError(error);
		}
	}

	#afterPass(): void {
		if (!this.#failure) {
			this.#failures = 0;
			this.#schedule();
			return;
		}
		const {initialIntervalMillis, maxIntervalMillis} = this.#options;
		const millis = Math.min(initialIntervalMillis * 2 ** this.#failures++, maxIntervalMillis);
		diag.warn(`callhome-bridge: ${this.#waiting.length} hardware event(s) wait for the store: ${this.#failure.message}`);
		if (!this.#ending) this.#pause = setTimeout(() => void this.#store(), millis).unref();
	}

	#faultOf(last: number, toldBefore: number, failure: BridgeError | undefined): BridgeError | undefined {
		const left = this.#countUpTo(last);
		const lost = this.#lost - toldBefore;
		this.#told = this.#lost;
		const cause = left > 0 ? failure : this.#lastLoss;
		if (left + lost === 0) return undefined;
		const sentences = [
			left > 0 ? `${left} hardware event(s) not on disk: ${failure?.message}` : '',
			lost > 0 && this.#lastLoss ? lostText(lost, this.#lastLoss) : '',
		];
		return new BridgeError(cause?.code ?? 'ERR_STORE_BUSY', sentences.filter(text => text !== '').join('; '), {cause});
	}
}

const lostText = (count: number, reason: BridgeError) => `${count} hardware event(s) lost, the last because ${reason.message}`;
