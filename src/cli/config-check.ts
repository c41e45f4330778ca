import type {Loaded} from '../config.ts';
import {fileFaults} from './config-files.ts';
import type {Output} from './print.ts';

/** All faults at once, each with its line: those of the text, and of a good one the files that it names. */
export function checkConfig({source, config, faults: ofText, lineOf = () => 0}: Loaded): Output {
	const faults = config ? fileFaults(config, lineOf) : ofText;
	const isGood = faults.length === 0;
	const json = {config: source, valid: isGood, faults};
	const lines = faults.map(
		({line, path, message}) => `${source}${line > 0 ? `:${line}` : ''}: ${path === '' ? '' : `${path}: `}${message}`,
	);
	return {json, lines: isGood ? [`${source}: good`] : lines, exitCode: isGood ? 0 : 1};
}
