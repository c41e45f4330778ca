import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {z} from 'zod';
import {BridgeError, isBridgeError} from '../errors.ts';
import type {Origin} from './fetch.ts';
import {readBounded, replaceFile} from './files.ts';
import {type Verified, verify} from './judge.ts';
import type {PublicKey} from './keys.ts';
import type {ReadManifest} from './manifest.ts';

/** What is kept: the manifest in force, the last check, what the activity log knows, and which rules were applied. */
export type StateName = 'accepted' | 'check' | 'noted' | 'applied';
export type State = {
	readonly readState: (name: StateName) => Promise<string | undefined>;
	readonly writeState: (name: StateName, text: string) => Promise<void>;
};

const maxStateSize = 1024 ** 2;

/** Where all that is about updates lies, but the rules in force. */
export const updatesIn = (directory: string): string => join(directory, 'updates');

/** State in small files: the bridge and a command beside it both write there. */
export function stateFiles(directory: string): State {
	const file = (name: StateName) => join(updatesIn(directory), `${name}.json`);
	return {
		// What is there and cannot be read is damaged: as if it were not there it would let an older manifest in, unsaid.
		readState: async name =>
			(await readBounded(file(name), maxStateSize))?.toString('utf8') ?? (existsSync(file(name)) ? '' : undefined),
		writeState: (name, text) => replaceFile(file(name), `${text}\n`),
	};
}

export type Accepted = Verified & {
	readonly origin: Origin;
	/** Unix milliseconds. */
	readonly acceptedAt: number;
};

const origin = z.enum(['https', 'http']);
const acceptedSchema = z.object({manifest: z.base64(), signature: z.string(), origin, accepted_at: z.number()});

export async function keepAccepted({writeState}: State, {bytes, signature, origin, acceptedAt}: Accepted): Promise<void> {
	await writeState('accepted', JSON.stringify({manifest: bytes.toString('base64'), signature, origin, accepted_at: acceptedAt}));
}

export type Recalled = {readonly accepted: Accepted | undefined; readonly fault?: BridgeError};

/** The manifest that was accepted last. It counts only as long as a configured key still says that it is genuine. */
export async function recallAccepted(
	{readState}: State,
	keys: readonly PublicKey[],
	readManifest: ReadManifest,
): Promise<Recalled> {
	const text = await readState('accepted');
	if (text === undefined) return {accepted: undefined};
	const {data} = acceptedSchema.safeParse(toJson(text));
	if (!data) return {accepted: undefined, fault: lost('what is kept of it is damaged')};
	try {
		const verified = verify({bytes: Buffer.from(data.manifest, 'base64'), signature: data.signature}, keys, readManifest);
		return {accepted: {...verified, origin: data.origin, acceptedAt: data.accepted_at}};
	} catch (error) {
		if (!isBridgeError(error)) throw error;
		return {accepted: undefined, fault: lost(error.message, error)};
	}
}

const lost = (why: string, cause?: BridgeError): BridgeError =>
	new BridgeError('ERR_SIGNATURE', `the manifest that was accepted before does not count any more: ${why}`, {cause});

/** Something that went wrong with updates; the words of the activity log. */
export const troubleSchema = z.object({word: z.string(), code: z.string(), text: z.string()});
export type Trouble = z.infer<typeof troubleSchema>;

export const outcomes = ['accepted', 'nothing_new', 'refused', 'failed'] as const;
const checkSchema = z.object({
	/** Unix milliseconds. */
	at: z.number(),
	outcome: z.enum(outcomes),
	/** Which way the manifest came. */
	origin: origin.optional(),
	/** Of the manifest that came. */
	serial: z.number().optional(),
	troubles: z.array(troubleSchema),
});
/** How the last check went. */
export type Check = z.infer<typeof checkSchema>;

export const readCheck = (state: State): Promise<Check | undefined> => readAs(state, 'check', checkSchema);
export const keepCheck = ({writeState}: State, check: Check): Promise<void> => writeState('check', JSON.stringify(check));

const appliedSchema = z.object({version: z.string(), sha256: z.string(), at: z.number()});
/** The rules that the operator put in force last, and when. */
export type Applied = z.infer<typeof appliedSchema>;

export const readApplied = (state: State): Promise<Applied | undefined> => readAs(state, 'applied', appliedSchema);
export const keepApplied = ({writeState}: State, applied: Applied): Promise<void> =>
	writeState('applied', JSON.stringify(applied));

/** What is damaged is as if it were not there. */
export async function readAs<Value>({readState}: State, name: StateName, schema: z.ZodType<Value>): Promise<Value | undefined> {
	const text = await readState(name);
	return text === undefined ? undefined : schema.safeParse(toJson(text)).data;
}

function toJson(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}
