import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {temporaryDirectory} from './listen.ts';
import {requiredPeer} from './peer-binaries.ts';
import {type Program, startProgram} from './program.ts';

export type Collector = {
	/** Its working directory, kept over a restart: queues of file_storage may lie here. */
	readonly directory: string;
	/** Everything it logged, over all its lives. */
	logs(): string;
	/** Resolves when the present life has logged the text. */
	waitFor(text: string | RegExp, options?: {timeoutMillis?: number}): Promise<void>;
	stop(signal?: NodeJS.Signals): Promise<void>;
	/** Starts it again with the same configuration in the same directory, after `stop`. */
	restart(): Promise<void>;
};

export type CollectorOptions = {
	readonly env?: Readonly<Record<string, string>>;
	/** Where it works; a temporary directory otherwise. */
	readonly directory?: string;
};

/** YAML, or an object with the same keys. Of several, the later ones override keys of the earlier. */
export type CollectorConfig = string | object;

/**
A real OpenTelemetry Collector, ready to receive when this resolves; gone when the test ends. Its own metrics are off unless
the configuration says otherwise: their default port is fixed.
*/
export async function startCollector(
	t: ExecutionContext,
	config: CollectorConfig | readonly CollectorConfig[],
	{env, directory: given}: CollectorOptions = {},
): Promise<Collector> {
	const directory = given ?? (await temporaryDirectory(t));
	const args = ['--config', 'yaml:service::telemetry::metrics::level: none'];
	for (const [index, layer] of [config].flat().entries()) {
		const file = join(directory, `collector-${index}.yaml`);
		await writeFile(file, typeof layer === 'string' ? layer : JSON.stringify(layer)); // JSON is YAML, too.
		args.push('--config', file);
	}
	async function start(): Promise<Program> {
		const program = await startProgram(t, requiredPeer('otelcol'), args, {cwd: directory, env});
		await program.waitFor('Everything is ready');
		return program;
	}
	let present = await start();
	let earlierLogs = '';
	return {
		directory,
		logs: () => earlierLogs + present.output(),
		waitFor: (text, options) => present.waitFor(text, options),
		async stop(signal) {
			await present.stop(signal);
		},
		async restart() {
			earlierLogs += present.output();
			present = await start();
		},
	};
}
