import {randomUUID} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {mkdir, readFile, rename, writeFile} from 'node:fs/promises';
import {findPackageJSON} from 'node:module';
import {hostname} from 'node:os';
import {join} from 'node:path';
import type {Attributes} from '@opentelemetry/api';
import {ATTR_SERVICE_INSTANCE_ID, ATTR_SERVICE_NAME, ATTR_SERVICE_VERSION} from '@opentelemetry/semantic-conventions';
import {BridgeError, toError} from '../errors.ts';
import type {TelemetryOptions} from './config.ts';

/**
Who sends the bridge's telemetry. Nothing of it changes with a restart, such as a process id does: each change would begin
new series, and rules that watch for a silent bridge would see one.
*/
export const resourceAttributes = (
	{service_name, resource}: Pick<TelemetryOptions, 'service_name' | 'resource'>,
	instanceId: string,
	{version = packageVersion(), hostName = hostname()} = {},
): Attributes => ({
	[ATTR_SERVICE_NAME]: service_name,
	[ATTR_SERVICE_VERSION]: version,
	[ATTR_SERVICE_INSTANCE_ID]: instanceId,
	'host.name': hostName,
	...resource,
});

export function packageVersion(): string {
	const file = findPackageJSON('.', import.meta.url);
	const {version}: {version?: unknown} = file === undefined ? {} : JSON.parse(readFileSync(file, 'utf8'));
	return typeof version === 'string' ? version : 'unknown';
}

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The id of this installation, kept in `instance-id`. A missing or damaged file gets a new one. */
export async function readInstanceId(directory: string): Promise<string> {
	const file = join(directory, 'instance-id');
	try {
		const kept = (await readFile(file, 'utf8').catch(ignoreMissing)).trim();
		return uuid.test(kept) ? kept : await writeInstanceId(directory, file);
	} catch (cause) {
		throw new BridgeError('ERR_CONFIG', `store.directory: cannot keep ${file}: ${toError(cause).message}`, {cause});
	}
}

function ignoreMissing(error: NodeJS.ErrnoException): string {
	if (error.code === 'ENOENT') return '';
	throw error;
}

async function writeInstanceId(directory: string, file: string): Promise<string> {
	const id = randomUUID();
	await mkdir(directory, {recursive: true, mode: 0o700});
	const unfinished = `${file}.${id}`;
	await writeFile(unfinished, `${id}\n`, {mode: 0o600, flush: true});
	await rename(unfinished, file); // Whole or not at all.
	return id;
}
