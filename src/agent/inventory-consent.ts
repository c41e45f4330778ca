import type {Config} from '../config.ts';
import {toError} from '../errors.ts';
import {inventorySections} from '../inventory.ts';
import {inventorySettings} from '../service-information/inventory.ts';
import {collectedSettings} from '../service-information/inventory-schedule.ts';
import type {Records, Store} from '../store/store.ts';
import type {Log} from './log.ts';

/** The setting that holds the sections which what waits may tell of. */
const includedSetting = 'inventory.include';

/**
Takes back what was queued under a consent, or under an `include`, that is no longer given (G5). To be awaited before anything
is sent. Resolves to whether inventories may leave: also not when what waits could not be taken back.
*/
export async function settleInventoryConsent(
	{consent, service_information: {inventory}}: Pick<Config, 'consent' | 'service_information'>,
	maySend: boolean,
	{store, log}: {readonly store: Pick<Store, 'write'>; readonly log: Log},
): Promise<boolean> {
	if (consent.inventory && !maySend)
		log('warn', 'consent.inventory alone sends nothing: it takes consent.cases and keys for IBM');
	try {
		const why = consent.inventory ? 'they tell more than is included now' : 'consent.inventory is not given';
		const removed = await store.write(records =>
			consent.inventory ? narrow(records, inventory.include, why) : takeBack(records, why),
		);
		if (removed > 0 && maySend) log('warn', textOf(removed, why));
		return consent.inventory && maySend;
	} catch (error) {
		log('error', `no inventory leaves: what waits could not be looked through: ${toError(error).message}`);
		return false;
	}
}

const textOf = (count: number, why: string) => `${count} inventories that waited were taken back: ${why}`;

/** What was queued when more was included waits no longer; it is collected anew. */
async function narrow(records: Records, include: readonly string[], why: string): Promise<number> {
	const before = (await records.readSetting(includedSetting))?.split(',') ?? inventorySections;
	const now = [...new Set(include)].sort().join(',');
	const removed = before.every(section => include.includes(section)) ? 0 : await removeWaiting(records, why);
	if (now !== before.join(',')) await records.writeSetting(includedSetting, now);
	return removed;
}

async function takeBack(records: Records, why: string): Promise<number> {
	const removed = await removeWaiting(records, why);
	await records.removeSettingsUnder(collectedSettings);
	await records.removeSettingsUnder(inventorySettings);
	return removed;
}

async function removeWaiting(records: Records, why: string): Promise<number> {
	const removed = await records.removeSubmissionsUnder('inventory', 'inventory_');
	if (removed === 0) return 0;
	await records.removeSettingsUnder(collectedSettings);
	const text = textOf(removed, why);
	await records.addActivities([{at: Date.now(), level: 'warn', word: 'inventory_withdrawn', text}]);
	return removed;
}
