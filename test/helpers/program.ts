import {spawn} from 'node:child_process';
import {once} from 'node:events';
import type {ExecutionContext} from 'ava';
import {eventually} from './listen.ts';

export type ProgramOptions = {
	readonly cwd?: string;
	/** Added to this environment. */
	readonly env?: Readonly<Record<string, string>> | undefined;
	/** Written to its standard input, which is then closed. */
	readonly input?: string;
};

export type Program = {
	readonly pid: number;
	/** Standard output and standard error so far, in the order in which they came. */
	output(): string;
	/** Resolves when the output contains the text, from the character `from` on; rejects when the program ends before. */
	waitFor(text: string | RegExp, options?: {timeoutMillis?: number; from?: number}): Promise<void>;
	/** The exit code, or the signal that ended it. */
	readonly ended: Promise<number | NodeJS.Signals>;
	/** Sends the signal and resolves when the program is gone; after half a minute it is killed. */
	stop(signal?: NodeJS.Signals): Promise<number | NodeJS.Signals>;
};

/** Starts a program of the operating system; it is gone when the test ends. */
export async function startProgram(
	t: ExecutionContext,
	file: string,
	args: readonly string[],
	options: ProgramOptions = {},
): Promise<Program> {
	const child = spawn(file, args, {cwd: options.cwd, env: {...process.env, ...options.env}, stdio: 'pipe'});
	let output = '';
	for (const stream of [child.stdout, child.stderr]) {
		stream.setEncoding('utf8').on('data', (text: string) => {
			output += text;
		});
	}
	child.stdin.on('error', () => {}); // It may be gone before it has read its input.
	child.stdin.end(options.input);
	const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
	let endedWith: number | NodeJS.Signals | undefined;
	ended.then(
		result => {
			endedWith = result;
		},
		() => {},
	);
	await once(child, 'spawn'); // Rejects when the file cannot be started.

	const stop = async (signal: NodeJS.Signals = 'SIGTERM') => {
		child.kill(signal);
		const patience = setTimeout(() => child.kill('SIGKILL'), 30_000);
		try {
			return await ended;
		} finally {
			clearTimeout(patience);
		}
	};
	t.teardown(stop);

	const waitFor = async (text: string | RegExp, {timeoutMillis = 30_000, from = 0} = {}) => {
		const isThere = () => (typeof text === 'string' ? output.slice(from).includes(text) : text.test(output.slice(from)));
		const found = await eventually(() => isThere() || endedWith !== undefined, {timeoutMillis}).catch(() => false);
		if (isThere()) return;
		const reason = found
			? `${file} ended with ${endedWith} before it printed`
			: `${file} did not print within ${timeoutMillis} ms`;
		throw new Error(`${reason} ${text}\n${output.slice(-4000)}`);
	};
	return {pid: child.pid ?? 0, output: () => output, waitFor, ended, stop};
}
