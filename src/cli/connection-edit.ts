import {type Document, isAlias, isMap, isScalar, isSeq, type Node, type YAMLMap, type YAMLSeq} from 'yaml';
import type {Config} from '../config.ts';
import {BridgeError} from '../errors.ts';

/** The settings that may stand among those of a kind, and belong to the connection. */
const shared = new Set(['name', 'for', 'family', 'local_address', 'interface', 'connect_timeout']);
const kinds = ['direct', 'proxy', 'pac', 'from_environment'] as const;

/** What is to change of an entry. What is undefined stays as it is. */
export type Settings = {
	readonly kind: {readonly kind: (typeof kinds)[number]; readonly value?: string} | undefined;
	readonly caFile: string | undefined;
	readonly rest: Readonly<Record<string, string | readonly string[] | undefined>>;
};

export type Place = 'first' | 'last' | {readonly before: string} | undefined;

/** Edits `connections` of a file as it is written: an entry keeps its comments, and its place unless another one is given. */
export function editConnections(document: Document, before: Config) {
	const list = listOf(document);
	const names = before.connections.map(({name}) => name);
	const indexOf = (name: string): number => {
		const index = names.indexOf(name);
		if (index < 0) throw new BridgeError('ERR_NOT_FOUND', `there is no connection ${name}: there is ${names.join(', ')}`);
		return index;
	};

	function put(name: string, entry: unknown, place: NonNullable<Place>) {
		const index = typeof place === 'object' ? indexOf(place.before) : place === 'first' ? 0 : names.length;
		list.items.splice(index, 0, entry);
		names.splice(index, 0, name);
	}

	function take(name: string): unknown {
		const index = indexOf(name);
		names.splice(index, 1);
		return list.items.splice(index, 1)[0];
	}

	function set(name: string, settings: Settings, place: Place) {
		if (typeof place === 'object' && indexOf(place.before) === names.indexOf(name))
			throw new BridgeError('ERR_USAGE', `${name} cannot be before itself`);
		if (!names.includes(name)) return put(name, fresh(document, name, settings), place ?? 'last');
		const index = indexOf(name);
		const entry = entryOf(document, list.items[index]);
		change(document, entry, settings);
		if (!holderOf(entry, 'name')) entry.items.unshift(document.createPair('name', name));
		list.items[index] = entry;
		if (place) put(name, take(name), place);
		return undefined;
	}

	function remove(name: string) {
		if (indexOf(name) === 0 && names.length === 1) {
			const message = `${name} is the last connection: without one nothing could leave. Set another one first.`;
			throw new BridgeError('ERR_USAGE', message);
		}
		take(name);
	}

	return {set, remove};
}

/** The list in the file. Without one the bridge connects directly, which is written down before it is changed. */
function listOf(document: Document): YAMLSeq {
	const found = document.get('connections', true) as Node | undefined;
	const list = isAlias(found) ? found.resolve(document)?.clone() : found;
	if (isSeq(list)) {
		document.set('connections', list);
		return list;
	}
	const usual = document.createNode([{direct: {}}]);
	document.set('connections', usual);
	return usual as YAMLSeq;
}

function entryOf(document: Document, item: unknown): YAMLMap {
	const entry = isAlias(item) ? item.resolve(document)?.clone() : item;
	if (isMap(entry)) return entry as YAMLMap;
	throw new BridgeError('ERR_CONFIG', 'the entry is not written as keys and values: edit it by hand');
}

function fresh(document: Document, name: string, settings: Settings): YAMLMap {
	if (!settings.kind) {
		const message = `there is no connection ${name} yet: say where it leads with --direct, --proxy, --pac or --from-environment`;
		throw new BridgeError('ERR_USAGE', message);
	}
	const entry = document.createNode({name}) as YAMLMap;
	change(document, entry, settings);
	return entry;
}

function change(document: Document, entry: YAMLMap, {kind, caFile, rest}: Settings): void {
	if (kind) setKind(document, entry, kind);
	if (caFile !== undefined) {
		const holder = ['proxy', 'pac'].find(key => entry.has(key));
		if (!holder) throw new BridgeError('ERR_USAGE', '--ca-file is for a proxy or a PAC file');
		entry.setIn([holder, 'ca_file'], caFile);
	}
	for (const [key, value] of Object.entries(rest)) {
		if (value !== undefined) (holderOf(entry, key) ?? entry).set(key, document.createNode(value));
	}
}

/** A setting stands beside the kind or among the settings of the kind: it is changed where it is. */
function holderOf(entry: YAMLMap, key: string): YAMLMap | undefined {
	if (entry.has(key)) return entry;
	return settingsOf(entry).find(settings => settings.has(key));
}

const settingsOf = (entry: YAMLMap): YAMLMap[] =>
	kinds.map((kind): unknown => entry.get(kind, true)).filter((settings): settings is YAMLMap => isMap(settings));

/** The URL of a proxy changes by itself, and what else is known of the proxy stays. */
function setKind(document: Document, entry: YAMLMap, {kind, value}: NonNullable<Settings['kind']>): void {
	for (const other of kinds) if (other !== kind) dropKind(entry, other);
	if (!isMap(entry.get(kind, true))) entry.set(kind, document.createNode({}));
	if (value === undefined) return;
	const isFile = kind === 'pac' && !/^[a-z][a-z0-9+.-]*:\/\//i.test(value);
	if (kind === 'pac') entry.deleteIn([kind, isFile ? 'url' : 'file']);
	entry.setIn([kind, isFile ? 'file' : 'url'], value);
}

/** What is known of the connection whatever its kind outlives the kind. */
function dropKind(entry: YAMLMap, kind: string): void {
	const settings = entry.get(kind, true);
	const outlasting = isMap(settings) ? settings.items.filter(({key}) => isScalar(key) && shared.has(String(key.value))) : [];
	entry.delete(kind);
	entry.items.push(...outlasting);
}
