import {createHash} from 'node:crypto';
import {BridgeError, isBridgeError} from '../errors.ts';
import {type PublicKey, signerOf} from './keys.ts';
import type {Manifest, ReadManifest} from './manifest.ts';

/** A manifest as it came or is kept, with its signature. */
export type Signed = {readonly bytes: Buffer; readonly signature: string};

/** A manifest that may be older than what is accepted, but is whole and signed. */
export type Verified = Signed & {readonly manifest: Manifest; readonly keyId: string; readonly digest: string};

export type Reason = 'signature' | 'malformed' | 'expired' | 'from_the_future' | 'rollback' | 'changed_under_its_serial';

export type Verdict =
	| {readonly verdict: 'accepted' | 'nothing_new'; readonly verified: Verified}
	| {readonly verdict: 'refused'; readonly reason: Reason; readonly error: BridgeError};

/** How far the clocks of a bridge and of who signs may differ, in milliseconds. */
const clockSkew = 24 * 3_600_000;

export const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** The signature first: nothing of an unsigned manifest is even read. Throws ERR_SIGNATURE, ERR_TOO_LARGE or ERR_MALFORMED. */
export function verify(signed: Signed, keys: readonly PublicKey[], readManifest: ReadManifest): Verified {
	const signer = signerOf(signed.bytes, signed.signature, keys);
	if (!signer) {
		const message = `the manifest of the update server is not signed by a configured key (${keys.map(({id}) => id).join(', ')}): it is another one's, or was changed on its way`;
		throw new BridgeError('ERR_SIGNATURE', message);
	}
	return {...signed, manifest: readManifest(signed.bytes), keyId: signer.id, digest: digestOf(signed.bytes)};
}

export type Bench = {
	readonly keys: readonly PublicKey[];
	readonly readManifest: ReadManifest;
	/** The last accepted one. */
	readonly last: Verified | undefined;
	/** Unix milliseconds. */
	readonly now: number;
};

/** What is to be done with a manifest, whichever way it came. */
export function judge(signed: Signed, {keys, readManifest, last, now}: Bench): Verdict {
	let verified: Verified;
	try {
		verified = verify(signed, keys, readManifest);
	} catch (error) {
		if (!isBridgeError(error)) throw error;
		return {verdict: 'refused', reason: error.code === 'ERR_SIGNATURE' ? 'signature' : 'malformed', error};
	}
	const fault = faultInTime(verified, now) ?? faultInOrder(verified, last);
	if (fault) return {verdict: 'refused', reason: fault[0], error: new BridgeError('ERR_SIGNATURE', fault[1])};
	return {verdict: verified.digest === last?.digest ? 'nothing_new' : 'accepted', verified};
}

type Fault = readonly [Reason, string];

const dateOf = (millis: number): string => new Date(millis).toISOString();

export const isExpired = ({expiresAt}: Manifest, now: number): boolean => now >= expiresAt;

function faultInTime({manifest}: Verified, now: number): Fault | undefined {
	const {serial, issuedAt, expiresAt} = manifest;
	if (isExpired(manifest, now)) {
		return [
			'expired',
			`manifest ${serial} expired at ${dateOf(expiresAt)}: the update server has to issue it anew, or somebody holds the newer one back`,
		];
	}
	if (issuedAt <= now + clockSkew) return undefined;
	return [
		'from_the_future',
		`manifest ${serial} was issued at ${dateOf(issuedAt)}, which is yet to come: check the clock of this machine`,
	];
}

function faultInOrder({manifest: {serial}, digest}: Verified, last: Verified | undefined): Fault | undefined {
	if (!last || serial > last.manifest.serial || digest === last.digest) return undefined;
	return serial < last.manifest.serial
		? [
				'rollback',
				`manifest ${serial} is older than ${last.manifest.serial}, which was accepted before: somebody offers what is out of date`,
			]
		: [
				'changed_under_its_serial',
				`manifest ${serial} is not the one that was accepted under this serial (SHA-256 ${digest.slice(0, 16)} instead of ${last.digest.slice(0, 16)}): ask who signs the updates`,
			];
}
