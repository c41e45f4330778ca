import {execFile} from 'node:child_process';
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {settingsOf} from './bridge.ts';
import {issue, makeAuthority} from './certificates.ts';
import {temporaryDirectory} from './listen.ts';
import {startSandbox} from './sandbox.ts';
import {listenTls} from './tls-server.ts';

export const cli = join(import.meta.dirname, '../../src/cli.ts');
export const password = 'hunter2-@:%';
export const secretUrl = (port: number, scheme = 'http') => `${scheme}://user:${encodeURIComponent(password)}@127.0.0.1:${port}`;
export const secrets = [password, encodeURIComponent(password), Buffer.from(`user:${password}`).toString('base64')];

export type Ran = {readonly code: number; readonly stdout: string; readonly stderr: string};

/** Runs `callhome test …`. */
export const runTest = (args: readonly string[], cwd?: string): Promise<Ran> =>
	new Promise(resolve => {
		execFile(process.execPath, [cli, 'test', ...args], {cwd, timeout: 60_000}, (error, stdout, stderr) =>
			resolve({code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr}),
		);
	});

/** A sandbox in place of IBM, known as localhost, and an upload server with a certificate of an authority of its own. */
export async function startIbm(t: ExecutionContext) {
	const sandbox = await startSandbox(t);
	const foreign = await issue(await makeAuthority('Some other CA'), {commonName: 'localhost', hosts: ['localhost']});
	const uploads = await listenTls(t, foreign, (_request, response) => response.end());
	const port = Number(sandbox.url().port);
	return {
		sandbox,
		port,
		api: `localhost:${port}`,
		uploads: uploads.host,
		settings: {
			exporter: {
				call_home_connect: {
					customer_number: '1234567',
					endpoint: `https://localhost:${port}/connect/api/v1`,
					ca_file: sandbox.caFile,
				},
			},
			destinations: {extended_error_data: [{host: 'localhost', port: Number(uploads.port)}]},
		},
	};
}

export async function writeConfig(t: ExecutionContext, settings: Record<string, unknown>): Promise<string> {
	const directory = await temporaryDirectory(t);
	const file = join(directory, 'callhome.yaml');
	writeFileSync(file, JSON.stringify(settingsOf(directory, settings)));
	return file;
}
