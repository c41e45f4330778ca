import {execFile} from 'node:child_process';
import {fileURLToPath} from 'node:url';

/** The program of the command line. */
export const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));

export type Ran = {readonly code: number; readonly stdout: string; readonly stderr: string};

/** What a program printed, and its exit code; 0 also when a signal ended it. */
export const run = (file: string, args: readonly string[], cwd?: string): Promise<Ran> =>
	new Promise(resolve => {
		execFile(file, args, {timeout: 120_000, cwd, maxBuffer: 64 * 1024 ** 2}, (error, stdout, stderr) =>
			resolve({code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr}),
		);
	});

export const callhome = (...args: readonly string[]): Promise<Ran> => run(process.execPath, [cli, ...args]);
