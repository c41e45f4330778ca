import type {InventoryPart, NetworkInterface} from '../../src/inventory.ts';
import type {Submission} from '../../src/submission.ts';
import {oneLine} from './text.ts';

type Body = {readonly [field: string]: unknown};

const longest = 255;
const text = (value: string | undefined) => (value === undefined ? undefined : oneLine(value, longest));

/** `cpu`, `memory` … with the marks by which a part is ordered. What is not known is left out by JSON. */
const partOf = (part: InventoryPart): Body => ({
	type: text(part.type),
	id: text(part.id),
	name: text(part.name),
	manufacturer: text(part.vendor),
	model: text(part.model),
	part_number: text(part.partNumber),
	fru_number: text(part.fruNumber),
	serial_number: text(part.serialNumber),
	version: text(part.version),
	location: text(part.location),
	size_bytes: part.size,
	...(part.properties && {properties: part.properties}),
});

const interfaceOf = ({name, macAddress, addresses, speed, state}: NetworkInterface): Body => ({
	name: text(name),
	mac_address: text(macAddress),
	addresses: addresses.map(address => oneLine(address, longest)),
	speed_mbps: speed,
	state: text(state),
});

/** What a system consists of, as it leaves. IBM publishes no form for it: the content is free (wire format, section 3.3). */
export function inventoryOf({content: {system, inventory}}: Submission): Body {
	if (!inventory) throw new TypeError('an inventory without content');
	const {machine, parts, operatingSystem, network, packages, faults, collectedAt, source} = inventory;
	return {
		collected_at: new Date(collectedAt).toISOString(),
		source,
		machine: {
			machine_type: system.machineType,
			model: system.model,
			serial_number: system.serialNumber,
			manufacturer: text(machine.vendor),
			product: text(machine.product),
			found_serial_number: text(machine.serialNumber),
			uuid: text(machine.uuid),
			kind: text(machine.kind),
		},
		parts: parts.map(partOf),
		operating_system: operatingSystem,
		network_interfaces: network?.map(interfaceOf),
		packages,
		faults: faults.map(fault => oneLine(fault, longest)),
	};
}
