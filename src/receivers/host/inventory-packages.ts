import {wordIn} from '../../inventory-words.ts';
import {runTool} from './tool.ts';

type Package = {readonly name: string; readonly version: string};

const timeoutMillis = 60_000;
const mostBytes = 8 * 1024 ** 2;

/** Each prints one package a line, its name and its version with a tab between; what is removed but configured is left out. */
const tools: readonly (readonly [command: string, args: readonly string[]])[] = [
	// biome-ignore lint/suspicious/noTemplateCurlyInString: the format is dpkg's own.
	['dpkg-query', ['-W', '-f', '${db:Status-Abbrev}\\t${Package}\\t${Version}\\n']],
	['rpm', ['-qa', '--qf', 'ii\\t%{NAME}\\t%{VERSION}-%{RELEASE}\\n']],
];

/** The installed packages, sorted by their names. Rejects when there is no package database that can be read. */
export async function readPackages(signal: AbortSignal): Promise<Package[]> {
	const reasons: string[] = [];
	for (const [command, args] of tools) {
		const run = await runTool(command, args, {timeoutMillis, signal, mostBytes});
		if (run.status !== 'ended') reasons.push(run.reason);
		else if (run.exitCode !== 0) reasons.push(`${command} ended with ${run.exitCode}`);
		else return packagesIn(run.stdout, run.truncated);
	}
	throw new Error(reasons.join('; '));
}

export function packagesIn(output: string, isTruncated: boolean): Package[] {
	const lines = output.split('\n');
	if (isTruncated) lines.pop(); // The last line may be a part of one.
	return lines
		.flatMap(line => {
			const [status = '', name, version] = line.split('\t');
			const known = {name: wordIn(name), version: wordIn(version)};
			return status.startsWith('ii') && known.name && known.version ? [{name: known.name, version: known.version}] : [];
		})
		.sort((one, other) => (one.name < other.name ? -1 : Number(one.name > other.name)));
}
