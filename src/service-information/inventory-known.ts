import type {Attributes} from '../event.ts';
import type {Collected, Inventory} from '../inventory.ts';
import {wordIn} from '../inventory-words.ts';
import {type System, systemLabel} from '../problem.ts';

export type KnownMachine = {readonly system: System; readonly inventory: Inventory};

/** Whose each inventory is, and what is to be done about those of which nobody knows. */
export function knownAmong(
	collected: readonly Collected[],
	identify: (resource: Attributes) => System | undefined,
): {readonly known: readonly KnownMachine[]; readonly troubles: readonly string[]} {
	const known = new Map<string, KnownMachine & {readonly name: string}>();
	const troubles: string[] = [];
	for (const {resource, inventory} of collected) {
		const system = identify(resource);
		const label = system && systemLabel(system);
		const first = label === undefined ? undefined : known.get(label);
		if (!system || label === undefined) troubles.push(advice(resource));
		else if (first)
			troubles.push(`${nameOf(resource)} and ${first.name} are both known as ${label}: tell them apart under systems`);
		else known.set(label, {system, inventory, name: nameOf(resource)});
	}
	return {known: [...known.values()], troubles};
}

/** What names a machine, the clearest first. */
const naming = ['host.name', 'server.address', 'host.id'] as const;

const nameOf = (resource: Attributes): string => naming.map(name => wordIn(resource[name])).find(word => word) ?? 'a machine';

/** Who reads it knows what to add. */
function advice(resource: Attributes): string {
	const name = naming.find(each => wordIn(resource[each]) !== undefined) ?? 'host.name';
	const match = `match: {${name}: ${JSON.stringify(wordIn(resource[name]) ?? '...')}}`;
	return `${nameOf(resource)} is not known: add under systems: - ${match}, machine_type, model, serial_number`;
}
