import {once} from 'node:events';
import {join} from 'node:path';
import type {Config} from '../config.ts';
import {sandboxSchema} from '../sandbox/config.ts';
import {createSandbox} from '../sandbox/server.ts';

export type SandboxOptions = {readonly listen?: string; readonly mode?: string; readonly caseDelay?: string};

/** Runs the stand-in for IBM alone, until SIGINT or SIGTERM. */
export async function runSandbox(config: Config, {listen, mode, caseDelay}: SandboxOptions, asJson: boolean): Promise<void> {
	const given = {
		...(listen === undefined ? {endpoint: '127.0.0.1:5025'} : {endpoint: listen}),
		...(mode === undefined ? {} : {mode}),
		...(caseDelay === undefined ? {} : {case_delay: caseDelay}),
	};
	const sandbox = createSandbox({...sandboxSchema.parse(given), directory: join(config.store.directory, 'sandbox')});
	// Before anything says that it runs: who reads that may end it at once.
	const ending = Promise.race(['SIGINT', 'SIGTERM'].map(name => once(process, name)));
	await sandbox.start();
	const url = sandbox.url();
	const control = new URL('/sandbox/', url).href;
	const lines = [
		`Sandbox: a stand-in for IBM's event API at ${url.href}`,
		`  CA            ${sandbox.caFile}`,
		`  Received      ${control}received`,
		`  Cases         ${control}cases`,
		`  Mode          ${control}mode (GET, or PUT {"mode": "unavailable", "count": 3})`,
	];
	process.stdout.write(
		asJson ? `${JSON.stringify({url: url.href, ca_file: sandbox.caFile, control})}\n` : `${lines.join('\n')}\n`,
	);
	await ending;
	await sandbox.shutdown();
}
