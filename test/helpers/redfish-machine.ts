import {at} from './redfish-service.ts';

type Json = {readonly [key: string]: unknown};
const system = '/redfish/v1/Systems/1';
const chassis = '/redfish/v1/Chassis/1';
const place = (label: string) => ({Location: {PartLocation: {ServiceLabel: label}}});
const ok = {Status: {State: 'Enabled', Health: 'OK'}};
const absent = {Status: {State: 'Absent'}};

/** Members of a collection, by their addresses alone, and each on a page of its own. */
export const collectionOf = (path: string, members: Readonly<Record<string, Json>>): Record<string, Json> => ({
	[path]: {...at(path), Members: Object.keys(members).map(id => at(`${path}/${id}`))},
	...Object.fromEntries(
		Object.entries(members).map(([id, page]) => [`${path}/${id}`, {...at(`${path}/${id}`), Id: id, ...page}]),
	),
});

const systemPages = (): Record<string, Json> => ({
	...collectionOf('/redfish/v1/Systems', {
		1: {
			Manufacturer: 'IBM',
			Model: '8335-GTG',
			SerialNumber: '78ABCDE',
			PartNumber: '00E2865',
			UUID: '38947555-7742-3448-3784-823347823834',
			HostName: 'db01',
			SystemType: 'Physical',
			BiosVersion: 'OP940.20',
			Processors: at(`${system}/Processors`),
			Memory: at(`${system}/Memory`),
			Storage: at(`${system}/Storage`),
			PCIeDevices: [at(`${chassis}/PCIeDevices/Slot3`)],
			EthernetInterfaces: at(`${system}/EthernetInterfaces`),
			...ok,
		},
	}),
	...collectionOf(`${system}/Processors`, {
		cpu0: {
			Name: 'CPU 0',
			Manufacturer: 'IBM',
			Model: 'POWER9',
			ProcessorType: 'CPU',
			PartNumber: '02CY211',
			SparePartNumber: '02CY297',
			SerialNumber: 'YA1934',
			TotalCores: 16,
			TotalThreads: 64,
			MaxSpeedMHz: 3800,
			...place('P1-C19'),
		},
		core0: {Name: 'Core 0', ProcessorType: 'Core'},
		gpu0: {Name: 'GPU 0', ProcessorType: 'GPU', Manufacturer: 'NVIDIA', Model: 'V100'},
	}),
	...collectionOf(`${system}/Memory`, {
		dimm10: {Name: 'DIMM 10', CapacityMiB: 32768, MemoryDeviceType: 'DDR4', OperatingSpeedMhz: 2666, DeviceLocator: 'P1-C10'},
		dimm2: {
			Name: 'DIMM 2',
			CapacityMiB: 32768,
			Manufacturer: 'Samsung\u0000\n ',
			PartNumber: 'M393A4K40BB2',
			SparePartNumber: '78P4198',
			SerialNumber: '0123ABCD',
			...place('P1-C2'),
		},
		dimm3: {Name: 'DIMM 3', ...absent},
	}),
	...collectionOf(`${system}/Storage`, {
		1: {
			Drives: [at(`${system}/Storage/1/Drives/0`), at(`${system}/Storage/1/Drives/9`)],
			StorageControllers: [
				{
					...at(`${system}/Storage/1#/StorageControllers/0`),
					Name: 'RAID',
					Model: '9361',
					FirmwareVersion: '24.21',
					SpeedGbps: 12,
				},
			],
		},
	}),
	[`${system}/Storage/1/Drives/0`]: {
		...at(`${system}/Storage/1/Drives/0`),
		Name: 'Drive 0',
		Model: 'ST1000',
		SerialNumber: 'S470',
		Revision: 'BE34',
		CapacityBytes: 1_000_204_886_016,
		MediaType: 'HDD',
		Protocol: 'SAS',
		PhysicalLocation: {PartLocation: {LocationType: 'Bay', LocationOrdinalValue: 0}},
	},
	[`${system}/Storage/1/Drives/9`]: {...at(`${system}/Storage/1/Drives/9`), Name: 'Drive 9', ...absent},
	...collectionOf(`${system}/EthernetInterfaces`, {
		eth0: {
			MACAddress: '70:E2:84:14:00:01',
			SpeedMbps: 10_000,
			LinkStatus: 'LinkUp',
			IPv4Addresses: [{Address: '192.0.2.7'}, {Address: '0.0.0.0'}],
			IPv6Addresses: [{Address: '2001:db8::7'}, {Address: 'no address'}],
		},
	}),
});

const chassisPages = (): Record<string, Json> => ({
	...collectionOf('/redfish/v1/Chassis', {
		1: {
			Name: 'Main chassis',
			ChassisType: 'RackMount',
			PartNumber: '00RP123',
			Links: {ComputerSystems: [at(system)], Drives: [at(`${chassis}/Drives/0`)]},
			PCIeDevices: at(`${chassis}/PCIeDevices`),
			NetworkAdapters: at(`${chassis}/NetworkAdapters`),
			PowerSubsystem: at(`${chassis}/PowerSubsystem`),
			Power: at(`${chassis}/Power`),
			Thermal: at(`${chassis}/Thermal`),
		},
	}),
	[`${chassis}/Drives/0`]: {...at(`${chassis}/Drives/0`), Name: 'The same drive', Model: 'ST1000', SerialNumber: 'S470'},
	...collectionOf(`${chassis}/PCIeDevices`, {
		Slot3: {Name: 'Adapter', Model: '2CFE', FirmwareVersion: '14.32', DeviceType: 'SingleFunction', Slot: place('P1-C3')},
	}),
	...collectionOf(`${chassis}/NetworkAdapters`, {
		1: {Name: 'NIC', Model: 'BCM5719', Controllers: [{FirmwarePackageVersion: '1.46', ...place('P1-T1')}]},
	}),
	[`${chassis}/PowerSubsystem`]: {
		PowerSupplies: at(`${chassis}/PowerSubsystem/PowerSupplies`),
		Batteries: at(`${chassis}/PowerSubsystem/Batteries`),
	},
	...collectionOf(`${chassis}/PowerSubsystem/PowerSupplies`, {
		ps0: {Name: 'PSU 0', PartNumber: '01AF314', SerialNumber: 'YL10', FirmwareVersion: '5.2', PowerCapacityWatts: 2200},
	}),
	...collectionOf(`${chassis}/PowerSubsystem/Batteries`, {tod: {Name: 'Clock battery', Model: 'CR2032'}}),
	[`${chassis}/Thermal`]: {
		Fans: [
			{MemberId: '0', Name: 'Fan 0', PartNumber: '00E2879'},
			{MemberId: '1', ...absent},
		],
	},
});

const servicePages = (): Record<string, Json> => ({
	'/redfish/v1/': {UpdateService: at('/redfish/v1/UpdateService')},
	...collectionOf('/redfish/v1/Managers', {
		bmc: {
			Name: 'Manager',
			ManagerType: 'BMC',
			Model: 'AST2500',
			FirmwareVersion: '2.13',
			Links: {ManagerForServers: [at(system)]},
			EthernetInterfaces: at('/redfish/v1/Managers/bmc/EthernetInterfaces'),
		},
	}),
	...collectionOf('/redfish/v1/Managers/bmc/EthernetInterfaces', {
		eth0: {MACAddress: '70:E2:84:14:00:02', IPv4Addresses: [{Address: '192.0.2.8'}]},
	}),
	'/redfish/v1/UpdateService': {FirmwareInventory: at('/redfish/v1/UpdateService/FirmwareInventory')},
	...collectionOf('/redfish/v1/UpdateService/FirmwareInventory', {
		host: {Name: 'Host image', Version: 'OP940.20', RelatedItem: [at(system)]},
	}),
});

/** A machine with one part of each kind, an empty slot here and there, and one disk that is shown twice. */
export const wholeMachine = (): Record<string, Json> => ({...systemPages(), ...chassisPages(), ...servicePages()});
