import {Command, CommanderError, Option} from 'commander';
import {loadConfig, readConfig} from '../config.ts';
import {type BridgeErrorCode, isBridgeError, toError} from '../errors.ts';
import {packageVersion} from '../own-telemetry/resource.ts';
import {type ActivityOptions, activity} from './activity.ts';
import {command, count, reading, type Shared, show} from './command.ts';
import {addConnectionCommands} from './commands-connections.ts';
import {addLedgerCommands} from './commands-ledger.ts';
import {addOperatorCommands} from './commands-operator.ts';
import {addServiceInformationCommands} from './commands-service-information.ts';
import {checkConfig} from './config-check.ts';
import {type ListOptions, listProblems, showProblem} from './problem.ts';
import type {SandboxOptions} from './sandbox.ts';
import {status} from './status.ts';
import {addSupportProxyCommands} from './support-proxy-commands.ts';

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
	'commander.missingMandatoryOptionValue': 14,
	'commander.invalidArgument': 42,
	'commander.excessArguments': 42,
};

/** Also when the arguments cannot be read, so that whoever reads JSON gets JSON. */
const wantsJson = process.argv.includes('--json');

const writeError = (code: string, message: string, more: object = {}): void =>
	void process.stderr.write(wantsJson ? `${JSON.stringify({error: {code, message, ...more}})}\n` : `${code}: ${message}\n`);

const program = new Command('callhome')
	.description('Call home for IBM hardware, as a plug-in for OpenTelemetry, Prometheus and Grafana.')
	.version(packageVersion())
	.exitOverride()
	.showHelpAfterError(wantsJson ? false : '(--help shows how)')
	.configureOutput({
		outputError: (text, write) => (wantsJson ? writeError('ERR_USAGE', text.trim().replace(/^error: /, '')) : write(text)),
	});

const group = (name: string, description: string): Command => program.command(name).description(description);

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

addOperatorCommands({problem, command, show});

command(program, 'activity', 'show the activity log')
	.option('--limit <n>', 'the newest so many (default: 100)', count)
	.option('--from <time>', 'not before, such as 2026-01-31T08:00:00Z')
	.option('--to <time>', 'not after')
	.option('--problem <id>', 'only of this problem')
	.action(async (options: Shared & ActivityOptions) => reading(options, read => activity(read, options)));

command(program, 'replay', 'run recorded signals through the rules, and say what would have become of them; sends nothing')
	.argument(
		'<file>',
		'OTLP JSON lines (file exporter of a Collector), a log of snmptrapd -On, or an ipmitool sel writeraw; - for standard input',
	)
	.option('--host <name>', 'the machine that a system event log is of (default: this one)')
	.action(async (file: string, options: Shared & {readonly host?: string}) => {
		const {replay} = await import('./replay.ts');
		const progress = (text: string) => void process.stderr.write(`${text}\n`);
		await show(replay(loadConfig(options.config).config, file, {host: options.host, progress}), options);
	});

command(program, 'sandbox', "run the stand-in for IBM's event API alone")
	.option('--listen <host:port>', 'where (default: 127.0.0.1:5025)')
	.option('--case-delay <duration>', 'from acceptance to case number (default: 1s)')
	.addOption(new Option('--mode <mode>', 'how it behaves, such as normal, unavailable, lost_acknowledgement, chaos'))
	.action(async (options: Shared & SandboxOptions) => {
		const {runSandbox} = await import('./sandbox.ts');
		await runSandbox(loadConfig(options.config).config, options, options.json ?? false);
	});

addServiceInformationCommands(program);
addLedgerCommands(program);
addConnectionCommands(program);

const update = group('update', 'updates of destinations, rules and program, from the update server that the configuration names');
command(update, 'show', 'show the last check, what is in force and what waits').action(async (options: Shared) => {
	const {showUpdates} = await import('./update.ts');
	await show(showUpdates(loadConfig(options.config).config), options);
});
command(update, 'check', 'ask the update server now, over the connections').action(async (options: Shared) => {
	const {config} = loadConfig(options.config);
	const [{checkUpdates}, {openWays}] = await Promise.all([import('./update.ts'), import('../agent/ways.ts')]);
	const ways = openWays(config, (level, text) => void process.stderr.write(`${level} ${text}\n`));
	try {
		await show(checkUpdates(config, ways), options);
	} finally {
		await ways.close();
	}
});
command(update, 'apply', 'put the rules in force that wait, or print the command that installs the program')
	.argument('<kind>', 'rules or program')
	.action(async (kind: string, options: Shared) => {
		const {applyUpdate} = await import('./update.ts');
		await show(applyUpdate(loadConfig(options.config).config, kind), options);
	});
command(update, 'sign', 'sign the manifest of an update server: writes MANIFEST.sig')
	.argument('<manifest>', 'the file callhome-updates.json')
	.requiredOption('--key <file>', 'Ed25519 private key in PEM')
	.addHelpText(
		'after',
		'\nA pair of keys:\n  openssl genpkey -algorithm ed25519 -out key.pem\n  openssl pkey -in key.pem -pubout -out key.pub.pem',
	)
	.action(async (manifest: string, options: Shared & {readonly key: string}) => {
		const {signManifest} = await import('./update.ts');
		await show(signManifest(manifest, options.key), options);
	});

addSupportProxyCommands(program);

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
		const {message, stack} = toError(thrown);
		if (wantsJson) writeError('ERR_UNEXPECTED', message, {stack});
		else process.stderr.write(`${stack}\n`);
		return unexpected;
	}
	writeError(thrown.code, thrown.message);
	return exitCodes[thrown.code] ?? unexpected;
}
