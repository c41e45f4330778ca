import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import type {ExecutionContext} from 'ava';
import {settingsOf} from './bridge.ts';
import {temporaryDirectory} from './listen.ts';
import {startProgram} from './program.ts';

const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));

export type BridgeProcess = {
	readonly otlp: URL;
	readonly metrics: URL;
	readonly stop: (signal?: NodeJS.Signals) => Promise<unknown>;
};

/** A bridge as a process of its own: one process has one meter. */
export async function startBridgeProcess(t: ExecutionContext, settings: Record<string, unknown> = {}): Promise<BridgeProcess> {
	const directory = await temporaryDirectory(t);
	const file = join(directory, 'callhome.yaml');
	await writeFile(file, JSON.stringify(settingsOf(directory, settings)));
	const program = await startProgram(t, process.execPath, [cli, 'run', '--config', file, '--json']);
	await program.waitFor('"ready":true', {timeoutMillis: 60_000});
	const line = program.output().split('\n');
	const {urls} = JSON.parse(line.find(text => text.includes('"ready":true')) ?? '') as {urls: {otlp: string; metrics: string}};
	return {stop: program.stop, otlp: new URL(urls.otlp), metrics: new URL(urls.metrics)};
}
