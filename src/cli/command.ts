import {type Command, InvalidArgumentError} from 'commander';
import {loadConfig} from '../config.ts';
import {openStoreForReading, type Records} from '../store/store.ts';
import {type Output, print} from './print.ts';

/** What every command takes. */
export type Shared = {readonly config?: string; readonly json?: boolean};

/** Every command takes --config and --json. */
export function command(parent: Command, name: string, description: string): Command {
	return parent
		.command(name)
		.description(description)
		.option('--config <file>', 'configuration file (default: ./callhome.yaml, or else the embedded defaults with the sandbox)')
		.option('--json', 'print JSON');
}

/** A number for --limit. */
export const count = (text: string): number => {
	const number = Number(text);
	if (!Number.isInteger(number) || number < 1 || number > 100_000)
		throw new InvalidArgumentError('It must be a number from 1 to 100000.');
	return number;
};

/** Prints what a command has found, and sets the exit code. */
export async function show(output: Promise<Output> | Output, {json = false}: Shared): Promise<void> {
	const {exitCode = 0, ...rest} = await output;
	print({...rest}, json);
	process.exitCode = exitCode;
}

/** Opens the store of the configured directory for reading. */
export async function reading(shared: Shared, ask: (read: Records) => Promise<Output>): Promise<void> {
	const {read, close} = openStoreForReading(loadConfig(shared.config).config.store.directory);
	try {
		await show(ask(read), shared);
	} finally {
		await close();
	}
}
