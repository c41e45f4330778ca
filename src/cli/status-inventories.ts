import type {Config} from '../config.ts';

/** What `status` says of inventories; null where none may leave. */
export type InventoriesStatus = {
	readonly systems: number;
	/** Of these, those whose inventory was not acknowledged in time. */
	readonly overdue: number;
} | null;

/** An inventory is overdue when another interval has passed since it was due. `due` in Unix milliseconds. */
export function inventoriesStatus(
	{consent, service_information: {inventory}}: Pick<Config, 'consent' | 'service_information'>,
	systems: readonly {readonly due: number}[],
	now = Date.now(),
): InventoriesStatus {
	if (!consent.inventory || !consent.cases) return null;
	return {systems: systems.length, overdue: systems.filter(({due}) => now - due > inventory.interval).length};
}

export function inventoriesText(status: InventoriesStatus): string | undefined {
	if (status === null) return undefined;
	const {systems, overdue} = status;
	const late = overdue === 0 ? '' : `, ${overdue} overdue: "callhome service-information show"`;
	return systems === 0 ? 'none collected yet' : `of ${systems} system${systems === 1 ? '' : 's'}${late}`;
}
