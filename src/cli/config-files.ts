import type {Config} from '../config.ts';
import {type Fault, type Path, printPath} from '../config-source.ts';
import {toError} from '../errors.ts';
import {readAuthorities} from '../sending/authorities.ts';
import {readPublicKeys} from '../updates/keys.ts';

type Named = readonly [path: Path, read: () => unknown];

/** What a good configuration names and `run` reads when it starts: without it nothing starts. */
function filesOf({connections, destinations: {updates}, exporter: {call_home_connect: ibm}}: Config): readonly Named[] {
	const authorities = (path: Path, file: string | undefined): Named[] =>
		file === undefined ? [] : [[path, () => readAuthorities(file)]];
	return [
		...connections.flatMap(({way}, index) => {
			if (way.kind === 'proxy') return authorities(['connections', index, 'proxy', 'ca_file'], way.proxy?.caFile);
			return way.kind === 'pac' ? authorities(['connections', index, 'pac', 'ca_file'], way.caFile) : [];
		}),
		...authorities(['exporter', 'call_home_connect', 'ca_file'], ibm?.ca_file),
		...authorities(['destinations', 'updates', 'ca_file'], updates?.ca_file),
		...(updates?.public_key_file ?? []).map(
			(file): Named => [['destinations', 'updates', 'public_key_file'], () => readPublicKeys([file])],
		),
	];
}

/** The files among them that cannot be used. Lines as the text of the configuration has them. */
export const fileFaults = (config: Config, lineOf: (path: Path) => number): readonly Fault[] =>
	filesOf(config).flatMap(([path, read]) => {
		try {
			read();
			return [];
		} catch (error) {
			return [{line: lineOf(path), path: printPath(path), message: toError(error).message}];
		}
	});
