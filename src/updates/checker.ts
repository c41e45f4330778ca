import {existsSync} from 'node:fs';
import type {z} from 'zod';
import type {UpdatesConfig} from './config.ts';
import type {Origin, Ways} from './fetch.ts';
import {isExpired} from './judge.ts';
import {readPublicKeys} from './keys.ts';
import {createManifestReader, type DestinationUpdate} from './manifest.ts';
import {type Note, tellNews} from './notes.ts';
import {ask, type RoundParts, stageAll, troubleOf} from './round.ts';
import {type CheckRules, type House, offersOf, stagedOf, type Waiting} from './staging.ts';
import {type Accepted, type Check, keepCheck, recallAccepted} from './state.ts';

/** The destinations of the manifest in force: a purpose that is absent is as without updates. */
export type UpdatedDestinations = {readonly serial: number; readonly origin: Origin; readonly destinations: DestinationUpdate};

export type UpdateParts = Ways &
	House & {
		/** What a manifest may say under `destinations`. */
		readonly destinations: z.ZodType<DestinationUpdate>;
		readonly checkRules: CheckRules;
		/** For the activity log. Without it nothing is marked as told: a command leaves that to the bridge. */
		readonly note?: Note;
		/** Called at the start with what was accepted before, and again with each change. */
		readonly onDestinations?: (update: UpdatedDestinations) => void;
		readonly now?: () => number;
		/** Spreads the checks of many bridges. */
		readonly random?: () => number;
	};

/** The manifest in force and what waits of it, between checks. Throws ERR_CONFIG when a key cannot be read. */
export class Checker {
	readonly #parts: UpdateParts;
	readonly #round: RoundParts;
	readonly #now: () => number;
	#accepted: Accepted | undefined;
	#waiting: readonly Waiting[] = [];

	constructor(config: UpdatesConfig, parts: UpdateParts) {
		this.#parts = parts;
		this.#now = parts.now ?? Date.now;
		const keys = readPublicKeys(config.public_key_file);
		this.#round = {...parts, config, keys, readManifest: createManifestReader(parts.destinations), now: this.#now};
	}

	get accepted(): Accepted | undefined {
		return this.#accepted;
	}

	/** The operator may have taken a file since the last check, and an expired manifest offers nothing. */
	get waiting(): readonly Waiting[] {
		if (!this.#accepted || isExpired(this.#accepted.manifest, this.#now())) return [];
		return this.#waiting.filter(({file}) => existsSync(file));
	}

	async check(signal: AbortSignal): Promise<Check> {
		const lost = await this.#recall();
		const {outcome, origin, serial, troubles, accepted} = await ask(this.#round, this.#accepted, signal);
		if (accepted) this.#adopt(accepted);
		const staged = this.#accepted && (await stageAll(this.#accepted, this.#round, signal));
		this.#waiting = staged?.waiting ?? [];
		const all = [...lost, ...troubles, ...(staged?.troubles ?? [])];
		const check: Check = {at: this.#now(), outcome, origin, serial, troubles: all};
		if (signal.aborted) return check; // It says nothing about the update server.
		await keepCheck(this.#parts, check);
		await this.#tell(all);
		return check;
	}

	/** Takes up what a command beside the bridge has accepted or applied since. */
	async refresh(): Promise<void> {
		const before = this.#accepted?.digest;
		await this.#recall();
		if (this.#accepted?.digest === before) await this.#tell(undefined);
		else await this.resume();
	}

	/** Takes up what an earlier process has left. Answers whether nothing is missing of it. */
	async resume(): Promise<boolean> {
		const lost = await this.#recall();
		const offers = this.#accepted ? await offersOf(this.#accepted.manifest, this.#parts) : [];
		this.#waiting = await stagedOf(offers);
		await this.#tell(undefined).catch(() => {}); // A full disk does not keep the bridge from its start: the next check tells it.
		return lost.length === 0 && this.#waiting.length === offers.length;
	}

	/** From the state, for another process may have accepted one. Memory stands in for state that is lost. */
	async #recall(): Promise<Check['troubles']> {
		const {accepted, fault} = await recallAccepted(this.#parts, this.#round.keys, this.#round.readManifest);
		if (accepted) this.#adopt(accepted);
		return fault ? [troubleOf('update_state_lost', fault)] : [];
	}

	#adopt(next: Accepted): void {
		const now = this.#accepted;
		if (now && (next.digest === now.digest || next.manifest.serial < now.manifest.serial)) return;
		this.#accepted = next;
		const {serial, destinations} = next.manifest;
		this.#parts.onDestinations?.({serial, origin: next.origin, destinations});
	}

	async #tell(troubles: Check['troubles'] | undefined): Promise<void> {
		const {note} = this.#parts;
		const news = {accepted: this.#accepted, waiting: this.waiting, at: this.#now(), ...(troubles && {troubles})};
		if (note) await tellNews(news, this.#parts, note);
	}
}
