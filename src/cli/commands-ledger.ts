import {type Command, InvalidArgumentError} from 'commander';
import {loadConfig} from '../config.ts';
import {command, type Shared, show} from './command.ts';
import type {ExportOptions} from './ledger-export.ts';

const reason = (text: string): string => {
	const trimmed = text.trim();
	if (trimmed === '' || trimmed.length > 500) throw new InvalidArgumentError('It must be a text of 1 to 500 characters.');
	return trimmed;
};

const formula = `
Exit code 0: intact, or every break is acknowledged. 1: broken.

An entry is the text of a JSON object. Its hash is, in hex,
  SHA-256(hash of the entry before + line feed + entry)
and before the first entry stand 64 zeros, or the anchor of the file.

Whoever may write to the store can make a whole new chain: keep the head that
this prints where they cannot, and give it later as --head.`;

/** The ledger of what left. */
export function addLedgerCommands(program: Command): void {
	const ledger = program.command('ledger').description('the hash-chained ledger of every request that left, and every reply');
	command(ledger, 'verify', 'verify the ledger of the store, or an exported one without store and configuration')
		.argument(
			'[file]',
			'what "ledger export" has written; - for standard input (default: the store, while its bridge runs or not)',
		)
		.option('--head <sequence:hash>', 'a head that was noted earlier: whether the ledger still contains it')
		.addHelpText('after', formula)
		.action(async (file: string | undefined, options: Shared & {readonly head?: string}) => {
			const {verifyExported, verifyStore} = await import('./ledger.ts');
			const verified =
				file === undefined ? verifyStore(loadConfig(options.config).config, options) : verifyExported(file, options);
			await show(verified, options);
		});
	command(ledger, 'export', 'write the ledger as JSON lines, with the texts that are still kept')
		.option('--output <file>', 'a new file, for you alone (default: standard output)')
		.option('--from <time>', 'from the first entry that was not written before, such as 2026-01-31T08:00:00Z')
		.option('--to <time>', 'to the last entry that was not written after')
		.action(async (options: Shared & ExportOptions) => {
			const {exportLedger} = await import('./ledger-export.ts');
			const output = await exportLedger(loadConfig(options.config).config, options);
			if (output) await show(output, options);
		});
	command(
		ledger,
		'acknowledge',
		'put into the ledger that its breaks are known, and why: they are still listed, and count no more',
	)
		.requiredOption('--reason <text>', 'why, for whoever verifies the ledger later', reason)
		.action(async (options: Shared & {readonly reason: string}) => {
			const {acknowledge} = await import('./ledger.ts');
			await show(acknowledge(loadConfig(options.config).config, options.reason), options);
		});
}
