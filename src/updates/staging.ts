import {createHash} from 'node:crypto';
import {createReadStream} from 'node:fs';
import {readFile, stat} from 'node:fs/promises';
import {join} from 'node:path';
import {BridgeError} from '../errors.ts';
import type {Fetch} from './fetch.ts';
import {removeOthers, replaceFile} from './files.ts';
import {digestOf} from './judge.ts';
import type {Download, Manifest} from './manifest.ts';
import {rulesFile} from './rules.ts';
import {readApplied, type State, updatesIn} from './state.ts';
import {compareVersions} from './versions.ts';

export const kinds = ['rules', 'program'] as const;
export type Kind = (typeof kinds)[number];

/** An update that is verified and waits for the operator. */
export type Waiting = {readonly kind: Kind; readonly version: string; readonly file: string; readonly size: number};

/** Something in the manifest that is not in force here, and the file in which it is kept until then. */
export type Offer = Download & {readonly kind: Kind; readonly file: string};

export type House = State & {
	/** The state directory. */
	readonly directory: string;
	/** Of the program that runs. */
	readonly runningVersion: string;
};

const extensionOf: Record<Kind, string> = {rules: 'yaml', program: 'tgz'};

/** What a manifest offers beyond the rules that were applied and the program that runs. An older program is no offer. */
export async function offersOf(manifest: Manifest, house: House): Promise<readonly Offer[]> {
	const {rules, program} = manifest;
	const offers: Offer[] = [];
	if (rules && !(await areApplied(rules, house))) offers.push(toOffer('rules', rules, house));
	if (program && (compareVersions(program.version, house.runningVersion) ?? 1) > 0)
		offers.push(toOffer('program', program, house));
	return offers;
}

const toOffer = (kind: Kind, download: Download, {directory}: House): Offer => ({
	...download,
	kind,
	file: join(updatesIn(directory), `${kind}-${download.version}.${extensionOf[kind]}`),
});

/** Also when the operator has changed them since: he knows them. */
async function areApplied({sha256}: Download, house: House): Promise<boolean> {
	const inForce = await readFile(rulesFile(house.directory)).catch(() => undefined);
	if (!inForce) return false;
	return digestOf(inForce) === sha256 || (await readApplied(house))?.sha256 === sha256;
}

/** Whether the file of an offer is there, and is what the manifest says. */
export async function isStaged({file, size, sha256}: Offer): Promise<boolean> {
	try {
		if ((await stat(file)).size !== size) return false;
		const hash = createHash('sha256');
		for await (const chunk of createReadStream(file)) hash.update(chunk);
		return hash.digest('hex') === sha256;
	} catch {
		return false; // Not there, or not to be read: it is fetched again.
	}
}

/** What of the offers is here and whole. */
export async function stagedOf(offers: readonly Offer[]): Promise<readonly Waiting[]> {
	const areStaged = await Promise.all(offers.map(isStaged));
	return offers.filter((_, index) => areStaged[index]).map(({kind, version, file, size}) => ({kind, version, file, size}));
}

/** Throws ERR_SIGNATURE unless the bytes are those that the signed manifest names. */
export function checkContent({kind, version, size, sha256}: Offer, bytes: Uint8Array): void {
	if (bytes.length === size && digestOf(bytes) === sha256) return;
	const message = `${kind} ${version} is not what the signed manifest names: ${bytes.length} bytes instead of ${size}, or another SHA-256`;
	throw new BridgeError('ERR_SIGNATURE', message);
}

export type CheckRules = (text: string) => readonly string[];

/** Throws ERR_MALFORMED with the faults of a rules document. */
export function checkRulesOf({version}: Offer, bytes: Uint8Array, checkRules: CheckRules): void {
	const faults = checkRules(Buffer.from(bytes).toString('utf8'));
	if (faults.length === 0) return;
	const more = faults.length > 5 ? `; and ${faults.length - 5} more` : '';
	throw new BridgeError('ERR_MALFORMED', `rules ${version} cannot be used: ${faults.slice(0, 5).join('; ')}${more}`);
}

/** A program on a slow line. Milliseconds. */
const downloadTimeout = 3_600_000;

export type StagingParts = {readonly https: Fetch; readonly checkRules: CheckRules; readonly maxProgramSize: number};

/** Downloads an offer over HTTPS, verifies it and puts it beside the state, where it replaces an older one of its kind. */
export async function stage(offer: Offer, {https, checkRules, maxProgramSize}: StagingParts, signal: AbortSignal): Promise<void> {
	const {kind, version, url, size} = offer;
	if (kind === 'program' && size > maxProgramSize) {
		const message = `program ${version} has ${size} bytes, more than destinations.updates.max_program_size (${maxProgramSize})`;
		throw new BridgeError('ERR_TOO_LARGE', message);
	}
	signal.throwIfAborted();
	const bytes = await https(url, {maxSize: size, signal: AbortSignal.any([signal, AbortSignal.timeout(downloadTimeout)])});
	checkContent(offer, bytes);
	if (kind === 'rules') checkRulesOf(offer, bytes, checkRules);
	await replaceFile(offer.file, bytes);
}

/** Removes what was staged and is not offered any more. */
export async function removeOutdated(offers: readonly Offer[], {directory}: House): Promise<void> {
	for (const kind of kinds) {
		await removeOthers(updatesIn(directory), `${kind}-`, offers.find(offer => offer.kind === kind)?.file);
	}
}
