import type {InventoryPart} from '../../inventory.ts';
import {withoutUnknown} from '../../inventory-words.ts';
import type {Roots} from './config.ts';
import {list, readText} from './tree.ts';

/** Enough for the largest machines: each function of a device is an entry of its own. */
const mostDevices = 2000;

/** Base classes of the PCI Code and ID Assignment Specification, as the first byte of the class code. */
const classes: Readonly<Record<string, string>> = {
	'01': 'mass storage',
	'02': 'network',
	'03': 'display',
	'04': 'multimedia',
	'05': 'memory',
	'06': 'bridge',
	'07': 'communication',
	'08': 'system peripheral',
	'0b': 'processor',
	'0c': 'serial bus',
	'0d': 'wireless',
	'10': 'encryption',
	'11': 'signal processing',
	'12': 'accelerator',
};
const isPlumbing = (code: string) => code === '06' || code === '08' || code === '05';

/** `0x8086` without what says that it is hexadecimal. */
const hex = (text: string | undefined) => (/^0x[\da-f]{4,6}$/i.test(text ?? '') ? text?.slice(2).toLowerCase() : undefined);

/** The devices of the PCI buses from sysfs, by their numbers: names need a database that not every machine has. Bridges are left out. */
export async function pciDevices(roots: Roots): Promise<InventoryPart[]> {
	const addresses = (await list(roots.sys, 'bus/pci/devices')) ?? [];
	const found = await Promise.all(addresses.slice(0, mostDevices).map(address => deviceAt(roots, address)));
	return found.filter(device => device !== undefined);
}

async function deviceAt(roots: Roots, address: string): Promise<InventoryPart | undefined> {
	const read = async (field: string) => hex(await readText(roots.sys, 'bus/pci/devices', address, field));
	const [vendor, device, code, subVendor, subDevice] = await Promise.all(
		['vendor', 'device', 'class', 'subsystem_vendor', 'subsystem_device'].map(read),
	);
	const base = code?.slice(0, 2) ?? '';
	if (vendor === undefined || device === undefined || isPlumbing(base)) return undefined;
	const subsystem = subVendor && subDevice && subVendor !== '0000' ? `${subVendor}:${subDevice}` : undefined;
	return withoutUnknown({
		type: 'pci_device',
		id: address.slice(0, 64),
		name: classes[base],
		vendor,
		model: `${vendor}:${device}`,
		properties: withoutUnknown({subsystem}),
	});
}
