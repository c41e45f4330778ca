import type {Command} from 'commander';
import {loadConfig} from '../config.ts';
import {command, type Shared, show} from './command.ts';
import type {SetOptions} from './connection.ts';
import type {FirewallOptions} from './firewall.ts';
import {connectivityHelp, operationalHelp} from './test-help.ts';
import type {WalkOptions} from './test-walk.ts';

/** `firewall`, `connection …` and `test …`: the ways out, and whether they work. */
export function addConnectionCommands(program: Command): void {
	command(program, 'firewall', 'what a firewall has to let through: the exact allow-list, from the configuration')
		.option('--request', 'as a request to a firewall team, ready to paste')
		.option('--generation <list>', 'the published list: today, white_paper_2015 or all (default: as configured)')
		.action(async (options: Shared & FirewallOptions) => {
			const {firewall} = await import('./firewall.ts');
			await show(firewall(loadConfig(options.config), options), options);
		});

	const connection = program
		.command('connection')
		.description('the service connections: the ways out, in the order in which they are tried');
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

	const tests = program.command('test').description('tests');
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
}
