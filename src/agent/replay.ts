import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {Config} from '../config.ts';
import {isBridgeError, toError} from '../errors.ts';
import type {Decision, HardwareEvent} from '../event.ts';
import type {Problem} from '../problem.ts';
import {createClassify} from '../processors/classify.ts';
import {createExclusion} from '../processors/exclusion.ts';
import {createIdentify} from '../processors/identify.ts';
import {createIntake} from '../processors/intake.ts';
import {releaseDue} from '../processors/release.ts';
import {createReaders, type Reader} from '../receivers/otlp/reading.ts';
import {linesOf} from '../receivers/recorded/lines.ts';
import {readSelLine} from '../receivers/recorded/sel-dump.ts';
import {isTrapHead, readTrap} from '../receivers/recorded/trap-log.ts';
import {openStore, type Store} from '../store/store.ts';
import {policyWithoutBackend} from './policy.ts';

export type BadLine = {readonly line: number; readonly message: string};

export type Replayed = {
	readonly lines: number;
	readonly events: number;
	readonly decisions: Readonly<Partial<Record<Decision, number>>>;
	/** As they stand at the time of the last event, the newest first. */
	readonly problems: readonly Problem[];
	readonly badLines: number;
	/** The first of them. */
	readonly bad: readonly BadLine[];
};

const mostBad = 100;
const batchSize = 500;

/** The machine's name for recordings that name none. */
export type ReplayOptions = {readonly host: string; readonly onProgress?: (lines: number, bytes: number) => void};

/**
Runs recorded signals through the rules of the configuration, in a store of its own that is deleted afterwards. Nothing is sent:
there is nothing that could. The clock is the recording's, and does not go back.
*/
export async function replay(config: Config, file: string, options: ReplayOptions): Promise<Replayed> {
	const directory = await mkdtemp(join(tmpdir(), 'callhome-replay-'));
	const store = await openStore({directory, onFailure: () => {}, onSetAside: () => {}});
	try {
		return await replayInto(store, config, file, options);
	} finally {
		await store.close();
		await rm(directory, {recursive: true, force: true});
	}
}

async function replayInto(store: Store, config: Config, file: string, {host, onProgress}: ReplayOptions): Promise<Replayed> {
	const clock = {now: 0};
	const policy = policyWithoutBackend(config);
	const decisions: Partial<Record<Decision, number>> = {};
	const intake = createIntake({
		identify: createIdentify(config.systems),
		classify: createClassify(config.processors.serviceability, createExclusion(config.processors.exclude)),
		policy,
		write: store.write,
		levels: new Map(),
		beginTrace: () => undefined,
		onDecided: decided => {
			for (const {decision} of decided) decisions[decision] = (decisions[decision] ?? 0) + 1;
		},
		now: () => clock.now,
	});
	const read = createLineReader(config, host);
	const counted = {lines: 0, events: 0, badLines: 0};
	const bad: BadLine[] = [];
	let batch: HardwareEvent[] = [];
	const refuse = (line: number, message: string) => {
		if (++counted.badLines <= mostBad) bad.push({line, message});
	};
	const flush = async () => {
		for (const events of byTime(batch)) {
			clock.now = Math.max(clock.now, ...events.map(({occurredAt}) => occurredAt));
			await store.write(records => releaseDue(records, policy, clock.now));
			await intake(events);
		}
		batch = [];
	};
	for await (const {number, text, isTooLong, bytesRead} of linesOf(file)) {
		counted.lines = number;
		try {
			const events = isTooLong ? 'the line is too long' : read(text);
			if (typeof events === 'string') refuse(number, events);
			else batch.push(...events);
			if (typeof events !== 'string') counted.events += events.length;
		} catch (error) {
			if (!isBridgeError(error)) throw error;
			refuse(number, toError(error).message);
		}
		if (batch.length >= batchSize) await flush();
		onProgress?.(number, bytesRead);
	}
	await flush();
	return {...counted, decisions, problems: await store.read.listProblems({limit: 10_000}), bad};
}

/** Steps of a minute at the most: what ends by time ends between them. */
function byTime(events: readonly HardwareEvent[]): readonly HardwareEvent[][] {
	const groups: HardwareEvent[][] = [];
	let start = Number.NEGATIVE_INFINITY;
	for (const event of events) {
		const last = groups.at(-1);
		if (last && Math.abs(event.occurredAt - start) < 60_000) last.push(event);
		else {
			groups.push([event]);
			start = event.occurredAt;
		}
	}
	return groups;
}

const kinds = [
	['"resourceLogs"', 'logs'],
	['"resourceMetrics"', 'metrics'],
	['"resourceSpans"', 'traces'],
] as const;

/** A line is one OTLP request in JSON, one line of a SEL dump, or one of the two of a trap. A text is what is wrong with it. */
function createLineReader(config: Config, host: string): (text: string) => readonly HardwareEvent[] | string {
	const readers = createReaders(config.selection);
	let heading: string | undefined;
	let latest = Date.now(); // An entry without a time came after the one before it.
	return function read(text) {
		const before = heading;
		heading = undefined;
		if (text.trim() === '' || text.trim() === 'SEL has no more entries') return [];
		if (text.trimStart().startsWith('{')) {
			const signal = kinds.find(([key]) => text.includes(key))?.[1];
			return signal
				? readRequest(readers[signal].json, text)
				: 'JSON, but no OTLP request: expected resourceLogs or resourceMetrics';
		}
		if (isTrapHead(text)) {
			heading = text;
			return [];
		}
		const event = before === undefined ? readSelLine(text, host, latest) : readTrap(before, text, Date.now());
		if (event) latest = event.occurredAt;
		if (event) return [event];
		return before === undefined ? 'neither OTLP in JSON, nor a SEL entry, nor a trap' : 'a trap that is no alert of an IMM';
	};
}

function readRequest(reader: Reader, text: string): readonly HardwareEvent[] | string {
	const {events, malformed, malformedMessage} = reader(Buffer.from(text), Date.now());
	return malformed > 0 && events.length === 0 ? malformedMessage : events;
}
