import {Command, CommanderError, InvalidArgumentError, Option} from 'commander';
import {loadConfig, readConfig} from '../config.ts';
import {type BridgeErrorCode, isBridgeError, toError} from '../errors.ts';
import {packageVersion} from '../own-telemetry/resource.ts';
import {openStoreForReading, type Records} from '../store/store.ts';
import {type ActivityOptions, activity} from './activity.ts';
import {checkConfig} from './config-check.ts';
import {type Output, print} from './print.ts';
import {type ListOptions, listProblems, showProblem} from './problem.ts';
import type {SandboxOptions} from './sandbox.ts';
import {status} from './status.ts';

/** ESA's exit codes, where it has one for the case. */
const exitCodes: Partial<Record<BridgeErrorCode, number>> = {
	ERR_NOT_FOUND: 37,
	ERR_USAGE: 42,
	ERR_CONFIG: 17,
	ERR_ALREADY_RUNNING: 43,
};
const unexpected = 9;
const commanderExitCodes: Record<string, number> = {
	'commander.unknownCommand': 5,
	'commander.unknownOption': 10,
	'commander.missingArgument': 14,
	'commander.optionMissingArgument': 19,
	'commander.invalidArgument': 42,
	'commander.excessArguments': 42,
};

type Shared = {readonly config?: string; readonly json?: boolean};

const program = new Command('callhome')
	.description('Call home for IBM hardware, as a plug-in for OpenTelemetry, Prometheus and Grafana.')
	.version(packageVersion())
	.exitOverride()
	.showHelpAfterError('(--help shows how)');

/** Every command takes --config and --json. */
function command(parent: Command, name: string, description: string): Command {
	return parent
		.command(name)
		.description(description)
		.option('--config <file>', 'configuration file (default: ./callhome.yaml, or else the embedded defaults with the sandbox)')
		.option('--json', 'print JSON');
}

const group = (name: string, description: string): Command => program.command(name).description(description);

const count = (text: string): number => {
	const number = Number(text);
	if (!Number.isInteger(number) || number < 1 || number > 100_000)
		throw new InvalidArgumentError('It must be a number from 1 to 100000.');
	return number;
};

async function show(output: Promise<Output> | Output, {json = false}: Shared): Promise<void> {
	const {exitCode = 0, ...rest} = await output;
	print({...rest}, json);
	process.exitCode = exitCode;
}

/** Opens the store of the configured directory for reading. */
async function reading(shared: Shared, ask: (read: Records) => Promise<Output>): Promise<void> {
	const {read, close} = openStoreForReading(loadConfig(shared.config).config.store.directory);
	try {
		await show(ask(read), shared);
	} finally {
		await close();
	}
}

command(program, 'run', 'run the bridge until SIGINT or SIGTERM').action(async (options: Shared) => {
	const {run} = await import('./run.ts');
	await run(loadConfig(options.config), options.json ?? false);
});

command(
	program,
	'status',
	'whether the bridge runs, and what works (exit code 0 running, 1 not running, 29 not activated)',
).action(async (options: Shared) => show(status(loadConfig(options.config).config), options));

const problem = group('problem', 'problems and their cases');
command(problem, 'list', 'list the problems, the newest first')
	.option('--state <state...>', 'only those in these states')
	.option('--limit <n>', 'at the most so many', count)
	.action(async (options: Shared & ListOptions) => reading(options, read => listProblems(read, options)));
command(problem, 'show', 'show a problem: what is known, each step of its journey, each byte that left')
	.argument('<id>', 'problem id or case number')
	.action(async (id: string, options: Shared) => reading(options, read => showProblem(read, id)));

command(program, 'activity', 'show the activity log')
	.option('--limit <n>', 'the newest so many (default: 100)', count)
	.option('--from <time>', 'not before, such as 2026-01-31T08:00:00Z')
	.option('--to <time>', 'not after')
	.option('--problem <id>', 'only of this problem')
	.action(async (options: Shared & ActivityOptions) => reading(options, read => activity(read, options)));

command(program, 'sandbox', "run the stand-in for IBM's event API alone")
	.option('--listen <host:port>', 'where (default: 127.0.0.1:5025)')
	.option('--case-delay <duration>', 'from acceptance to case number (default: 1s)')
	.addOption(new Option('--mode <mode>', 'how it behaves, such as normal, unavailable, lost_acknowledgement, chaos'))
	.action(async (options: Shared & SandboxOptions) => {
		const {runSandbox} = await import('./sandbox.ts');
		await runSandbox(loadConfig(options.config).config, options, options.json ?? false);
	});

command(group('config', 'the configuration'), 'check', 'check the configuration: every fault with its line').action(
	async (options: Shared) => show(checkConfig(readConfig(options.config)), options),
);

/** Runs one command and sets the exit code. */
export async function main(): Promise<void> {
	try {
		await program.parseAsync();
	} catch (thrown) {
		process.exitCode = report(thrown);
	}
}

/** Prints what went wrong and returns the exit code. A bug keeps its stack. */
function report(thrown: unknown): number {
	if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : (commanderExitCodes[thrown.code] ?? unexpected);
	if (!isBridgeError(thrown)) {
		process.stderr.write(`${toError(thrown).stack}\n`);
		return unexpected;
	}
	process.stderr.write(`${thrown.code}: ${thrown.message}\n`);
	return exitCodes[thrown.code] ?? unexpected;
}
