import type {Component} from '../component.ts';
import {BridgeError, isBridgeError, toError} from '../errors.ts';
import type {Attributes} from '../event.ts';
import type {Collected, InventorySection, InventorySource} from '../inventory.ts';
import {type System, systemLabel} from '../problem.ts';
import type {Submission} from '../submission.ts';
import {
	bounded,
	type InventoryState,
	inventoryPrefix,
	inventorySetting,
	inventorySettings,
	inventorySubmission,
	readInventoryState,
	stateAfter,
} from './inventory.ts';

/** What is written when an inventory was collected, in one transaction. */
export type InventoryRecords = {
	readSetting(name: string): Promise<string | undefined>;
	/** By what follows the prefix in their names. */
	readSettingsUnder(prefix: string): Promise<ReadonlyMap<string, string>>;
	writeSetting(name: string, value: string): Promise<void>;
	removeSetting(name: string): Promise<void>;
	removeSubmissionsUnder(type: 'inventory', prefix: string): Promise<number>;
	offer(submission: Submission): Promise<void>;
};

/** An inventory is on disk and queued. `isNew`: it differs from the one before, or is the first. */
export type Kept = {
	readonly system: System;
	readonly state: InventoryState;
	readonly isNew: boolean;
	readonly isFirst: boolean;
};

export type InventoryParts = {
	readonly sources: readonly InventorySource[];
	readonly sections: ReadonlySet<InventorySection>;
	readonly intervalMillis: number;
	readonly identify: (resource: Attributes) => System | undefined;
	readonly write: <Result>(change: (records: InventoryRecords) => Promise<Result>) => Promise<Result>;
	readonly onKept: (kept: Kept) => void;
	/** Once for each failure of a target that is another one than before; empty when it works again. */
	readonly onTrouble: (source: InventorySource, trouble: string) => void;
	readonly now?: () => number;
	readonly random?: () => number;
	/** For one target, in milliseconds. */
	readonly timeoutMillis?: number;
};

/** What became of one target. */
export type CollectedTarget = {
	readonly source: string;
	readonly target: string;
	readonly systems: readonly string[];
	readonly trouble: string;
};

export type InventorySchedule = Component & {
	/** Now, whatever the schedule says: of the targets, and of the systems, that are so named; of all when the text is empty. */
	collectNow(named: string): Promise<readonly CollectedTarget[]>;
};

const mostAtOnce = 4;
/** A target that failed is tried again after this time at the latest. */
const longestRetryMillis = 3_600_000;
const longestPauseMillis = 60_000;
/** The first collections of a start are spread over this time. */
const spreadMillis = 5000;

const keyOf = ({source, target}: InventorySource) => `${source}/${target}`;
/** When each target was last collected from; its source and its name come after. */
export const collectedSettings = 'inventory.collected/';
const collectedSetting = (source: InventorySource) => collectedSettings + keyOf(source);

/** Whom a trouble is of, in words. */
export const targetName = ({source, target}: {readonly source: string; readonly target: string}): string =>
	target === '' ? source : `${source} ${target}`;

/**
Collects the inventory of each target once an interval, kept over restarts, and queues it. What was collected stays queued
until it is acknowledged or a newer one takes its place.
*/
export function createInventorySchedule(parts: InventoryParts): InventorySchedule {
	const {sources, sections, intervalMillis, identify, write, onKept, onTrouble} = parts;
	const {now = Date.now, random = Math.random, timeoutMillis = 300_000} = parts;
	const stopping = new AbortController();
	const dueTimes = new Map<string, number>();
	const troubles = new Map<string, string>();
	const underWay = new Map<string, Promise<CollectedTarget>>();
	let timer: NodeJS.Timeout | undefined;
	let looking: Promise<void> | undefined;

	/** The one that is under way counts, too: two logins at once would be one too many for some modules. */
	function collect(source: InventorySource): Promise<CollectedTarget> {
		const key = keyOf(source);
		const running = underWay.get(key) ?? collectOnce(source).finally(() => underWay.delete(key));
		underWay.set(key, running);
		return running;
	}

	async function collectOnce(source: InventorySource): Promise<CollectedTarget> {
		const found: Kept[] = [];
		const unknown: string[] = [];
		let trouble = '';
		try {
			for (const {resource, inventory} of await collectWithin(source)) {
				const system = identify(resource);
				if (!system) unknown.push(advice(resource));
				else found.push(await keep(source, system, inventory));
			}
			trouble = unknown.join('; ');
			// Who names the machine and starts the bridge again does not wait for a day.
			if (unknown.length === 0) await write(records => noteCollected(records, source, found));
			dueTimes.set(keyOf(source), now() + intervalMillis * (0.9 + 0.1 * random()));
		} catch (error) {
			trouble = isBridgeError(error) ? `${error.code}: ${error.message}` : toError(error).message;
			dueTimes.set(keyOf(source), now() + Math.min(intervalMillis, longestRetryMillis) * (0.9 + 0.1 * random()));
		}
		if (!stopping.signal.aborted && (troubles.get(keyOf(source)) ?? '') !== trouble) onTrouble(source, trouble);
		troubles.set(keyOf(source), trouble);
		return {source: source.source, target: source.target, systems: found.map(({system}) => systemLabel(system)), trouble};
	}

	async function noteCollected(records: InventoryRecords, source: InventorySource, found: readonly Kept[]): Promise<void> {
		await records.writeSetting(collectedSetting(source), collectedNow());
		await forgetReplaced(records, source, found);
	}

	/** With what was asked for: who asks for more and starts the bridge again gets it at once. */
	const asked = [...sections].sort().join(',');
	const collectedNow = () => `${now()} ${asked}`;
	const collectedAt = (text: string | undefined): number | undefined => {
		const [at, what] = text?.split(' ') ?? [];
		return what === asked && Number(at) <= now() ? Number(at) : undefined;
	};

	/** Also of a source that does not listen to its signal the bridge is free in time. */
	async function collectWithin(source: InventorySource): Promise<readonly Collected[]> {
		const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(timeoutMillis)]);
		const {promise: aborted, reject} = Promise.withResolvers<never>();
		const onAbort = () =>
			reject(new BridgeError('ERR_REPLY_TIMEOUT', `${targetName(source)} took more than ${timeoutMillis / 1000} s`));
		signal.addEventListener('abort', onAbort, {once: true});
		try {
			return await Promise.race([source.collect(sections, signal), aborted]);
		} finally {
			signal.removeEventListener('abort', onAbort);
		}
	}

	async function keep(source: InventorySource, system: System, found: Collected['inventory']): Promise<Kept> {
		const inventory = bounded(found);
		const setting = inventorySetting(system, inventory.source);
		const kept = await write(async records => {
			const before = readInventoryState(await records.readSetting(setting));
			const state = stateAfter(before, system, inventory, {target: source.target, now: now()});
			await records.removeSubmissionsUnder('inventory', inventoryPrefix(system, inventory.source));
			await records.offer(inventorySubmission(system, inventory, now()));
			await records.writeSetting(setting, JSON.stringify(state));
			return {system, state, isNew: before?.digest !== state.digest, isFirst: before === undefined};
		});
		onKept(kept);
		return kept;
	}

	async function collectAll(wanted: readonly InventorySource[]): Promise<readonly CollectedTarget[]> {
		const waiting = [...wanted];
		const ended: CollectedTarget[] = [];
		const work = async () => {
			for (let source = waiting.shift(); source && !stopping.signal.aborted; source = waiting.shift())
				ended.push(await collect(source));
		};
		await Promise.all(Array.from({length: mostAtOnce}, work));
		return ended;
	}

	/** A clock that was set back makes nothing wait for longer than an interval. */
	const isDue = (source: InventorySource) => {
		const at = dueTimes.get(keyOf(source)) ?? 0;
		return at <= now() || at - now() > intervalMillis;
	};

	async function look() {
		await collectAll(sources.filter(isDue));
		if (!stopping.signal.aborted) timer = setTimeout(again, pauseMillis());
	}
	function again() {
		looking = look();
	}

	function pauseMillis(): number {
		const next = Math.min(...dueTimes.values()) - now();
		return Math.min(Math.max(next, 100), longestPauseMillis, intervalMillis);
	}

	return {
		name: 'inventory',
		async start() {
			for (const source of sources) {
				const last = collectedAt(await write(records => records.readSetting(collectedSetting(source))));
				const soon = now() + random() * Math.min(spreadMillis, intervalMillis / 10);
				dueTimes.set(keyOf(source), last === undefined ? soon : Math.max(soon, last + intervalMillis));
			}
			if (!stopping.signal.aborted && sources.length > 0) timer = setTimeout(again, pauseMillis());
		},
		async collectNow(named) {
			return collectAll(sourcesNamed(sources, named));
		},
		async shutdown() {
			stopping.abort();
			clearTimeout(timer);
			await looking;
			await Promise.all(underWay.values());
		},
	};
}

/**
A machine that was replaced, or whose serial number was corrected, is not waited for. One of several behind a target that
merely did not answer is: so only where as many are new as are missing.
*/
async function forgetReplaced(records: InventoryRecords, {source, target}: InventorySource, found: readonly Kept[]) {
	const isFound = (label: string) => found.some(({state}) => state.label === label);
	const missing = [...(await records.readSettingsUnder(inventorySettings))].filter(([, text]) => {
		const state = readInventoryState(text);
		return state?.source === source && state.target === target && !isFound(state.label);
	});
	if (found.filter(({isFirst}) => isFirst).length < missing.length) return;
	for (const [name] of missing) await records.removeSetting(inventorySettings + name);
}

/** Those of this source, of this target, or of both. */
export function sourcesNamed(sources: readonly InventorySource[], named: string): readonly InventorySource[] {
	if (named === '') return sources;
	const wanted = sources.filter(source => [source.source, source.target, targetName(source)].includes(named));
	if (wanted.length > 0) return wanted;
	const known = sources.map(source => `"${targetName(source)}"`).join(', ');
	throw new BridgeError('ERR_NOT_FOUND', `nothing to collect from is named "${named}": there is ${known || 'nothing'}`);
}

/** Who reads it knows what to add. */
function advice(resource: Attributes): string {
	const name = resource['host.name'];
	const match = typeof name === 'string' ? `match: {host.name: ${name}}` : 'match: its resource attributes';
	return `the machine ${typeof name === 'string' ? name : 'behind it'} is not known: add it under systems with ${match}`;
}
