import {setTimeout as pause} from 'node:timers/promises';
import type {SandboxCase} from '../../src/sandbox/cases.ts';
import {sandboxSchema} from '../../src/sandbox/config.ts';
import {createSandbox, type Sandbox} from '../../src/sandbox/server.ts';
import type {Random} from './random.ts';

/** Chaos without a list draws what a client that repeats is served after in the end: no final refusals. */
const hostility = 0.4;
/** Longer than the bridge waits for a reply. */
const slowMillis = 2500;

/** The sandbox over all its rounds: each is a new start on the same port and the same books. */
export type Backend = {
	readonly url: URL;
	readonly caFile: string;
	cases(): readonly SandboxCase[];
	/** Resolves when one more case is open. */
	nextCase(signal: AbortSignal): Promise<void>;
	/** Starts the sandbox anew. Without duplicate detection a message that comes twice opens a second case. */
	nextRound(duplicateDetection: boolean): Promise<void>;
	/** From now on it behaves. */
	calm(): void;
	shutdown(): Promise<void>;
};

export async function openBackend(directory: string, port: number, random: Random): Promise<Backend> {
	let present = await open(false);

	async function open(duplicateDetection: boolean): Promise<Sandbox> {
		const config = {endpoint: `127.0.0.1:${port}`, case_delay: '300ms', duplicate_detection: duplicateDetection};
		const sandbox = createSandbox({...sandboxSchema.parse(config), directory}, Date.now, random.fork().next);
		await sandbox.start();
		sandbox.setMode('chaos', {
			probability: hostility,
			delayMillis: slowMillis,
			...(random.chance(0.5) && {retryAfterSeconds: 1}),
		});
		return sandbox;
	}

	return {
		url: present.url(),
		caFile: present.caFile,
		cases: () => present.cases(),
		async nextCase(signal) {
			const known = present.cases().length;
			while (!signal.aborted && present.cases().length <= known) await pause(2);
		},
		async nextRound(duplicateDetection) {
			await present.shutdown();
			present = await open(duplicateDetection);
		},
		calm: () => present.setMode('normal'),
		shutdown: () => present.shutdown(),
	};
}
