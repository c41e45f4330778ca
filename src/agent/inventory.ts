import {hostname} from 'node:os';
import type {Config} from '../config.ts';
import {toError} from '../errors.ts';
import type {InventorySource} from '../inventory.ts';
import {emitInventory} from '../own-telemetry/events.ts';
import type {SystemsNow} from '../own-telemetry/systems.ts';
import {type System, systemLabel} from '../problem.ts';
import type {KnownSystem} from '../processors/config.ts';
import {createIdentifyResource, toSystem} from '../processors/identify.ts';
import {defaultRoots} from '../receivers/host/config.ts';
import {systemInventories} from '../sending/settling.ts';
import {dueAt, type InventoryState, inventorySettings, readInventoryState} from '../service-information/inventory.ts';
import {
	collectedSettings,
	createInventorySchedule,
	type InventorySchedule,
	type Kept,
	keyOfSource,
	targetName,
} from '../service-information/inventory-schedule.ts';
import type {Marks} from '../source.ts';
import type {Records, Store} from '../store/store.ts';
import type {Log} from './log.ts';
import {marksIn} from './sources.ts';
import type {Upkeep} from './upkeep.ts';

export type InventorySourceParts = {readonly marks: Marks; readonly log: Log};

/**
Who can look into the machines of this configuration: this one when `system` names it, and those behind the management modules
that are watched.
*/
export async function inventorySourcesOf(
	{system, receivers}: Pick<Config, 'system' | 'receivers'>,
	parts: InventorySourceParts,
): Promise<readonly InventorySource[]> {
	const {host, redfish, snmp} = receivers;
	const made = [
		system &&
			import('../receivers/host/inventory.ts').then(module => [module.createHostInventory({roots: host?.roots ?? defaultRoots})]),
		redfish && import('../receivers/redfish/inventory.ts').then(module => module.createRedfishInventories(redfish, parts)),
		snmp && import('../receivers/snmp/inventory.ts').then(module => module.createSnmpInventories(snmp, parts)),
	];
	return (await Promise.all(made.filter(sources => sources !== undefined))).flat();
}

/** Collects on schedule and queues. Undefined where no inventory may leave. */
export async function startInventories(
	config: Config,
	systems: readonly KnownSystem[],
	mayTell: boolean,
	upkeep: Upkeep,
): Promise<InventorySchedule | undefined> {
	if (!mayTell) return undefined;
	const {store, log, stack} = upkeep;
	const {interval, include} = config.service_information.inventory;
	const sources = await inventorySourcesOf(config, {marks: marksIn(store), log});
	// What cannot be tidied up now is another time: a full disk does not keep the bridge from starting.
	await store
		.write(records => forgetStrays(records, sources))
		.catch(error => log('error', `inventories of former targets could not be forgotten: ${toError(error).message}`));
	const schedule = createInventorySchedule({
		sources,
		sections: new Set(include),
		intervalMillis: interval,
		identify: createIdentifyResource(systems),
		write: store.write,
		onKept: kept => reportKept(kept, upkeep),
		onTrouble: (source, trouble) => reportTrouble(source, trouble, upkeep),
	});
	stack.defer(() => schedule.shutdown());
	await schedule.start();
	return schedule;
}

/** A target that is no longer configured is not waited for. */
async function forgetStrays(records: Records, sources: readonly InventorySource[]): Promise<void> {
	const isConfigured = ({source, target}: InventoryState) =>
		sources.some(other => other.source === source && other.target === target);
	for (const [name, text] of await records.readSettingsUnder(inventorySettings)) {
		const state = readInventoryState(text);
		if (!state || !isConfigured(state)) await records.removeSetting(inventorySettings + name);
	}
	const keys = new Set(sources.map(keyOfSource));
	for (const key of (await records.readSettingsUnder(collectedSettings)).keys())
		if (!keys.has(key)) await records.removeSetting(collectedSettings + key);
}

function reportKept({system, state: {source, digest, parts}, isNew, isFirst}: Kept, {store, log, wake}: Upkeep): void {
	wake();
	emitInventory({system, source, digest, parts, isNew});
	if (!isNew) return;
	const text = `inventory of ${system.name} (${source}): ${parts} parts, ${isFirst ? 'the first' : 'changed'}`;
	log('info', text);
	note(store, log, {level: 'info', word: 'inventory_changed', text});
}

function reportTrouble(source: InventorySource, trouble: string, {store, log}: Upkeep): void {
	const works = trouble === '';
	const text = works
		? `inventory of ${targetName(source)}: collected again`
		: `inventory of ${targetName(source)} could not be collected: ${trouble}`;
	const level = works ? 'info' : 'warn';
	log(level, text);
	note(store, log, {level, word: works ? 'inventory_collected' : 'inventory_failed', text});
}

function note(store: Store, log: Log, activity: {level: 'info' | 'warn'; word: string; text: string}): void {
	store
		.write(records => records.addActivities([{at: Date.now(), ...activity}]))
		.catch(error => log('error', `the activity log does not take what is told of an inventory: ${String(error)}`));
}

/** What is known of each system's inventory by each source. Times in Unix milliseconds. */
export type KnownInventory = InventoryState & {readonly lastSuccess: number | undefined; readonly due: number};

/** For the metrics and for people. */
export async function readInventories(
	records: Pick<Records, 'readSettingsUnder'>,
	intervalMillis: number,
): Promise<readonly KnownInventory[]> {
	const states = [...(await records.readSettingsUnder(inventorySettings)).values()].map(readInventoryState);
	const answered = await records.readSettingsUnder(systemInventories);
	return states
		.filter(state => state !== undefined)
		.map(state => {
			const at = answered.get(`${state.label}/${state.source}`);
			const lastSuccess = at === undefined ? undefined : Number(at);
			return {...state, lastSuccess, due: dueAt(state, lastSuccess, intervalMillis)};
		});
}

/**
The same by system, as metrics tell it; a system that the configuration does not list has the name that was collected. Of several
sources the last one that was acknowledged counts, and the first that is due: one that works does not hide one that does not.
*/
export async function inventoriesBySystem(
	records: Pick<Records, 'readSettingsUnder'>,
	known: readonly KnownSystem[],
	intervalMillis: number,
): Promise<NonNullable<SystemsNow['inventories']>> {
	const configured = new Map(
		known.map(system => toSystem(system, hostname())).map(system => [systemLabel(system), system] as const),
	);
	const bySystem = Map.groupBy(await readInventories(records, intervalMillis), ({label}) => label);
	return [...bySystem.values()].flatMap(ofSystem => {
		const [first] = ofSystem;
		const system = first && (configured.get(first.label) ?? systemOf(first));
		if (!system) return [];
		const successes = ofSystem.flatMap(({lastSuccess}) => lastSuccess ?? []);
		const lastSuccess = successes.length > 0 ? Math.max(...successes) : undefined;
		return [{system, lastSuccess, due: Math.min(...ofSystem.map(({due}) => due))}];
	});
}

function systemOf({label, name}: InventoryState): System | undefined {
	const [, machineType, model, serialNumber] = /^(.{4})-([^/]*)\/(.*)$/.exec(label) ?? [];
	return machineType && model && serialNumber ? {name, machineType, model, serialNumber} : undefined;
}
