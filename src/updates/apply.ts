import {rm} from 'node:fs/promises';
import {BridgeError} from '../errors.ts';
import {readBounded, replaceFile} from './files.ts';
import {isExpired} from './judge.ts';
import type {PublicKey} from './keys.ts';
import type {ReadManifest} from './manifest.ts';
import {loadRules, rulesFile} from './rules.ts';
import {type CheckRules, checkContent, checkRulesOf, type House, isStaged, type Kind, type Offer, offersOf} from './staging.ts';
import {keepApplied, recallAccepted} from './state.ts';

export type Desk = House & {readonly keys: readonly PublicKey[]; readonly readManifest: ReadManifest};

/** What waits of a kind. ERR_NOT_FOUND when nothing does, ERR_SIGNATURE when the manifest that offers it does not count. */
export async function offerOf(kind: Kind, desk: Desk, now: number): Promise<Offer> {
	const {accepted, fault} = await recallAccepted(desk, desk.keys, desk.readManifest);
	if (fault) throw fault;
	const offer = accepted && (await offersOf(accepted.manifest, desk)).find(one => one.kind === kind);
	if (!offer) throw new BridgeError('ERR_NOT_FOUND', `no ${kind} update waits: "callhome update check" asks for one`);
	if (!isExpired(accepted.manifest, now)) return offer;
	const at = new Date(accepted.manifest.expiresAt).toISOString();
	throw new BridgeError(
		'ERR_SIGNATURE',
		`the manifest that offers ${kind} ${offer.version} expired at ${at}: "callhome update check" asks for a newer one`,
	);
}

const notStaged = ({kind, version}: Offer): BridgeError =>
	new BridgeError(
		'ERR_NOT_FOUND',
		`${kind} ${version} is offered, but its file is not here or is damaged: "callhome update check" fetches it`,
	);

export type AppliedRules = {readonly version: string; readonly file: string; readonly before: string; readonly after: string};

/** Puts the staged rules in force, once more verified: the bridge reads them at its next start. Answers the texts before and after. */
export async function applyRules(desk: Desk, checkRules: CheckRules, now = Date.now()): Promise<AppliedRules> {
	const offer = await offerOf('rules', desk, now);
	const bytes = await readBounded(offer.file, offer.size);
	if (!bytes) throw notStaged(offer);
	checkContent(offer, bytes);
	checkRulesOf(offer, bytes, checkRules);
	const before = loadRules(desk.directory) ?? '';
	const file = rulesFile(desk.directory);
	await replaceFile(file, bytes);
	await keepApplied(desk, {version: offer.version, sha256: offer.sha256, at: now});
	await rm(offer.file, {force: true});
	return {version: offer.version, file, before, after: bytes.toString('utf8')};
}

/** The staged program, once more verified, for the operator to install. */
export async function stagedProgram(desk: Desk, now = Date.now()): Promise<Offer> {
	const offer = await offerOf('program', desk, now);
	if (await isStaged(offer)) return offer;
	throw notStaged(offer);
}
