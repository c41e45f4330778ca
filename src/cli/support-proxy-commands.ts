import type {Command} from 'commander';
import {loadConfig} from '../config.ts';
import {command, type Shared, show} from './command.ts';
import type {SupportProxyOptions} from './support-proxy-set.ts';

const collected = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

/** `support-proxy …`. */
export function addSupportProxyCommands(program: Command): void {
	const supportProxy = program
		.command('support-proxy')
		.description('the Service and Support proxy, through which other systems call home');
	command(supportProxy, 'show', 'where it listens, who may use it, exactly what passes, and whether it runs').action(
		async (options: Shared) => {
			const {showSupportProxy} = await import('./support-proxy-show.ts');
			await show(showSupportProxy(loadConfig(options.config).config), options);
		},
	);
	command(supportProxy, 'set', 'change the support proxy in the configuration file: what is not given stays as it is')
		.option('--endpoint <host:port>', 'where it listens (default: 127.0.0.1:5026)')
		.option('--clients <list>', 'who may use it: addresses or networks such as 192.0.2.0/24; "any" for everybody')
		.option('--user <name>', 'add this user, or change the password of this one')
		.option('--password-file <file>', 'where the password of --user stands')
		.option('--password-env <variable>', 'the environment variable of the bridge that holds the password of --user')
		.option('--remove-user <name>', 'take this user out')
		.option('--generations <list>', 'which published lists pass: today, white_paper_2015')
		.option('--limit <name=value>', 'such as connections=500 or idle_timeout=10m; an empty value for the default', collected)
		.option('--insecure', 'listen beyond loopback without authentication')
		.option('--no-insecure', 'ask for authentication beyond loopback')
		.option('--off', 'take it out of the configuration')
		.action(async (options: Shared & SupportProxyOptions) => {
			const {setSupportProxy} = await import('./support-proxy-set.ts');
			await show(setSupportProxy(options.config, options), options);
		});
	command(supportProxy, 'run', 'run the support proxy alone until SIGINT or SIGTERM').action(async (options: Shared) => {
		const {runSupportProxy} = await import('./support-proxy-run.ts');
		await runSupportProxy(loadConfig(options.config), options.json ?? false);
	});
}
