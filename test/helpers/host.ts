import {mkdir, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {BridgeError} from '../../src/errors.ts';
import type {HardwareEvent} from '../../src/event.ts';
import {type HostReceiverConfig, hostReceiverSchema} from '../../src/receivers/host/config.ts';
import {createHostReceiver} from '../../src/receivers/host/receiver.ts';
import type {Reading, SourceParts, TargetState} from '../../src/source.ts';
import {eventually, temporaryDirectory} from './listen.ts';

const sources = ['edac', 'ras_database', 'kernel_log', 'smart', 'nvme', 'hwmon', 'ipmi', 'servicelog'] as const;
type Name = (typeof sources)[number];

/** Writes files below a directory: the kernel's file systems are made of nothing else. */
export async function plant(directory: string, files: Readonly<Record<string, string | number>>): Promise<void> {
	for (const [path, text] of Object.entries(files)) {
		const file = join(directory, path);
		await mkdir(dirname(file), {recursive: true});
		await writeFile(file, `${text}\n`);
	}
}

/** A program that does what a tool may do. */
export async function script(directory: string, name: string, body: string): Promise<string> {
	const file = join(directory, name);
	await writeFile(file, `#!/bin/sh\n${body}\n`, {mode: 0o755});
	return file;
}

export type HostStage = {
	readonly directory: string;
	readonly marks: Map<string, string>;
	readonly events: HardwareEvent[];
	readonly states: TargetState[];
	readonly logged: string[];
	/** The latest readings of each source. */
	readonly readings: Map<string, readonly Reading[]>;
	/** While true, nothing can be kept. */
	refuses: boolean;
	now: () => number;
	/** Only the sources that are named; each looks again and again within moments. */
	start(settings: Partial<Record<Name, object>>, timeout?: string): Promise<{stop(): Promise<void>}>;
	/** How the source does that changed last. */
	state(): string;
};

/** A machine that is a directory, and a bridge of which only the receiver is real. */
export async function hostStage(t: ExecutionContext): Promise<HostStage> {
	const directory = await temporaryDirectory(t);
	await plant(directory, {
		'machine-id': '0123456789abcdef0123456789abcdef',
		'proc/sys/kernel/random/boot_id': 'boot-1',
		'proc/stat': `cpu 1 2 3\nbtime ${Math.floor(Date.now() / 1000) - 1000}`,
	});
	const stage: HostStage = {
		directory,
		marks: new Map(),
		events: [],
		states: [],
		logged: [],
		readings: new Map(),
		refuses: false,
		now: Date.now,
		async start(settings, timeout) {
			const receiver = createHostReceiver(configOf(directory, settings, timeout), partsOf(stage));
			await receiver.start();
			const stop = () => receiver.shutdown();
			t.teardown(stop);
			return {stop};
		},
		state: () => stage.states.at(-1)?.state ?? '',
	};
	return stage;
}

export function configOf(directory: string, settings: Partial<Record<Name, object>>, timeout = '20s'): HostReceiverConfig {
	const roots = Object.fromEntries(['sys', 'proc', 'dev'].map(root => [root, join(directory, root)]));
	const others = Object.fromEntries(sources.map(name => [name, settings[name] ?? false]));
	const config = hostReceiverSchema.parse({
		roots: {...roots, machine_id: join(directory, 'machine-id')},
		timeout,
		...others,
	});
	if (!config) throw new Error('the receiver is switched off');
	const soon = Object.fromEntries(sources.map(name => [name, {...config[name], interval: 40}]));
	return {...config, ...soon};
}

const partsOf = (stage: HostStage): SourceParts => ({
	async consume(events) {
		if (stage.refuses) throw new BridgeError('ERR_STORE_FULL', 'the disk is full');
		const known = new Set(stage.events.map(({id}) => id));
		const news = events.filter(({id}) => !known.has(id));
		stage.events.push(...news);
		return events.map(event => (news.includes(event) ? 'first' : 'repeated'));
	},
	measure: (source, _resource, readings) => stage.readings.set(source, readings),
	marks: {
		read: async key => stage.marks.get(key),
		write: async (key, value) => {
			stage.marks.set(key, value);
		},
	},
	onTarget: state => stage.states.push(state),
	log: (_level, text) => stage.logged.push(text),
	now: () => stage.now(),
	random: () => 0,
});

/** What the receiver said of a part, as text. */
export const told = ({events}: HostStage): string[] =>
	events.map(
		({attributes}) =>
			`${attributes['hw.id']} ${attributes['hw.state'] ?? 'told'}${attributes['error.type'] ? ` ${attributes['error.type']}` : ''}`,
	);

export const eventsCome = (stage: HostStage, count: number): Promise<unknown> =>
	eventually(() => stage.events.length >= count, {timeoutMillis: 30_000});

export const stateIs = (stage: HostStage, state: TargetState['state']): Promise<unknown> =>
	eventually(() => stage.state() === state, {timeoutMillis: 30_000});

/** The value of a reading of the latest look. */
export function readingOf(stage: HostStage, source: string, metric: string, attributes: object): number | undefined {
	const wanted = Object.entries(attributes);
	return stage.readings
		.get(`host/${source}`)
		?.find(reading => reading.metric === metric && wanted.every(([key, value]) => reading.attributes[key] === value))?.value;
}
