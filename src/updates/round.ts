import {type BridgeError, isBridgeError, toError} from '../errors.ts';
import type {UpdatesConfig} from './config.ts';
import {type Fetched, fetchSigned, type Ways} from './fetch.ts';
import {isExpired, judge, type Verified} from './judge.ts';
import type {PublicKey} from './keys.ts';
import type {ReadManifest} from './manifest.ts';
import {type CheckRules, type House, isStaged, offersOf, removeOutdated, stage, type Waiting} from './staging.ts';
import {type Accepted, type Check, keepAccepted, recallAccepted, type Trouble} from './state.ts';

export type RoundParts = Ways &
	House & {
		readonly config: UpdatesConfig;
		readonly keys: readonly PublicKey[];
		readonly readManifest: ReadManifest;
		readonly checkRules: CheckRules;
		readonly now: () => number;
	};

export type Asked = Pick<Check, 'outcome' | 'origin' | 'serial' | 'troubles'> & {
	/** The manifest, when it is a new one. */
	readonly accepted?: Accepted;
};

/** A failure that is no bug: it has a code, or a signal gave up. */
const isExpected = (error: unknown, signal: AbortSignal): boolean =>
	isBridgeError(error) || signal.aborted || error instanceof DOMException;

export function troubleOf(word: string, thrown: unknown): Trouble {
	const error = toError(thrown);
	return {word, code: 'code' in error ? String(error.code) : error.name, text: error.message};
}

/** Asks the update server, and keeps a manifest that is good and new before anybody acts on it. */
export async function ask(parts: RoundParts, last: Verified | undefined, signal: AbortSignal): Promise<Asked> {
	const {config, keys, readManifest, now} = parts;
	let fetched: Fetched;
	try {
		fetched = await fetchSigned(config, parts, signal);
	} catch (error) {
		if (!isExpected(error, signal)) throw error;
		return {outcome: 'failed', troubles: [troubleOf('update_unreachable', error)]};
	}
	const {origin} = fetched;
	const overHttp = overHttpTroubles(fetched.because);
	const verdict = judge(fetched, {keys, readManifest, last, now: now()});
	if (verdict.verdict === 'refused') {
		return {outcome: 'refused', origin, troubles: [...overHttp, troubleOf('update_refused', verdict.error)]};
	}
	const {verified} = verdict;
	const {serial} = verified.manifest;
	if (verdict.verdict === 'nothing_new') return {outcome: 'nothing_new', origin, serial, troubles: overHttp};
	const accepted: Accepted = {...verified, origin, acceptedAt: now()};
	// A command or the bridge may have accepted a newer one while this one was fetched.
	const meanwhile = (await recallAccepted(parts, keys, readManifest)).accepted;
	if (meanwhile && meanwhile.manifest.serial >= serial) return {outcome: 'nothing_new', origin, serial, troubles: overHttp};
	await keepAccepted(parts, accepted);
	return {outcome: 'accepted', origin, serial, troubles: overHttp, accepted};
}

const overHttpTroubles = (because: BridgeError | undefined): Trouble[] =>
	because
		? [{word: 'update_over_http', code: because.code, text: `no HTTPS path works, asked over plain HTTP: ${because.message}`}]
		: [];

export type Staged = {readonly waiting: readonly Waiting[]; readonly troubles: readonly Trouble[]};

/** Downloads what the manifest offers and is not here yet, or is damaged; removes what is not offered any more. */
export async function stageAll({manifest}: Verified, parts: RoundParts, signal: AbortSignal): Promise<Staged> {
	if (isExpired(manifest, parts.now())) return {waiting: [], troubles: []};
	const offers = await offersOf(manifest, parts);
	const waiting: Waiting[] = [];
	const troubles: Trouble[] = [];
	for (const offer of offers) {
		const {kind, version, file, size} = offer;
		try {
			if (!(await isStaged(offer))) await stage(offer, {...parts, maxProgramSize: parts.config.max_program_size}, signal);
			waiting.push({kind, version, file, size});
		} catch (error) {
			if (!isExpected(error, signal)) throw error;
			troubles.push(troubleOf('update_not_staged', error));
		}
	}
	await removeOutdated(offers, parts);
	return {waiting, troubles};
}
