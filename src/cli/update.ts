import {checkRules, houseOf, readManifest, updateWays} from '../agent/updates.ts';
import type {Ways} from '../agent/ways.ts';
import type {Config} from '../config.ts';
import {destinationUpdateSchema} from '../destinations/config.ts';
import {BridgeError} from '../errors.ts';
import {serviceabilityRuleSchema} from '../processors/config.ts';
import {applyRules, type Desk, stagedProgram} from '../updates/apply.ts';
import type {UpdatesConfig} from '../updates/config.ts';
import {readBounded, replaceFile} from '../updates/files.ts';
import {isExpired} from '../updates/judge.ts';
import {readPublicKeys, signWith} from '../updates/keys.ts';
import {maxManifestSize} from '../updates/manifest.ts';
import {serversOf} from '../updates/notes.ts';
import {readRules, rulesDifference} from '../updates/rules.ts';
import {type Kind, kinds, offersOf, stagedOf} from '../updates/staging.ts';
import {type Accepted, type Applied, type Check, readApplied, readCheck, recallAccepted} from '../updates/state.ts';
import {createUpdates} from '../updates/updates.ts';
import {facts, type Output, printable, timeText} from './print.ts';

function updatesOf({destinations: {updates}}: Config): UpdatesConfig {
	if (updates) return updates;
	const message =
		'destinations.updates is not set: there is no update server by default. Name the url and the public_key_file of yours.';
	throw new BridgeError('ERR_NOT_CONFIGURED', message);
}

const deskOf = (config: Config): Desk => ({
	...houseOf(config),
	keys: readPublicKeys(updatesOf(config).public_key_file),
	readManifest,
});

/** The last check, what is in force, and what waits. Verifies all of it again. */
export async function showUpdates(config: Config, now = Date.now()): Promise<Output> {
	const desk = deskOf(config);
	const {accepted, fault} = await recallAccepted(desk, desk.keys, readManifest);
	const waiting = accepted && !isExpired(accepted.manifest, now) ? await stagedOf(await offersOf(accepted.manifest, desk)) : [];
	const check = await readCheck(desk);
	const applied = await readApplied(desk);
	const json = {
		url: updatesOf(config).url.href,
		last_check: checkJson(check),
		accepted: acceptedJson(accepted, now),
		waiting,
		applied: {rules: appliedJson(applied), program: desk.runningVersion},
		fault: fault ? `${fault.code}: ${fault.message}` : null,
	};
	const troubles = (check?.troubles ?? []).map(({code, text}) => `${code}: ${text}`);
	const lines = facts([
		['Update server', json.url],
		[
			'Last check',
			check ? `${timeText(check.at)}, ${words[check.outcome]}${check.origin ? ` (over ${check.origin})` : ''}` : 'never',
		],
		...troubles.map(text => ['Trouble', printable(text)] as const),
		['Fault', fault && printable(fault.message)],
		['In force', accepted ? inForceText(accepted, now) : 'none'],
		...Object.entries(json.accepted?.destinations ?? {}).map(([purpose, servers]) => [purpose, servers.join(', ')] as const),
		['Rules applied', applied ? `${applied.version}, ${timeText(applied.at)}` : 'none'],
		['Program', desk.runningVersion],
		...waiting.map(({kind, version}) => ['Waits', `${kind} ${version}: "callhome update apply ${kind}"`] as const),
	]);
	return {json, lines};
}

const words: Record<Check['outcome'], string> = {
	accepted: 'a new manifest was accepted',
	nothing_new: 'nothing new',
	refused: 'what came was refused',
	failed: 'nothing came',
};

const inForceText = ({manifest, origin, acceptedAt, keyId}: Accepted, now: number): string =>
	`manifest ${manifest.serial}, over ${origin} at ${timeText(acceptedAt)}, signed by key ${keyId}, ` +
	`${isExpired(manifest, now) ? 'EXPIRED' : 'expires'} ${timeText(manifest.expiresAt)}`;

const checkJson = (check: Check | undefined) =>
	check
		? {
				at: timeText(check.at),
				outcome: check.outcome,
				origin: check.origin ?? null,
				serial: check.serial ?? null,
				troubles: check.troubles,
			}
		: null;

function acceptedJson(accepted: Accepted | undefined, now: number) {
	if (!accepted) return null;
	const {manifest, origin, acceptedAt, keyId} = accepted;
	return {
		serial: manifest.serial,
		origin,
		accepted_at: timeText(acceptedAt),
		issued_at: timeText(manifest.issuedAt),
		expires_at: timeText(manifest.expiresAt),
		expired: isExpired(manifest, now),
		key_id: keyId,
		destinations: serversOf(manifest.destinations),
	};
}

const appliedJson = (applied: Applied | undefined) =>
	applied ? {version: applied.version, at: timeText(applied.at), sha256: applied.sha256} : null;

/** Rules are put in force; of a program, the command that installs it is printed. */
export async function applyUpdate(config: Config, kind: string): Promise<Output> {
	const member = kinds.find(one => one === kind);
	if (!member) throw new BridgeError('ERR_USAGE', `"${kind}" is not a kind of update: write ${kinds.join(' or ')}`);
	return appliers[member](deskOf(config));
}

const appliers: Record<Kind, (desk: Desk) => Promise<Output>> = {rules: applyStagedRules, program: showProgram};

async function applyStagedRules(desk: Desk): Promise<Output> {
	const {version, file, before, after} = await applyRules(desk, checkRules);
	const rulesOf = (text: string) => (text === '' ? [] : readRules(text, serviceabilityRuleSchema).rules);
	const {added, removed} = rulesDifference(rulesOf(before), rulesOf(after));
	const lines = [
		`Rules ${version} are in ${file}. The bridge reads them when it starts: restart it.`,
		...removed.map(name => `- ${printable(name)}`),
		...added.map(name => `+ ${printable(name)}`),
		...(added.length + removed.length === 0 ? ['No rule comes or goes.'] : []),
	];
	return {json: {kind: 'rules', version, file, added, removed}, lines};
}

async function showProgram(desk: Desk): Promise<Output> {
	const {version, file, size, sha256} = await stagedProgram(desk);
	const command = `npm install ${quoted(file)}`;
	const lines = [
		`Program ${version} is verified (${size} bytes, SHA-256 ${sha256}). Nothing is installed yet. To install it:`,
		command,
	];
	return {json: {kind: 'program', version, file, size, sha256, command}, lines};
}

/** For a POSIX shell. */
const quoted = (file: string): string => (/^[\w@%+=:,./-]+$/.test(file) ? file : `'${file.replaceAll("'", "'\\''")}'`);

/** Asks the update server now, over these ways. The exit code is 1 when nothing good came. */
export async function checkUpdates(config: Config, ways: Pick<Ways, 'fetch'>): Promise<Output> {
	const updatesConfig = updatesOf(config);
	const updates = createUpdates(updatesConfig, {
		...houseOf(config),
		...updateWays(updatesConfig, ways),
		destinations: destinationUpdateSchema,
		checkRules,
	});
	const {troubles} = await updates.check();
	return {...(await showUpdates(config)), exitCode: troubles.length > 0 ? 1 : 0};
}

/** Writes the signature of a manifest beside it. Only one that a bridge would read is signed. */
export async function signManifest(file: string, keyFile: string): Promise<Output> {
	const bytes = await readBounded(file, maxManifestSize);
	if (!bytes) throw new BridgeError('ERR_USAGE', `${file} cannot be read, or is larger than ${maxManifestSize} bytes`);
	const {serial, expiresAt} = readManifest(bytes);
	const {signature, publicKey, id} = signWith(keyFile, bytes);
	const signatureFile = `${file}.sig`;
	await replaceFile(signatureFile, signature, 0o644);
	const lines = facts([
		['Signature', signatureFile],
		['Serial', String(serial)],
		['Expires', timeText(expiresAt)],
		['Key', id],
		['Public key', `${publicKey} (for public_key_file of the bridges)`],
	]);
	return {
		json: {signature_file: signatureFile, serial, expires_at: timeText(expiresAt), key_id: id, public_key: publicKey},
		lines,
	};
}
