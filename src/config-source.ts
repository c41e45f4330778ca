import {readFileSync} from 'node:fs';
import {resolve} from 'node:path';
import {type Document, isMap, isPair, isScalar, LineCounter, type Node, parseDocument} from 'yaml';
import {toError} from './errors.ts';
import {redact, Secret} from './secret.ts';

/** One thing that is wrong with a configuration, and where. Lines count from 1; 0 when it is nowhere in the text. */
export type Fault = {readonly line: number; readonly path: string; readonly message: string};

export type Path = readonly (string | number)[];

/** Keys whose `_file` twin names a file that holds the value. */
const secretKeys = new Set(['api_key', 'private_key', 'bearer_token', 'password', 'community', 'auth_password', 'priv_password']);

/** A larger file is not a configuration. */
const maxLength = 1024 * 1024;

export type Source = {
	/** The settings as plain values; secrets read from files are Secret. */
	readonly value: unknown;
	readonly faults: readonly Fault[];
	/** The line on which a path stands, or the nearest enclosing one. */
	readonly lineOf: (path: Path, key?: string) => number;
	/** Takes out of a message what came from the environment: it may be a secret in the wrong place. */
	readonly redact: (message: string) => string;
};

export const printPath = (path: Path): string =>
	path.reduce<string>(
		(text, step) => (typeof step === 'number' ? `${text}[${step}]` : text === '' ? step : `${text}.${step}`),
		'',
	);

/** Reads YAML, puts the environment in for `\${env:NAME}`, and reads the secrets that `*_file` keys name. */
export function readSource(text: string, directory: string, environment: NodeJS.ProcessEnv): Source {
	const lines = new LineCounter();
	const oversized = text.length > maxLength;
	const document = parseDocument(oversized ? '' : text, {lineCounter: lines, prettyErrors: false});
	const lineOf = createLineOf(document, lines);
	const faults: Fault[] = document.errors.map(({message, pos}) => ({line: lines.linePos(pos[0]).line, path: '', message}));
	if (oversized) faults.push({line: 0, path: '', message: `is larger than ${maxLength} bytes`});
	const fromEnvironment: Secret[] = [];
	const resolver = createResolver({directory, environment, lineOf, faults, fromEnvironment});
	const value = faults.length > 0 ? {} : resolver(toPlain(document, faults), []);
	return {value: value ?? {}, faults, lineOf, redact: message => redact(message, fromEnvironment)};
}

/** An alias bomb is a fault of the file, not of the program. */
function toPlain(document: Document, faults: Fault[]): unknown {
	try {
		return document.toJS({maxAliasCount: 100});
	} catch (error) {
		faults.push({line: 0, path: '', message: toError(error).message});
		return {};
	}
}

function createLineOf(document: Document, lines: LineCounter): Source['lineOf'] {
	return function lineOf(path, key) {
		for (let length = path.length; length >= 0; length--) {
			const node = length === 0 ? document.contents : (document.getIn(path.slice(0, length), true) as Node | undefined);
			const offset = length === path.length && key !== undefined ? offsetOfKey(node, key) : undefined;
			const start = offset ?? offsetOfKey(parentOf(document, path.slice(0, length)), path[length - 1]) ?? node?.range?.[0];
			if (start !== undefined) return lines.linePos(start).line;
		}
		return 1;
	};
}

const parentOf = (document: Document, path: Path): Node | null | undefined =>
	path.length < 2 ? document.contents : (document.getIn(path.slice(0, -1), true) as Node | undefined);

function offsetOfKey(node: Node | null | undefined, key: string | number | undefined): number | undefined {
	if (!isMap(node) || key === undefined) return undefined;
	const pair = node.items.find(item => isPair(item) && isScalar(item.key) && item.key.value === key);
	return pair && isScalar(pair.key) ? pair.key.range?.[0] : undefined;
}

type Surroundings = {
	readonly directory: string;
	readonly environment: NodeJS.ProcessEnv;
	readonly lineOf: Source['lineOf'];
	readonly faults: Fault[];
	readonly fromEnvironment: Secret[];
};

function createResolver(surroundings: Surroundings) {
	return function resolveValue(value: unknown, path: Path): unknown {
		if (typeof value === 'string') return substitute(value, path, surroundings);
		if (Array.isArray(value)) return value.map((item, index) => resolveValue(item, [...path, index]));
		if (typeof value !== 'object' || value === null) return value;
		const resolved: Record<string, unknown> = Object.create(null);
		for (const [key, item] of Object.entries(value)) {
			const name = key.endsWith('_file') ? key.slice(0, -'_file'.length) : '';
			const plain = resolveValue(item, [...path, key]);
			if (secretKeys.has(name)) readSecret(plain, name, [...path, key], resolved, value, surroundings);
			else resolved[key] = plain;
		}
		return resolved;
	};
}

function substitute(text: string, path: Path, {environment, lineOf, faults, fromEnvironment}: Surroundings): string {
	return text.replaceAll(/\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}/g, (_, name: string) => {
		const value = environment[name];
		if (value === undefined) {
			faults.push({line: lineOf(path), path: printPath(path), message: `the environment variable ${name} is not set`});
			return '';
		}
		if (value.length > 3) fromEnvironment.push(new Secret(value));
		return value;
	});
}

function readSecret(
	file: unknown,
	name: string,
	path: Path,
	into: Record<string, unknown>,
	among: object,
	surroundings: Surroundings,
) {
	const fault = (message: string) => surroundings.faults.push({line: surroundings.lineOf(path), path: printPath(path), message});
	if (Object.hasOwn(among, name)) return fault(`give ${name} or ${name}_file, not both`);
	if (typeof file !== 'string' || file === '') return fault('is not the name of a file');
	try {
		const content = readFileSync(resolve(surroundings.directory, file), 'utf8').replace(/\r?\n$/, '');
		if (content === '') return fault(`${file} is empty: it should hold the ${name.replaceAll('_', ' ')}`);
		into[name] = new Secret(content);
	} catch (error) {
		fault(`cannot be read: ${toError(error).message}`);
	}
	return undefined;
}
