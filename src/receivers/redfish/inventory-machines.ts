import type {Attributes} from '../../event.ts';
import type {Collected, InventoryPart, InventorySection, NetworkInterface} from '../../inventory.ts';
import {inOrder} from '../../inventory-words.ts';
import type {RedfishSystem} from './config.ts';
import {biosOf, type Found, isAbsent, machineOf, partOf} from './inventory-part.ts';
import type {FoundInterface, Walked} from './inventory-walk.ts';
import {isObject, type Json, linkIn} from './json.ts';
import {type Owners, ownersOf} from './owners.ts';

export type Asked = {
	readonly target: RedfishSystem;
	readonly sections: ReadonlySet<InventorySection>;
	readonly faults: readonly string[];
	readonly collectedAt: number;
};

/**
Each machine behind the module with what is its own, by the attributes by which its events name it. What is of no machine, or
of several, is the enclosure's.
*/
export function machinesIn(walked: Walked, {target, sections, faults, collectedAt}: Asked): Collected[] {
	const {systems, chassis, found, interfaces} = walked;
	const owners = ownersOf(systems, chassis, target);
	const described = describedBy(systems, chassis, owners);
	const parts = Map.groupBy(found, each => ownerOf(each, owners));
	const network = Map.groupBy(interfaces, each => ownerOf(each, owners));
	return [...new Set([...described.keys(), ...parts.keys(), ...network.keys()])].flatMap(resource => {
		const by = described.get(resource);
		// A machine that could not be read is not told of by the little that others say of it.
		if (!by && resource !== owners()) return [];
		const inventory = {
			collectedAt,
			source: 'redfish',
			machine: sections.has('hardware') ? machineOf(by) : {},
			parts: partsFrom(by, parts.get(resource) ?? [], sections.has('firmware')),
			...(sections.has('network') && {network: networkFrom(network.get(resource) ?? [])}),
			faults,
		};
		const isEmpty = inventory.parts.length === 0 && !inventory.network?.length;
		return isEmpty && isEnclosure(resource, systems, owners) ? [] : [{resource, inventory}];
	});
}

const isEnclosure = (resource: Attributes, systems: readonly Json[], owners: Owners): boolean =>
	systems.length > 1 && resource === owners();

const isRead = (system: Json): boolean => Object.keys(system).length > 1;

/** A machine is what its system says; the enclosure around several, or around none, what the one case says that is in no other. */
function describedBy(systems: readonly Json[], chassis: readonly Json[], owners: Owners): Map<Attributes, Json> {
	const isOutermost = (each: Json) => !isAbsent(each) && !(isObject(each.Links) && each.Links.ContainedBy);
	const cases = chassis.filter(each => isOutermost(each) && owners(linkIn(each)) === owners());
	const described = new Map<Attributes, Json>();
	if (cases.length === 1 && cases[0]) described.set(owners(), cases[0]);
	for (const system of systems.filter(isRead)) {
		const owner = owners(linkIn(system));
		if (!isEnclosure(owner, systems, owners)) described.set(owner, system);
	}
	return described;
}

/** By its own address, or by what it is said to be of where that is one machine alone. */
function ownerOf(found: Found | FoundInterface, owners: Owners): Attributes {
	const own = 'path' in found ? owners(found.path) : owners();
	if (own !== owners()) return own;
	const named = new Set(found.of.map(path => owners(path)));
	return named.size === 1 ? owners(found.of[0]) : owners();
}

function partsFrom(by: Json | undefined, found: readonly Found[], withFirmware: boolean): InventoryPart[] {
	const bios = withFirmware && by ? biosOf(by, linkIn(by) ?? 'system') : undefined;
	return inOrder([...(bios ? [bios] : []), ...withoutTwins(found.flatMap(each => partOf(each, withFirmware) ?? []))]);
}

/** Modules show a disk or a card by its storage or its system, and once more, under another address, by its chassis. */
function withoutTwins(parts: readonly InventoryPart[]): InventoryPart[] {
	const seen = new Set<string>();
	return parts.filter(({type, model, serialNumber}) => {
		if (serialNumber === undefined || (type !== 'physical_disk' && type !== 'pci_device')) return true;
		const key = JSON.stringify([type, model, serialNumber]);
		const isNew = !seen.has(key);
		seen.add(key);
		return isNew;
	});
}

const networkFrom = (interfaces: readonly FoundInterface[]): NetworkInterface[] =>
	interfaces.map(({told}) => told).toSorted((one, other) => (one.name < other.name ? -1 : one.name > other.name ? 1 : 0));
