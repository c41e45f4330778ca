import type {Command} from 'commander';
import type {Operation} from '../agent/operate.ts';
import {loadConfig} from '../config.ts';
import type {Output} from './print.ts';

type Shared = {readonly config?: string; readonly json?: boolean};

export type Commands = {
	/** `callhome problem`. */
	readonly problem: Command;
	readonly command: (parent: Command, name: string, description: string) => Command;
	readonly show: (output: Promise<Output> | Output, options: Shared) => Promise<void>;
};

const descriptions: Record<Operation, string> = {
	hold: 'hold a problem that is not with IBM yet, until it is released',
	release: 'send a problem that is held, or send one again that IBM has refused',
	close: 'close a problem here; its case, if it has one, IBM closes',
	refresh: 'ask IBM for the case of a problem now',
};

/** What a person does with a problem, while the bridge runs or not. */
export function addOperatorCommands({problem, command, show}: Commands): void {
	for (const [operation, description] of Object.entries(descriptions) as [Operation, string][]) {
		command(problem, operation, description)
			.argument('<id>', 'problem id or case number')
			.option('--reason <text>', 'why, for the activity log', '')
			.action(async (id: string, {reason, ...options}: Shared & {readonly reason: string}) => {
				const {operateOn} = await import('./operate.ts');
				await show(operateOn(loadConfig(options.config).config, {operation, id, reason: reason.slice(0, 500)}), options);
			});
	}
}
