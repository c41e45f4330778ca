import {Command, CommanderError, InvalidArgumentError, Option} from 'commander';
import {loadConfig, readConfig} from '../config.ts';
import {type BridgeErrorCode, isBridgeError, toError} from '../errors.ts';
import {packageVersion} from '../own-telemetry/resource.ts';
import {openStoreForReading, type Records} from '../store/store.ts';
import {type ActivityOptions, activity} from './activity.ts';
import {addOperatorCommands} from './commands-operator.ts';
import {checkConfig} from './config-check.ts';
import type {SetOptions} from './connection.ts';
import type {FirewallOptions} from './firewall.ts';
import {type Output, print} from './print.ts';
import {type ListOptions, listProblems, showProblem} from './problem.ts';
import type {SandboxOptions} from './sandbox.ts';
import {status} from './status.ts';
import type {SupportProxyOptions} from './support-proxy-set.ts';
import {connectivityHelp, operationalHelp} from './test-help.ts';
import type {WalkOptions} from './test-walk.ts';

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

addOperatorCommands({problem, command, show});

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

command(program, 'firewall', 'what a firewall has to let through: the exact allow-list, from the configuration')
	.option('--request', 'as a request to a firewall team, ready to paste')
	.option('--generation <list>', 'the published list: today, white_paper_2015 or all (default: as configured)')
	.action(async (options: Shared & FirewallOptions) => {
		const {firewall} = await import('./firewall.ts');
		await show(firewall(loadConfig(options.config), options), options);
	});

const connection = group('connection', 'the service connections: the ways out, in the order in which they are tried');
command(connection, 'list', 'list the connections in their order').action(async (options: Shared) => {
	const {listConnections} = await import('./connection.ts');
	await show(listConnections(loadConfig(options.config)), options);
});
command(connection, 'set', 'add a connection to the configuration file, or change the one of this name')
	.argument('<name>', 'name of the connection')
	.option('--direct', 'without a proxy')
	.option('--proxy <url>', `http://, https:// or socks5:// URL; a password in it as '\${env:NAME}'`)
	.option('--pac <file-or-url>', 'as a PAC file says')
	.option('--from-environment', 'as HTTPS_PROXY and NO_PROXY say')
	.option('--ca-file <file>', "PEM file with authorities that are trusted for the proxy's own TLS")
	.option('--for <list>', 'only for these: events, uploads, downloads, telemetry')
	.option('--family <family>', 'ipv4, ipv6 or any')
	.option('--local-address <address>', 'leave from this address')
	.option('--interface <name>', 'leave from the address of this interface')
	.option('--before <name>', 'try it before that one')
	.option('--first', 'try it first')
	.option('--last', 'try it last')
	.action(async (name: string, options: Shared & SetOptions) => {
		const {setConnection} = await import('./connection.ts');
		await show(setConnection(options.config, name, options), options);
	});
command(connection, 'remove', 'take a connection out of the configuration file')
	.argument('<name>', 'name of the connection')
	.action(async (name: string, options: Shared) => {
		const {removeConnection} = await import('./connection.ts');
		await show(removeConnection(options.config, name), options);
	});

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
		await show(checkUpdates(config, {https: ways.fetch, http: ways.fetch}), options);
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

const supportProxy = group('support-proxy', 'the Service and Support proxy, through which other systems call home');
command(supportProxy, 'set', 'change the support proxy in the configuration file')
	.option('--endpoint <host:port>', 'where it listens')
	.option('--clients <list>', 'who may use it: addresses or networks such as 192.0.2.0/24')
	.option('--insecure', 'listen beyond loopback without authentication')
	.option('--off', 'take it out of the configuration')
	.action(async (options: Shared & SupportProxyOptions) => {
		const {setSupportProxy} = await import('./support-proxy-set.ts');
		await show(setSupportProxy(options.config, options), options);
	});

const tests = group('test', 'tests');
command(tests, 'connectivity', 'walk every connection to every destination, and say which hop is broken')
	.option('--connection <name>', 'only over this connection')
	.option('--destination <host>', 'only to this server')
	.option('--timeout <duration>', 'for each stage (default: as configured)')
	.option('--no-probe', 'ask nothing: end after TLS')
	.addHelpText('after', connectivityHelp)
	.action(async (options: Shared & WalkOptions) => {
		const [{testConnectivity}, {untilInterrupted}] = await Promise.all([
			import('./test-connectivity.ts'),
			import('./interrupt.ts'),
		]);
		await untilInterrupted(async signal => show(testConnectivity(loadConfig(options.config).config, options, signal), options));
	});

command(tests, 'operational', 'whether call home works: activation, bridge, store, queue, heartbeat, clock, and every path')
	.addHelpText('after', operationalHelp)
	.action(async (options: Shared) => {
		const [{testOperational}, {untilInterrupted}] = await Promise.all([
			import('./test-operational.ts'),
			import('./interrupt.ts'),
		]);
		await untilInterrupted(async signal => show(testOperational(loadConfig(options.config).config, signal), options));
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
