import {spawn} from 'node:child_process';
import {clean} from './alert.ts';
import {codeOf} from './tree.ts';

/** What became of one run. Whatever a tool does is expected: nothing is thrown. */
export type ToolRun =
	| {
			readonly status: 'ended';
			/** 128 and more: a signal ended it. */
			readonly exitCode: number;
			readonly stdout: string;
			readonly stderr: string;
			/** It had more to say than is read; it was ended. */
			readonly truncated: boolean;
	  }
	| {readonly status: 'absent' | 'forbidden' | 'slow' | 'stopped'; readonly reason: string};

export type ToolOptions = {
	readonly timeoutMillis: number;
	readonly signal: AbortSignal;
	readonly mostBytes?: number;
	/** Beside PATH and a locale; the place for what must not stand in a list of processes. */
	readonly environment?: Readonly<Record<string, string>>;
};

export type RunTool = (file: string, args: readonly string[], options: ToolOptions) => Promise<ToolRun>;

const mostErrorBytes = 16 * 1024;
/** Tools of the administrator are not in the path of everybody. */
const path = () => `${process.env.PATH ?? '/usr/bin:/bin'}:/usr/local/sbin:/usr/sbin:/sbin`;

/**
Runs a tool with a bound on its time and on its output. It leads a process group of its own, so that what it has started ends
with it.
*/
export const runTool: RunTool = (file, args, {timeoutMillis, signal, mostBytes = 8 * 1024 * 1024, environment = {}}) =>
	new Promise(resolve => {
		if (signal.aborted) return resolve({status: 'stopped', reason: `${file} was not started: the bridge ends`});
		const child = spawn(file, args, {
			detached: true,
			stdio: ['ignore', 'pipe', 'pipe'],
			env: {PATH: path(), LC_ALL: 'C', TZ: 'UTC', ...environment},
		});
		const stdout = collect(mostBytes, () => end());
		const stderr = collect(mostErrorBytes, () => {});
		child.stdout.on('data', stdout.add);
		child.stderr.on('data', stderr.add);
		let early: ToolRun | undefined;

		function end(reason?: ToolRun) {
			early ??= reason;
			try {
				if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
			} catch {
				// It has ended by itself.
			}
		}
		const slow: ToolRun = {status: 'slow', reason: `${file} did not end within ${timeoutMillis / 1000} s and was killed`};
		const timer = setTimeout(() => end(slow), timeoutMillis);
		const stop = () => end({status: 'stopped', reason: `${file} was ended: the bridge ends`});
		signal.addEventListener('abort', stop, {once: true});

		function settle(run: ToolRun) {
			clearTimeout(timer);
			signal.removeEventListener('abort', stop);
			resolve(run);
		}
		child.on('error', error => settle(notStarted(file, error)));
		// What it has left behind must not outlive it, nor hold its output open.
		child.on('exit', () => end());
		child.on('close', (code, ending) => {
			const exitCode = code ?? (ending === null ? 128 : 137);
			settle(early ?? {status: 'ended', exitCode, stdout: stdout.text(), stderr: stderr.text(), truncated: stdout.isFull()});
		});
	});

function notStarted(file: string, error: unknown): ToolRun {
	const code = codeOf(error);
	if (code === 'ENOENT') return {status: 'absent', reason: `${file} is not installed`};
	return {status: 'forbidden', reason: `${file} cannot be started (${code || String(error)})`};
}

function collect(most: number, onFull: () => void) {
	const chunks: Buffer[] = [];
	let length = 0;
	let full = false;
	return {
		add(chunk: Buffer) {
			if (full) return;
			full = length + chunk.length > most;
			chunks.push(chunk.subarray(0, most - length));
			length += chunk.length;
			if (full) onFull();
		},
		text: () => Buffer.concat(chunks).toString('utf8'),
		isFull: () => full,
	};
}

/** The last line that a tool complained with: one that says more than its exit code. */
export const complaintOf = (stderr: string): string => clean(stderr.split('\n').findLast(line => line.trim() !== '') ?? '', 300);
