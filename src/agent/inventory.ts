import {hostname} from 'node:os';
import type {Config} from '../config.ts';
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
	const {host, redfish} = receivers;
	const made = [
		system &&
			import('../receivers/host/inventory.ts').then(module => [module.createHostInventory({roots: host?.roots ?? defaultRoots})]),
		redfish && import('../receivers/redfish/inventory.ts').then(module => module.createRedfishInventories(redfish, parts)),
	];
	return (await Promise.all(made.filter(sources => sources !== undefined))).flat();
}

/** Whether an inventory may leave: it has a consent of its own. */
export const mayTell = ({consent}: Pick<Config, 'consent'>, maySend: boolean): boolean => maySend && consent.inventory;

/** Collects on schedule and queues. Where no inventory may leave, what was queued before is taken back (G5). */
export async function startInventories(
	config: Config,
	systems: readonly KnownSystem[],
	maySend: boolean,
	upkeep: Upkeep,
): Promise<InventorySchedule | undefined> {
	const {store, log, stack} = upkeep;
	if (!mayTell(config, maySend)) {
		await takeBack(config, maySend, upkeep);
		return undefined;
	}
	const {interval, include} = config.service_information.inventory;
	const sources = await inventorySourcesOf(config, {marks: marksIn(store), log});
	await store.write(records => forgetStrays(records, sources));
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

async function takeBack({consent}: Config, maySend: boolean, {store, log}: Upkeep): Promise<void> {
	if (consent.inventory) return log('warn', 'consent.inventory alone sends nothing: it takes consent.cases and keys for IBM');
	const removed = await store.write(async records => {
		const count = await records.removeSubmissionsUnder('inventory', 'inventory_');
		await records.removeSettingsUnder(collectedSettings);
		await records.removeSettingsUnder(inventorySettings);
		const text = `${count} inventories that waited were taken back: consent.inventory is not given`;
		if (count > 0) await records.addActivities([{at: Date.now(), level: 'warn', word: 'inventory_withdrawn', text}]);
		return count;
	});
	if (removed > 0 && maySend) log('warn', `${removed} inventories that waited were taken back: consent.inventory is not given`);
}

/** A target that is no longer configured is not waited for. */
async function forgetStrays(records: Records, sources: readonly InventorySource[]): Promise<void> {
	const isConfigured = ({source, target}: InventoryState) =>
		sources.some(other => other.source === source && other.target === target);
	for (const [name, text] of await records.readSettingsUnder(inventorySettings)) {
		const state = readInventoryState(text);
		if (!state || !isConfigured(state)) await records.removeSetting(inventorySettings + name);
	}
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

/** What is known of each system's inventory, for the metrics and for people. */
export async function readInventories(
	records: Pick<Records, 'readSettingsUnder'>,
	intervalMillis: number,
): Promise<readonly {states: readonly InventoryState[]; lastSuccess: number | undefined; due: number}[]> {
	const states = [...(await records.readSettingsUnder(inventorySettings)).values()]
		.map(readInventoryState)
		.filter(state => state !== undefined);
	const answered = await records.readSettingsUnder(systemInventories);
	return [...Map.groupBy(states, ({label}) => label)].flatMap(([label, ofSystem]) => {
		const at = answered.get(label);
		const lastSuccess = at === undefined ? undefined : Number(at);
		const due = dueAt(ofSystem, lastSuccess, intervalMillis);
		return due === undefined ? [] : [{states: ofSystem, lastSuccess, due}];
	});
}

/** The same by system, as metrics tell it; a system that the configuration does not list has the name that was collected. */
export async function inventoriesBySystem(
	records: Pick<Records, 'readSettingsUnder'>,
	known: readonly KnownSystem[],
	intervalMillis: number,
): Promise<NonNullable<SystemsNow['inventories']>> {
	const configured = new Map(
		known.map(system => toSystem(system, hostname())).map(system => [systemLabel(system), system] as const),
	);
	return (await readInventories(records, intervalMillis)).flatMap(({states: [state], lastSuccess, due}) => {
		const system = state && (configured.get(state.label) ?? systemOf(state));
		return system ? [{system, lastSuccess, due}] : [];
	});
}

function systemOf({label, name}: InventoryState): System | undefined {
	const [, machineType, model, serialNumber] = /^(.{4})-([^/]*)\/(.*)$/.exec(label) ?? [];
	return machineType && model && serialNumber ? {name, machineType, model, serialNumber} : undefined;
}
