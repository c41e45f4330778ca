import type {Config, Loaded} from '../config.ts';
import {editConfig} from '../config-edit.ts';
import {BridgeError} from '../errors.ts';
import {editConnections, type Settings} from './connection-edit.ts';
import {describeWay} from './connection-ways.ts';
import {type Output, printable, table} from './print.ts';

export type SetOptions = {
	readonly direct?: boolean;
	readonly proxy?: string;
	readonly pac?: string;
	readonly fromEnvironment?: boolean;
	readonly caFile?: string;
	readonly for?: string;
	readonly family?: string;
	readonly localAddress?: string;
	readonly interface?: string;
	readonly before?: string;
	readonly first?: boolean;
	readonly last?: boolean;
};

export const atNextStart = 'A running bridge takes this at its next start.';

/** The ways out, in the order in which they are tried. */
export const listConnections = ({config}: Loaded & {readonly config: Config}): Output => ({
	json: connectionsJson(config),
	lines: connectionTable(config),
});

const connectionsJson = ({connections}: Config) =>
	connections.map(describeWay).map(({name, kind, where, traffic, family, source}, index) => ({
		position: index + 1,
		name,
		kind,
		where: where || null,
		for: traffic,
		family,
		source: source ?? null,
	}));

const connectionTable = ({connections}: Config): string[] =>
	table(
		['NO', 'NAME', 'KIND', 'WHERE', 'FROM', 'FAMILY', 'FOR'],
		connections
			.map(describeWay)
			.map(({name, kind, where, traffic, family, source}, index) => [
				String(index + 1),
				printable(name),
				kind,
				printable(where) || '-',
				source ?? '-',
				family,
				traffic.join(', '),
			]),
	);

/** Adds a connection, or changes the one of this name: what is not given stays as it is. */
export function setConnection(file: string | undefined, name: string, options: SetOptions): Output {
	const settings = toSettings(options);
	const place = placeOf(options);
	const {source, created, config} = editConfig(file, {
		key: 'connections',
		edit: (document, before) => editConnections(document, before).set(name, settings, place),
	});
	return changed(source, created, config);
}

export function removeConnection(file: string | undefined, name: string): Output {
	const {source, created, config} = editConfig(file, {
		key: 'connections',
		edit: (document, before) => editConnections(document, before).remove(name),
	});
	return changed(source, created, config);
}

const changed = (source: string, created: boolean, config: Config): Output => ({
	json: {config: source, created, connections: connectionsJson(config)},
	lines: [`${source}: ${created ? 'made' : 'changed'}.`, ...connectionTable(config), atNextStart],
});

function toSettings(options: SetOptions): Settings {
	const {direct, proxy, pac, fromEnvironment, caFile, family, localAddress} = options;
	const kinds = [
		direct && {kind: 'direct'},
		proxy !== undefined && {kind: 'proxy', value: withoutPassword('--proxy', proxy)},
		pac !== undefined && {kind: 'pac', value: withoutPassword('--pac', pac)},
		fromEnvironment && {kind: 'from_environment'},
	].filter(kind => typeof kind === 'object') as NonNullable<Settings['kind']>[];
	if (kinds.length > 1) throw new BridgeError('ERR_USAGE', 'give one of --direct, --proxy, --pac and --from-environment');
	return {
		kind: kinds[0],
		caFile,
		rest: {
			for: options.for?.split(',').map(word => word.trim()),
			family,
			local_address: localAddress,
			interface: options.interface,
		},
	};
}

/** Others on this machine see the command line of a process, and the shell keeps it (G6). */
function withoutPassword(option: string, url: string): string {
	const literal = url.replaceAll(/\$\{env:[A-Za-z_][A-Za-z0-9_]*\}/g, '');
	const credentials = literal.slice(0, Math.max(0, literal.lastIndexOf('@'))).replace(/^[a-z0-9+.-]*:\/\//i, '');
	if (!/:./s.test(credentials)) return url;
	throw new BridgeError(
		'ERR_USAGE',
		`${option} has a password in it, which everybody on this machine can see: write \${env:NAME} in its place, in single quotes, ` +
			'and set NAME in the environment of the bridge',
	);
}

function placeOf({before, first, last}: SetOptions): Parameters<ReturnType<typeof editConnections>['set']>[2] {
	if ([before !== undefined, first, last].filter(Boolean).length > 1)
		throw new BridgeError('ERR_USAGE', 'give one of --before, --first and --last');
	if (before !== undefined) return {before};
	if (first) return 'first';
	return last ? 'last' : undefined;
}
