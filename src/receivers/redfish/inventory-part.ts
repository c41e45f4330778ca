import {isIP} from 'node:net';
import type {Inventory, InventoryPart, NetworkInterface} from '../../inventory.ts';
import {quantityIn, withoutUnknown, wordIn} from '../../inventory-words.ts';
import {isObject, type Json, linkIn} from './json.ts';

/** What stands below, such as `PCIeInterface.PCIeType`; a number leads into an array. */
function below(resource: unknown, path: string): unknown {
	let value = resource;
	for (const step of path.split('.')) {
		if (Array.isArray(value)) value = value[Number(step)];
		else if (isObject(value) && Object.hasOwn(value, step)) value = value[step];
		else return undefined;
	}
	return value;
}

type Kind = {
	readonly type: string;
	/** Where its size stands, and how many bytes one of it has. */
	readonly size?: readonly [path: string, bytes: number];
	/** Its property, and where that stands. */
	readonly properties?: Readonly<Record<string, string>>;
};

/** By the schemas of DSP8010: Processor, Memory, Drive, StorageController, PCIeDevice, NetworkAdapter, Chassis, and so on. */
const kinds = {
	system: {type: 'enclosure', properties: {kind: 'SystemType', sku: 'SKU'}},
	chassis: {type: 'enclosure', properties: {kind: 'ChassisType', sku: 'SKU'}},
	processor: {
		type: 'cpu',
		properties: {
			kind: 'ProcessorType',
			instruction_set: 'InstructionSet',
			cores: 'TotalCores',
			threads: 'TotalThreads',
			speed_mhz: 'MaxSpeedMHz',
		},
	},
	memory: {
		type: 'memory',
		size: ['CapacityMiB', 1024 ** 2],
		properties: {technology: 'MemoryDeviceType', form_factor: 'BaseModuleType', speed_mhz: 'OperatingSpeedMhz'},
	},
	drive: {
		type: 'physical_disk',
		size: ['CapacityBytes', 1],
		properties: {media: 'MediaType', interface: 'Protocol', rotation_rpm: 'RotationSpeedRPM', sku: 'SKU'},
	},
	storage_controller: {type: 'disk_controller', properties: {speed_gbps: 'SpeedGbps', sku: 'SKU'}},
	pcie_device: {
		type: 'pci_device',
		properties: {kind: 'DeviceType', pcie: 'PCIeInterface.MaxPCIeType', lanes: 'PCIeInterface.MaxLanes', sku: 'SKU'},
	},
	network_adapter: {type: 'network', properties: {sku: 'SKU'}},
	power_supply: {type: 'power_supply', properties: {kind: 'PowerSupplyType', watts: 'PowerCapacityWatts'}},
	fan: {type: 'fan'},
	battery: {type: 'battery', properties: {watt_hours: 'CapacityRatedWattHours'}},
	manager: {type: 'firmware', properties: {kind: 'ManagerType'}},
	firmware: {type: 'firmware', properties: {software_id: 'SoftwareId', release_date: 'ReleaseDate'}},
} as const satisfies Record<string, Kind>;
export type KindName = keyof typeof kinds;

/** A resource that is a part, and where it was found. */
export type Found = {
	readonly kind: KindName;
	readonly resource: Json;
	/** Its address, or that of whose part it is and its place in there. */
	readonly path: string;
	/** What it may be of, if its own address does not tell. */
	readonly of: readonly string[];
};

/** Where a part is, the words of the case before others. */
const places = ['Location', 'PhysicalLocation', 'Location.0', 'Slot.Location', 'Controllers.0.Location'];
/** As older schemas have it: of memory, of a processor. */
const olderPlaces = ['DeviceLocator', 'Socket'];
/** Of a processor and others, of memory, of a drive in older schemas, of a network adapter, of firmware itself. */
const versions = ['FirmwareVersion', 'FirmwareRevision', 'Revision', 'Controllers.0.FirmwarePackageVersion'];

const firstWord = (resource: Json, paths: readonly string[]): string | undefined =>
	paths.map(path => wordIn(below(resource, path))).find(word => word !== undefined);

function locationOf(resource: Json): string | undefined {
	const label = firstWord(resource, [...places.map(place => `${place}.PartLocation.ServiceLabel`), ...olderPlaces]);
	if (label !== undefined) return label;
	for (const place of places) {
		const kind = wordIn(below(resource, `${place}.PartLocation.LocationType`));
		const number = below(resource, `${place}.PartLocation.LocationOrdinalValue`);
		if (kind !== undefined && Number.isSafeInteger(number)) return `${kind} ${number}`;
	}
	return undefined;
}

const scalarIn = (value: unknown): string | number | boolean | undefined =>
	typeof value === 'boolean' ? value : (quantityIn(value) ?? wordIn(value));

function propertiesOf(resource: Json, {properties = {}}: Kind): InventoryPart['properties'] {
	const told = withoutUnknown(
		Object.fromEntries(Object.entries(properties).map(([name, path]) => [name, scalarIn(below(resource, path))])),
	);
	return Object.keys(told).length > 0 ? (told as InventoryPart['properties']) : undefined;
}

export const isAbsent = (resource: Json): boolean => below(resource, 'Status.State') === 'Absent';

/** A core or a thread is shown as a processor by some modules, and nobody can order one. */
const isNoPart = ({kind, resource}: Found): boolean =>
	isAbsent(resource) || (kind === 'processor' && (resource.ProcessorType === 'Core' || resource.ProcessorType === 'Thread'));

/** Undefined for an empty slot, and for what says nothing but that it is there. */
export function partOf(found: Found, withFirmware: boolean): InventoryPart | undefined {
	const {kind: name, resource, path} = found;
	if (isNoPart(found)) return undefined;
	const kind: Kind = kinds[name];
	const size = kind.size && quantityIn(below(resource, kind.size[0]));
	const isFirmware = kind.type === 'firmware';
	const part = withoutUnknown({
		type: name === 'processor' && resource.ProcessorType === 'GPU' ? 'gpu' : kind.type,
		id: path,
		name: firstWord(resource, ['Name', 'FanName', 'Id', 'MemberId']),
		vendor: wordIn(resource.Manufacturer),
		model: wordIn(resource.Model),
		partNumber: isFirmware ? undefined : wordIn(resource.PartNumber, 100),
		fruNumber: isFirmware ? undefined : wordIn(resource.SparePartNumber, 100),
		serialNumber: isFirmware ? undefined : wordIn(resource.SerialNumber, 100),
		version: withFirmware ? firstWord(resource, name === 'firmware' ? ['Version'] : versions) : undefined,
		location: locationOf(resource),
		size: kind.size && size !== undefined ? quantityIn(size * kind.size[1]) : undefined,
		properties: propertiesOf(resource, kind),
	});
	return isFirmware && part.version === undefined ? undefined : part;
}

/** What a system says of its BIOS, which is no resource of its own. */
export function biosOf(system: Json, path: string): InventoryPart | undefined {
	const version = wordIn(system.BiosVersion);
	return version === undefined ? undefined : {type: 'firmware', id: `${path}#/BiosVersion`, name: 'BIOS', version};
}

const kindsOfMachine: Readonly<Record<string, string>> = {
	Physical: 'physical',
	PhysicallyPartitioned: 'physical',
	Virtual: 'virtual',
	VirtuallyPartitioned: 'virtual',
};

/** From a system, or from the case of what has none, such as an enclosure of blades. */
export function machineOf(resource: Json | undefined): Inventory['machine'] {
	if (!resource) return {};
	return withoutUnknown({
		vendor: wordIn(resource.Manufacturer),
		product: wordIn(resource.Model),
		serialNumber: wordIn(resource.SerialNumber, 100),
		uuid: wordIn(resource.UUID, 64),
		kind: typeof resource.SystemType === 'string' ? kindsOfMachine[resource.SystemType] : undefined,
	});
}

const mostAddresses = 64;

function addressesIn(value: unknown): string[] {
	const listed: readonly unknown[] = Array.isArray(value) ? value.slice(0, mostAddresses) : [];
	const addresses = listed.map(each => wordIn(isObject(each) ? each.Address : undefined, 64) ?? '');
	return addresses.filter(address => isIP(address) !== 0 && address !== '0.0.0.0' && address !== '::');
}

/** An EthernetInterface. `prefix` tells those of a management module from those of its machine. */
export function interfaceOf(resource: Json, prefix = ''): NetworkInterface | undefined {
	if (isAbsent(resource)) return undefined;
	const name = wordIn(resource.Id) ?? wordIn(resource.Name) ?? wordIn(linkIn(resource)) ?? 'unnamed';
	return withoutUnknown({
		name: prefix + name,
		macAddress: wordIn(resource.MACAddress, 64) ?? wordIn(resource.PermanentMACAddress, 64),
		addresses: [...addressesIn(resource.IPv4Addresses), ...addressesIn(resource.IPv6Addresses)].toSorted(),
		speed: quantityIn(resource.SpeedMbps),
		state: wordIn(resource.LinkStatus),
	});
}
