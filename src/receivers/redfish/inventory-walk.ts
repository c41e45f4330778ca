import {BridgeError} from '../../errors.ts';
import type {InventorySection, NetworkInterface} from '../../inventory.ts';
import {type Found, interfaceOf, isAbsent, type KindName} from './inventory-part.ts';
import type {Member, Reader} from './inventory-reader.ts';
import {isObject, type Json, linkIn} from './json.ts';

/** An interface, and the addresses of what it may be of. */
export type FoundInterface = {readonly of: readonly string[]; readonly told: NetworkInterface};

/** All that one module shows. */
export type Walked = {
	/** As the module lists them; of one that could not be read there is no more than its address. */
	readonly systems: readonly Json[];
	readonly chassis: readonly Json[];
	readonly found: readonly Found[];
	readonly interfaces: readonly FoundInterface[];
};

const linksOf = (resource: Json): Json => (isObject(resource.Links) ? resource.Links : {});
const arrayIn = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value.slice(0, 100) : []);
const pathsIn = (value: unknown): string[] => arrayIn(value).flatMap(link => linkIn(link) ?? []);

/** Reads a service from its root (DSP0266, DSP8010): no more than the sections that are asked for. */
export async function walk(reader: Reader, root: Json, sections: ReadonlySet<InventorySection>): Promise<Walked> {
	const collection = (name: string) => reader.members(root[name] ?? `/redfish/v1/${name}`);
	const [withHardware, withFirmware, withNetwork] = [sections.has('hardware'), sections.has('firmware'), sections.has('network')];
	const none = {found: [], unread: []};
	const systems = await collection('Systems');
	const chassis = withHardware || withFirmware ? await collection('Chassis') : none;
	const managers = withFirmware || withNetwork ? await collection('Managers') : none;
	if (systems.found.length === 0 && (systems.unread.length > 0 || chassis.found.length + managers.found.length === 0))
		throw new BridgeError('ERR_MALFORMED', `no system or chassis can be read: ${reader.faults().slice(0, 5).join('; ')}`);
	const found: Found[] = [];
	if (withHardware) {
		for (const member of present(systems.found)) found.push(...(await inSystem(reader, member)));
		for (const member of present(chassis.found)) found.push(...(await inChassis(reader, member)));
	}
	if (withFirmware) found.push(...managers.found.map(managerOf), ...(await inUpdateService(reader, root)));
	const interfaces: FoundInterface[] = [];
	if (withNetwork) {
		for (const member of present(systems.found)) interfaces.push(...(await interfacesOf(reader, member, [member.path])));
		for (const member of managers.found)
			interfaces.push(...(await interfacesOf(reader, member, managerOf(member).of, `${member.path.split('/').at(-1)}/`)));
	}
	return {
		systems: [...systems.found.map(({resource}) => resource), ...systems.unread.map(path => ({'@odata.id': path}))],
		chassis: chassis.found.map(({resource}) => resource),
		found,
		interfaces,
	};
}

const present = (members: readonly Member[]): readonly Member[] => members.filter(({resource}) => !isAbsent(resource));

const as =
	(kind: KindName, of: readonly string[]) =>
	({resource, path}: Member): Found => ({kind, resource, path, of});

async function inSystem(reader: Reader, {resource: system, path}: Member): Promise<Found[]> {
	const of = [path];
	const found: Found[] = [{kind: 'system', resource: system, path, of}];
	const add = (kind: KindName, members: readonly Member[]) => found.push(...members.map(as(kind, of)));
	add('processor', (await reader.members(system.Processors)).found);
	add('memory', (await reader.members(system.Memory)).found);
	for (const {resource: storage, path: place} of (await reader.members(system.Storage)).found) {
		add('drive', await reader.each(storage.Drives, `${place}#/Drives`));
		add('storage_controller', await reader.each(storage.StorageControllers, `${place}#/StorageControllers`));
		add('storage_controller', (await reader.members(storage.Controllers)).found);
	}
	add('pcie_device', await reader.each(system.PCIeDevices, `${path}#/PCIeDevices`));
	return found;
}

/** What a part of a chassis is shown by in the newer schemas, and by the one that they took the place of. */
const subsystems = [
	['power_supply', 'PowerSubsystem', 'PowerSupplies', 'Power', 'PowerSupplies'],
	['fan', 'ThermalSubsystem', 'Fans', 'Thermal', 'Fans'],
] as const;

async function inChassis(reader: Reader, {resource: chassis, path}: Member): Promise<Found[]> {
	const of = [path];
	const links = linksOf(chassis);
	const found: Found[] = [{kind: 'chassis', resource: chassis, path, of}];
	const add = (kind: KindName, members: readonly Member[]) => found.push(...members.map(as(kind, of)));
	for (const [kind, name, collection, oldName, array] of subsystems) {
		const members = (await reader.members((await reader.get(chassis[name]))?.[collection])).found;
		const old = members.length === 0 ? await reader.get(chassis[oldName]) : undefined;
		add(kind, members);
		if (old) add(kind, await reader.each(old[array], `${linkIn(old) ?? path}#/${array}`));
	}
	add('battery', (await reader.members((await reader.get(chassis.PowerSubsystem))?.Batteries)).found);
	add('pcie_device', (await reader.members(chassis.PCIeDevices)).found);
	add('pcie_device', await reader.each(links.PCIeDevices, `${path}#/Links/PCIeDevices`));
	add('network_adapter', (await reader.members(chassis.NetworkAdapters)).found);
	add('drive', (await reader.members(chassis.Drives)).found);
	add('drive', await reader.each(links.Drives, `${path}#/Links/Drives`));
	return found;
}

/** A module that serves one machine, or stands in one chassis, is of that machine; else it is the enclosure's. */
function managerOf({resource, path}: Member): Found {
	const links = linksOf(resource);
	const served = pathsIn(links.ManagerForServers);
	return {kind: 'manager', resource, path, of: served.length > 0 ? served : pathsIn(links.ManagerForChassis)};
}

async function inUpdateService(reader: Reader, root: Json): Promise<Found[]> {
	const service = await reader.get(root.UpdateService);
	const {found} = await reader.members(service?.FirmwareInventory);
	return found.map(({resource, path}) => ({kind: 'firmware', resource, path, of: pathsIn(resource.RelatedItem)}));
}

async function interfacesOf(reader: Reader, {resource}: Member, of: readonly string[], prefix = ''): Promise<FoundInterface[]> {
	const {found} = await reader.members(resource.EthernetInterfaces);
	return found.flatMap(member => {
		const told = interfaceOf(member.resource, prefix);
		return told ? [{of, told}] : [];
	});
}
