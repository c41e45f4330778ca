import type {Loaded} from '../config.ts';
import type {Output} from './print.ts';

/** All faults at once, each with its line. */
export function checkConfig({source, config, faults}: Loaded): Output {
	const json = {config: source, valid: config !== undefined, faults};
	const lines = faults.map(
		({line, path, message}) => `${source}${line > 0 ? `:${line}` : ''}: ${path === '' ? '' : `${path}: `}${message}`,
	);
	return {json, lines: config ? [`${source}: good`] : lines, exitCode: config ? 0 : 1};
}
