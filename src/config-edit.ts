import {
	closeSync,
	existsSync,
	fchmodSync,
	fchownSync,
	fsyncSync,
	openSync,
	readFileSync,
	realpathSync,
	renameSync,
	rmSync,
	statSync,
	writeFileSync,
} from 'node:fs';
import {dirname} from 'node:path';
import type {Document} from 'yaml';
import {type Config, parseConfig, printFaults} from './config.ts';
import {withChanged} from './config-edit-text.ts';
import {BridgeError, isBridgeError, toError} from './errors.ts';
import {syncDirectory} from './store/replace.ts';

/** What a file that is not there yet begins with: the least that is valid, and nothing that reaches IBM. */
const minimal = `# Nothing reaches IBM: the sandbox stands in for it. For IBM, write call_home_connect with your customer number in its place.
exporter:
  sandbox: {}
`;

/** A top-level key, and what is to become of it. `before` is the configuration as it is. */
export type Change = {readonly key: string; readonly edit: (document: Document, before: Config) => void};

export type Edited = {readonly source: string; readonly created: boolean; readonly config: Config};

/**
Changes one key of the configuration file in place: comments and order stay. The result is checked as a whole before anything is
written; with a fault in it, nothing is, and ERR_CONFIG says which. A running bridge takes the change at its next start.
*/
export function editConfig(file: string | undefined, {key, edit}: Change, environment = process.env): Edited {
	const source = file ?? 'callhome.yaml';
	const created = !existsSync(source);
	if (created && file === undefined)
		throw new BridgeError(
			'ERR_CONFIG',
			'there is no callhome.yaml here: name a file with --config FILE; one that does not exist is made',
		);
	const text = created ? minimal : read(source);
	const before = checked(source, text, environment, 'has faults already, and was left as it is');
	const changed = changedText(source, text, key, document => edit(document, before));
	const config = checked(source, changed, environment, 'would have faults with this change, and was left as it is');
	if (created || changed !== text) write(source, changed, created);
	return {source, created, config};
}

function checked(source: string, text: string, environment: NodeJS.ProcessEnv, complaint: string): Config {
	const {config, faults} = parseConfig(text, dirname(source), environment);
	if (config) return config;
	throw new BridgeError('ERR_CONFIG', `${source} ${complaint}:\n${printFaults(source, faults)}`);
}

/** An anchor that is still referred to, or a tag of one's own, cannot be edited by a program. */
function changedText(source: string, text: string, key: string, edit: (document: Document) => void): string {
	try {
		return withChanged(text, key, edit);
	} catch (cause) {
		if (isBridgeError(cause)) throw cause;
		const message = `${key} in ${source} is written in a way that only an editor can change (${toError(cause).message})`;
		throw new BridgeError('ERR_CONFIG', message, {cause});
	}
}

const read = (source: string): string => attempt(source, 'read', () => readFileSync(source, 'utf8'));

/** Whole or not at all; through a symbolic link, with the owner and the mode that the file has. */
function write(source: string, text: string, created: boolean): void {
	attempt(source, 'written', () => {
		const file = created ? source : realpathSync(source);
		const fresh = `${file}.${process.pid}.new`;
		try {
			fill(fresh, text, created ? undefined : statSync(file));
			renameSync(fresh, file);
		} catch (error) {
			rmSync(fresh, {force: true});
			throw error;
		}
		if (process.platform !== 'win32') syncDirectory(dirname(file));
	});
}

/** It may hold a password: only its owner reads a new one. */
function fill(file: string, text: string, like: {readonly mode: number; readonly uid: number; readonly gid: number} | undefined) {
	const descriptor = openSync(file, 'wx', 0o600);
	try {
		writeFileSync(descriptor, text);
		if (like && process.platform !== 'win32') {
			fchownSync(descriptor, like.uid, like.gid);
			fchmodSync(descriptor, like.mode & 0o7777);
		}
		fsyncSync(descriptor);
	} finally {
		closeSync(descriptor);
	}
}

function attempt<T>(source: string, what: 'read' | 'written', work: () => T): T {
	try {
		return work();
	} catch (cause) {
		throw new BridgeError('ERR_CONFIG', `${source} cannot be ${what}: ${toError(cause).message}`, {cause});
	}
}
