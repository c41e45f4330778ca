import {houseOf, readManifest} from '../agent/updates.ts';
import type {Config} from '../config.ts';
import {isBridgeError} from '../errors.ts';
import {isExpired} from '../updates/judge.ts';
import {readPublicKeys} from '../updates/keys.ts';
import {offersOf, stagedOf, type Waiting} from '../updates/staging.ts';
import {readCheck, recallAccepted} from '../updates/state.ts';
import {printable, timeText} from './print.ts';

/** What `status` says of updates. */
export type UpdatesStatus = {
	readonly serial: number | null;
	readonly last_check: string | null;
	readonly outcome: string | null;
	readonly waiting: readonly Waiting[];
	/** CODE: TEXT. */
	readonly troubles: readonly string[];
};

/** Null when no update server is configured. A key that cannot be read is a trouble. */
export async function readUpdatesStatus(config: Config, now = Date.now()): Promise<UpdatesStatus | null> {
	const {updates} = config.destinations;
	if (!updates) return null;
	const house = houseOf(config);
	const check = await readCheck(house);
	const status = {
		serial: null,
		last_check: timeText(check?.at) ?? null,
		outcome: check?.outcome ?? null,
		waiting: [],
		troubles: (check?.troubles ?? []).map(({code, text}) => `${code}: ${text}`),
	};
	try {
		const {accepted} = await recallAccepted(house, readPublicKeys(updates.public_key_file), readManifest);
		if (!accepted) return status;
		const {manifest} = accepted;
		const waiting = isExpired(manifest, now) ? [] : await stagedOf(await offersOf(manifest, house));
		return {...status, serial: manifest.serial, waiting};
	} catch (error) {
		if (!isBridgeError(error)) throw error;
		return {...status, troubles: [...status.troubles, `${error.code}: ${error.message}`]};
	}
}

export function updatesText(updates: UpdatesStatus | null): string | undefined {
	if (!updates) return undefined;
	const [trouble] = updates.troubles;
	if (updates.waiting.length > 0) {
		return updates.waiting
			.map(({kind, version}) => `${kind} ${version} waits: "callhome update apply ${kind}"`)
			.concat(trouble === undefined ? [] : printable(trouble))
			.join('; ');
	}
	if (trouble !== undefined) return printable(trouble);
	return updates.last_check === null ? 'not asked for yet' : `none waits, last asked for ${updates.last_check}`;
}
