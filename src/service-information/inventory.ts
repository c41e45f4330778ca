import {createHash} from 'node:crypto';
import {z} from 'zod';
import {type Inventory, inventorySections} from '../inventory.ts';
import {type System, systemDigest, systemLabel} from '../problem.ts';
import {duration} from '../settings.ts';
import {routineSubmission, type Submission} from '../submission.ts';

const dayMillis = 86_400_000;

/** The config key `service_information.inventory`. Addresses and the list of software leave only where they are named here. */
export const inventorySchema = z.strictObject({
	interval: duration
		.refine(millis => millis >= 1000 && millis <= 30 * dayMillis, {message: 'must be from 1s to 30d'})
		.default(dayMillis),
	include: z
		.array(z.enum(inventorySections))
		.min(1, 'names nothing: leave it out, or set consent.inventory to false')
		.default(['hardware', 'firmware', 'operating_system']),
});
export type InventoryConfig = z.infer<typeof inventorySchema>;

/** Tells whether something has changed: the same parts give the same digest, whenever they were read. */
export function digestOf({collectedAt: _collectedAt, ...what}: Inventory): string {
	return createHash('sha256').update(JSON.stringify(what)).digest('hex');
}

/** How the ids of a system's inventories by one source begin: a newer one takes the place of those that wait. */
export const inventoryPrefix = (system: System, source: string): string => `inventory_${systemDigest(system)}_${source}_`;

export function inventorySubmission(system: System, inventory: Inventory, now: number): Submission {
	const id = `${inventoryPrefix(system, inventory.source)}${now}`;
	return routineSubmission('inventory', id, {system, inventory}, now);
}

/** The prefix of the settings that hold what was last collected; the system's label and the source come after. */
export const inventorySettings = 'inventory/';
export const inventorySetting = (system: System, source: string): string =>
	`${inventorySettings}${systemLabel(system)}/${source}`;

/** What is known of a system's inventory by one source, kept over a restart. Times in Unix milliseconds. */
const stateSchema = z.object({
	label: z.string(),
	name: z.string(),
	source: z.string(),
	target: z.string(),
	/** Since when it is expected. */
	since: z.number(),
	collectedAt: z.number(),
	changedAt: z.number(),
	digest: z.string(),
	parts: z.number(),
});
export type InventoryState = z.infer<typeof stateSchema>;

/** What cannot be read counts as not there: the next collection writes it anew. */
export function readInventoryState(text: string | undefined): InventoryState | undefined {
	try {
		return text === undefined ? undefined : stateSchema.parse(JSON.parse(text));
	} catch {
		return undefined;
	}
}

export type Target = {readonly source: string; readonly target: string};

export function stateAfter(
	before: InventoryState | undefined,
	system: System,
	inventory: Inventory,
	{target, now}: {readonly target: string; readonly now: number},
): InventoryState {
	const digest = digestOf(inventory);
	return {
		label: systemLabel(system),
		name: system.name,
		source: inventory.source,
		target,
		since: before?.since ?? now,
		collectedAt: inventory.collectedAt,
		changedAt: before?.digest === digest ? before.changedAt : inventory.collectedAt,
		digest,
		parts: inventory.parts.length,
	};
}

/**
When the next inventory of a system by a source is to be acknowledged, in Unix milliseconds: an interval after the last one, or
since it is expected.
*/
export const dueAt = ({since}: InventoryState, lastSuccess: number | undefined, intervalMillis: number): number =>
	lastSuccess === undefined ? since : lastSuccess + intervalMillis;
