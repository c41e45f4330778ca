import {resolve} from 'node:path';
import type {Activity} from '../activity.ts';
import type {Config} from '../config.ts';
import type {Destination} from '../destination.ts';
import {destinationUpdateSchema} from '../destinations/config.ts';
import {applyUpdate} from '../destinations/list.ts';
import {BridgeError, isBridgeError} from '../errors.ts';
import {packageVersion} from '../own-telemetry/resource.ts';
import {type ProcessorsConfig, serviceabilityRuleSchema} from '../processors/config.ts';
import {readAuthorities, trusting} from '../sending/authorities.ts';
import type {Store} from '../store/store.ts';
import {attributeNames, bridgeMetrics, observe} from '../telemetry.ts';
import type {UpdatesConfig} from '../updates/config.ts';
import type {Fetch} from '../updates/fetch.ts';
import {readPublicKeys} from '../updates/keys.ts';
import {createManifestReader} from '../updates/manifest.ts';
import {loadRules, readRules, rulesFile} from '../updates/rules.ts';
import {type House, kinds} from '../updates/staging.ts';
import {recallAccepted, stateFiles} from '../updates/state.ts';
import {createUpdates, type Updates} from '../updates/updates.ts';
import type {Log} from './log.ts';
import {destinationsIn, type Ways} from './ways.ts';

export const readManifest = createManifestReader(destinationUpdateSchema);
export const checkRules = (text: string): readonly string[] => readRules(text, serviceabilityRuleSchema).faults;

export function houseOf({store}: Pick<Config, 'store'>): House {
	const directory = resolve(store.directory);
	return {...stateFiles(directory), directory, runningVersion: packageVersion()};
}

/** How the update server is asked. Its `ca_file` vouches for the host of its `url`, and for nobody that something is sent to. */
export function updateWays({url, ca_file}: UpdatesConfig, {fetch}: Pick<Ways, 'fetch'>): {https: Fetch; http: Fetch} {
	const trust = ca_file === undefined ? undefined : trusting(readAuthorities(ca_file));
	const https: Fetch = (target, options) => fetch(target, target.hostname === url.hostname ? {...options, trust} : options);
	return {https, http: fetch};
}

/** Where everything goes with the list that was accepted before, for a command that runs beside the bridge or without it. */
export async function recallDestinations(config: Config): Promise<readonly Destination[]> {
	const known = destinationsIn(config);
	const {updates} = config.destinations;
	if (!updates) return known;
	const {accepted} = await recallAccepted(houseOf(config), readPublicKeys(updates.public_key_file), readManifest);
	return accepted ? applyUpdate(known, accepted.manifest.destinations) : known;
}

/** The configured rules, then those of the last update that the operator applied. Throws ERR_CONFIG when those cannot be used. */
export function serviceabilityRules({
	processors,
	store,
}: Pick<Config, 'processors' | 'store'>): ProcessorsConfig['serviceability'] {
	const directory = resolve(store.directory);
	const text = loadRules(directory);
	if (text === undefined) return processors.serviceability;
	const {rules, faults} = readRules(text, serviceabilityRuleSchema);
	if (faults.length === 0) return [...processors.serviceability, ...rules];
	const message = `${rulesFile(directory)} cannot be used: ${faults.slice(0, 5).join('; ')}. Correct it or remove it.`;
	throw new BridgeError('ERR_CONFIG', message);
}

export type UpdateSurroundings = {
	readonly store: Store;
	readonly ways: Ways;
	readonly log: Log;
	/** There are other servers: what waits for one may go now. */
	readonly onDestinations: () => Promise<void>;
	readonly stack: AsyncDisposableStack;
};

/** Puts in force what was accepted before, and asks the update server from now on. Undefined when none is configured. */
export async function startUpdates(config: Config, surroundings: UpdateSurroundings): Promise<Updates | undefined> {
	const {store, ways, log, onDestinations, stack} = surroundings;
	const {updates: updatesConfig} = config.destinations;
	if (!updatesConfig) return undefined;
	const note = async (activity: Activity) => {
		await store.write(records => records.addActivities([activity]));
		log(activity.level, activity.text);
	};
	const updates = createUpdates(updatesConfig, {
		...houseOf(config),
		...updateWays(updatesConfig, ways),
		destinations: destinationUpdateSchema,
		checkRules,
		note,
		onDestinations({destinations}) {
			ways.setDestinations(applyUpdate(destinationsIn(config), destinations));
			onDestinations().catch(error => {
				if (!isBridgeError(error)) throw error;
				log('warn', `what waits for a server goes out at its next turn: ${error.message}`);
			});
		},
	});
	stack.defer(() => updates.shutdown());
	await updates.start();
	return updates;
}

/** Registers the gauge with the OpenTelemetry SDK that is in force now. */
export function observeUpdates(updates: Updates | undefined): void {
	if (!updates) return;
	observe(bridgeMetrics.updateWaiting, () =>
		kinds.map(kind => ({
			value: updates.waiting().filter(waiting => waiting.kind === kind).length,
			attributes: {[attributeNames.updateKind]: kind},
		})),
	);
}
