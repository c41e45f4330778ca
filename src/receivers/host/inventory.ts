import {BridgeError, toError} from '../../errors.ts';
import type {Inventory, InventoryPart, InventorySection, InventorySource, NetworkInterface} from '../../inventory.ts';
import {clean} from './alert.ts';
import type {Roots} from './config.ts';
import {readIdentity} from './identity.ts';
import {askLibrary, type Probe} from './inventory-library.ts';
import {readPackages} from './inventory-packages.ts';
import {pciDevices} from './inventory-pci.ts';
import {said, told, withIds} from './inventory-words.ts';

export type HostInventoryParts = {
	readonly roots: Roots;
	readonly now?: () => number;
	readonly ask?: (sections: ReadonlySet<InventorySection>, signal: AbortSignal) => Promise<Probe>;
};

/** What this machine consists of, as its kernel, its firmware and the tools that are installed tell it. Root sees most. */
export function createHostInventory({roots, now = Date.now, ask = askLibrary}: HostInventoryParts): InventorySource {
	return {
		source: 'host',
		target: '',
		async collect(sections, signal) {
			const [probe, resource] = await Promise.all([ask(sections, signal), readIdentity(roots)]);
			const inventory = await lookAround(probe, sections, {roots, signal, now});
			return [{resource, inventory}];
		},
	};
}

type Surroundings = {readonly roots: Roots; readonly signal: AbortSignal; readonly now: () => number};

async function lookAround(
	probe: Probe,
	sections: ReadonlySet<InventorySection>,
	{roots, signal, now}: Surroundings,
): Promise<Inventory> {
	const faults: string[] = [];
	/** One thing that cannot be read does not hide the others. */
	async function look<Result>(section: InventorySection, what: string, ask: () => Promise<Result>): Promise<Result | undefined> {
		if (!sections.has(section) || signal.aborted) return undefined;
		try {
			return await ask();
		} catch (error) {
			faults.push(`${what}: ${clean(toError(error).message, 200)}`);
			return undefined;
		}
	}
	const system = await look('hardware', 'machine', () => probe.system());
	const parts = [
		...((await look('hardware', 'boards', () => boards(probe))) ?? []),
		...((await look('hardware', 'processors', () => processors(probe))) ?? []),
		...((await look('hardware', 'memory', () => memory(probe))) ?? []),
		...((await look('hardware', 'disks', () => disks(probe, sections.has('firmware')))) ?? []),
		...((await look('hardware', 'graphics', () => graphics(probe))) ?? []),
		...((await look('hardware', 'PCI devices', () => pciDevices(roots))) ?? []),
		...((await look('hardware', 'USB devices', () => usbDevices(probe))) ?? []),
		...((await look('firmware', 'firmware', () => firmware(probe))) ?? []),
	];
	const operatingSystem = await look('operating_system', 'operating system', () => operatingSystemOf(probe));
	const network = await look('network', 'network interfaces', () => networkOf(probe));
	const packages = await look('packages', 'packages', () => readPackages(signal));
	if (signal.aborted) throw new BridgeError('ERR_SHUTTING_DOWN', 'the inventory of this machine was broken off');
	return {
		collectedAt: now(),
		source: 'host',
		machine: system
			? told({
					vendor: said(system.manufacturer),
					product: said(system.model),
					serialNumber: said(system.serial),
					uuid: said(system.uuid),
					kind: system.virtual ? 'virtual' : 'physical',
				})
			: {},
		parts: withIds(parts),
		...(operatingSystem && {operatingSystem}),
		...(network && {network}),
		...(packages && {packages}),
		faults,
	};
}

async function boards(probe: Probe): Promise<InventoryPart[]> {
	const [board, chassis] = await Promise.all([probe.baseboard(), probe.chassis()]);
	const found: InventoryPart[] = [
		told({
			type: 'system_board',
			id: 'board',
			vendor: said(board.manufacturer),
			model: said(board.model),
			serialNumber: said(board.serial),
			version: said(board.version),
		}),
		told({
			type: 'enclosure',
			id: 'chassis',
			name: said(chassis.type),
			vendor: said(chassis.manufacturer),
			model: said(chassis.model),
			serialNumber: said(chassis.serial),
		}),
	];
	return found.filter(({vendor, model, serialNumber}) => vendor ?? model ?? serialNumber);
}

/** One entry for each socket: the library tells of them together. */
async function processors(probe: Probe): Promise<InventoryPart[]> {
	const cpu = await probe.cpu();
	const sockets = Math.min(Math.max(1, cpu.processors || 1), 256);
	return Array.from({length: sockets}, (_, index) =>
		told({
			type: 'cpu',
			id: `cpu-${index}`,
			vendor: said(cpu.vendor) ?? said(cpu.manufacturer),
			model: said([cpu.manufacturer, cpu.brand].filter(Boolean).join(' ')),
			properties: {
				cores: Math.round(cpu.physicalCores / sockets),
				threads: Math.round(cpu.cores / sockets),
				family: cpu.family,
				model: cpu.model,
				stepping: cpu.stepping,
			},
		}),
	);
}

/** Without the rights for it the library knows the sum of the memory alone: that is one part without marks. */
async function memory(probe: Probe): Promise<InventoryPart[]> {
	const modules = await probe.memLayout();
	return modules
		.filter(({size}) => size > 0)
		.map(module =>
			told({
				type: 'memory',
				id: said(module.bank) ?? 'memory',
				vendor: said(module.manufacturer),
				partNumber: said(module.partNum),
				serialNumber: said(module.serialNum),
				location: said(module.bank),
				size: module.size,
				properties: told({
					technology: said(module.type),
					form_factor: said(module.formFactor),
					speed_mhz: module.clockSpeed || undefined,
					ecc: module.ecc ?? undefined,
				}),
			}),
		);
}

async function disks(probe: Probe, withFirmware: boolean): Promise<InventoryPart[]> {
	return (await probe.diskLayout()).map(disk =>
		told({
			type: 'physical_disk',
			id: said(disk.device) ?? 'disk',
			vendor: said(disk.vendor),
			model: said(disk.name),
			serialNumber: said(disk.serialNum),
			version: withFirmware ? said(disk.firmwareRevision) : undefined,
			size: disk.size > 0 ? disk.size : undefined,
			properties: told({media: said(disk.type), interface: said(disk.interfaceType)}),
		}),
	);
}

async function graphics(probe: Probe): Promise<InventoryPart[]> {
	return (await probe.graphics()).controllers.map(({vendor, model, busAddress}) =>
		told({type: 'gpu', id: said(busAddress) ?? 'gpu', vendor: said(vendor), model: said(model)}),
	);
}

async function usbDevices(probe: Probe): Promise<InventoryPart[]> {
	return (await probe.usb()).map(({bus, deviceId, id, name, type, manufacturer, serialNumber}) =>
		told({
			type: 'usb_device',
			id: `${bus ?? 0}-${deviceId ?? id ?? 0}`,
			name: said(name) ?? said(type),
			vendor: said(manufacturer ?? undefined),
			serialNumber: said(serialNumber ?? undefined),
		}),
	);
}

async function firmware(probe: Probe): Promise<InventoryPart[]> {
	const {vendor, version, releaseDate} = await probe.bios();
	if (said(version) === undefined) return [];
	const released = told({release_date: said(releaseDate)});
	return [told({type: 'firmware', id: 'bios', name: 'BIOS', vendor: said(vendor), version: said(version), properties: released})];
}

async function operatingSystemOf(probe: Probe): Promise<Inventory['operatingSystem']> {
	const {distro, platform, release, kernel, arch} = await probe.osInfo();
	return told({
		name: said(distro) ?? said(platform) ?? process.platform,
		version: said(release),
		kernel: said(kernel),
		architecture: said(arch),
	});
}

async function networkOf(probe: Probe): Promise<NetworkInterface[]> {
	const found = await probe.networkInterfaces();
	return [found].flat().map(({iface, mac, ip4, ip6, speed, operstate}) =>
		told({
			name: said(iface) ?? 'unnamed',
			macAddress: said(mac),
			addresses: [ip4, ip6].map(address => said(address)).filter(address => address !== undefined),
			speed: speed !== null && speed > 0 ? speed : undefined,
			state: said(operstate),
		}),
	);
}
