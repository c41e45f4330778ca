import {mkdirSync, watch} from 'node:fs';
import {basename, dirname} from 'node:path';
import type {Component} from '../../component.ts';
import {toError} from '../../errors.ts';
import type {Attributes} from '../../event.ts';
import type {Reading, SourceParts, TargetState} from '../../source.ts';
import {type Finding, toEvent} from './alert.ts';

/** What one look at a source brought. */
export type Look =
	/** It does not apply here, cannot be read now, or waits for a person; why, and what would help. */
	| {readonly status: 'absent' | 'failing' | 'stopped'; readonly reason: string}
	| {
			readonly status: 'read';
			readonly findings: readonly Finding[];
			readonly readings?: readonly Reading[];
			/** Moves the marks on. Called when the findings are on disk. */
			readonly settle?: () => Promise<void>;
			/** There is more than one look reads: it is read at once. */
			readonly more?: boolean;
			/** What could not be read beside what was. */
			readonly trouble?: string;
	  };

export type HostSource = {
	/** Such as `edac`. */
	readonly name: string;
	/** A host or an address; this machine by default. */
	readonly target?: string;
	readonly intervalMillis: number;
	/** Files whose change is a reason to look at once. */
	readonly wakeOn?: readonly string[];
	/** In place of what names this machine. */
	readonly resource?: Attributes;
	readonly look: (signal: AbortSignal) => Promise<Look>;
	readonly close?: () => Promise<void>;
};

export type RunnerParts = SourceParts & {readonly identity: () => Promise<Attributes>};

const firstLookWithinMillis = 5000;
const longestPauseMillis = 3_600_000;
const mostAtOnce = 200;
const settleWakeMillis = 100;
/** Readings are shown for a quarter of an hour: those of a source that is read more seldom are told again. */
const tellAgainMillis = 5 * 60_000;

/** Looks at one source on its schedule, for ever: whatever it does, the next look comes. */
export function createRunner(source: HostSource, parts: RunnerParts): Component {
	const {onTarget, random = Math.random} = parts;
	const stopping = new AbortController();
	const name = `host/${source.name}`;
	const target = source.target ?? '';
	let timer: NodeJS.Timeout | undefined;
	let looking: Promise<void> | undefined;
	let failures = 0;
	let last: TargetState | undefined;
	let woken = false;
	let again = () => {};
	let telling: NodeJS.Timeout | undefined;
	let unwatch = () => {};

	function tell(state: TargetState['state'], reason: string) {
		if (last?.state === state && last.reason === reason) return;
		last = {source: name, target, state, reason};
		onTarget(last);
	}

	function plan(millis: number) {
		clearTimeout(timer);
		if (!stopping.signal.aborted) timer = setTimeout(() => (looking = turn()), millis);
	}

	async function turn() {
		timer = undefined;
		woken = false;
		let more = false;
		try {
			const look = await source.look(stopping.signal);
			if (stopping.signal.aborted) return;
			more = look.status === 'read' && look.more === true;
			again = look.status === 'read' ? await keep(look, source, name, parts) : () => {};
			const trouble = look.status === 'read' ? look.trouble : look.reason;
			tell(look.status === 'read' ? (trouble ? 'failing' : 'working') : look.status, trouble ?? '');
			failures = look.status === 'failing' ? failures + 1 : 0;
		} catch (error) {
			if (stopping.signal.aborted) return;
			failures++;
			tell('failing', toError(error).message);
		}
		plan(pauseAfter(more, woken));
	}

	function pauseAfter(more: boolean, isWoken: boolean): number {
		if (failures === 0 && (more || isWoken)) return more ? 0 : settleWakeMillis;
		const pause = Math.min(source.intervalMillis * 2 ** Math.min(failures, 10), longestPauseMillis);
		return Math.max(pause, source.intervalMillis) * (0.95 + 0.1 * random());
	}

	/** Several changes in a row are one; a change during a look is followed by another look. */
	function wake() {
		if (timer === undefined) woken = true;
		else if (failures === 0) plan(settleWakeMillis);
	}

	return {
		name: target === '' ? name : `${name} ${target}`,
		async start() {
			if (stopping.signal.aborted) return;
			unwatch = watchFiles(source.wakeOn ?? [], wake);
			if (source.intervalMillis > tellAgainMillis) telling = setInterval(() => again(), tellAgainMillis);
			plan(random() * Math.min(source.intervalMillis, firstLookWithinMillis));
		},
		async shutdown() {
			stopping.abort();
			clearTimeout(timer);
			clearInterval(telling);
			unwatch();
			await looking;
			await source.close?.();
		},
	};
}

/** On disk first, in small batches; the marks move on when all of it is there (G1). Returns what tells the readings again. */
async function keep(look: Look & {status: 'read'}, source: HostSource, name: string, parts: RunnerParts): Promise<() => void> {
	const {consume, measure, now = Date.now} = parts;
	const resource = {...(source.resource ?? (await parts.identity()))};
	const {readings} = look;
	const tellReadings = () => {
		if (readings) measure(name, resource, readings, now());
	};
	tellReadings();
	for (let from = 0; from < look.findings.length; from += mostAtOnce) {
		const some = look.findings.slice(from, from + mostAtOnce);
		await consume(some.map(finding => toEvent(name, finding, resource, now())));
	}
	await look.settle?.();
	return tellReadings;
}

/** Watches the directories: a database is replaced by another file of its name, and a file may not be there yet. */
function watchFiles(files: readonly string[], wake: () => void): () => void {
	const watchers = files.flatMap(file => {
		try {
			const watcher = watch(dirname(file), (_kind, changed) => {
				if (changed === null || changed.startsWith(basename(file))) wake();
			});
			watcher.on('error', () => watcher.close());
			return [watcher];
		} catch {
			return []; // The schedule finds it.
		}
	});
	return () => {
		for (const watcher of watchers) watcher.close();
	};
}

/** The directory of a file that others touch. A failure shows where the file is needed. */
export function makeDirectoryOf(file: string): void {
	try {
		mkdirSync(dirname(file), {recursive: true});
	} catch {
		// Whoever touches the file is told by the system.
	}
}
