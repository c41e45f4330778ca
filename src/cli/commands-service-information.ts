import type {Command} from 'commander';
import {loadConfig} from '../config.ts';
import {command, type Shared, show} from './command.ts';
import {untilInterrupted} from './interrupt.ts';

const whom = 'a source (host, redfish, snmp), a target, or both in quotes; everything by default';

/** Heartbeats and inventory: what is told of healthy systems. */
export function addServiceInformationCommands(program: Command): void {
	const group = program
		.command('service-information')
		.description('what is told of systems that have no fault: inventory, heartbeats');
	command(group, 'show', 'show what is collected and sent of each system, and when').action(async (options: Shared) => {
		const {showServiceInformation} = await import('./service-information.ts');
		await show(showServiceInformation(loadConfig(options.config).config), options);
	});
	command(group, 'preview', 'collect now and show each byte that would leave; sends nothing, and needs no consent')
		.argument('[from]', whom, '')
		.action(async (named: string, options: Shared) => {
			const {previewServiceInformation} = await import('./service-information.ts');
			await untilInterrupted(async signal =>
				show(previewServiceInformation(loadConfig(options.config).config, named, {signal}), options),
			);
		});
	command(group, 'collect', 'have the bridge that runs collect now, and send it (exit code 49: nothing was collected)')
		.argument('[from]', whom, '')
		.action(async (named: string, options: Shared) => {
			const {collectServiceInformation} = await import('./service-information.ts');
			await show(collectServiceInformation(loadConfig(options.config).config, named.slice(0, 300)), options);
		});
}
