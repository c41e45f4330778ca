import {BridgeError, toError} from '../../errors.ts';
import type {Inventory, InventoryPart, InventorySection, InventorySource, NetworkInterface} from '../../inventory.ts';
import {numbered, withoutUnknown, wordIn} from '../../inventory-words.ts';
import {clean} from './alert.ts';
import type {Roots} from './config.ts';
import {readIdentity} from './identity.ts';
import {askLibrary, type Probe} from './inventory-library.ts';
import {readPackages} from './inventory-packages.ts';
import {pciDevices} from './inventory-pci.ts';

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
			? withoutUnknown({
					vendor: wordIn(system.manufacturer),
					product: wordIn(system.model),
					serialNumber: wordIn(system.serial),
					uuid: wordIn(system.uuid),
					kind: system.virtual ? 'virtual' : 'physical',
				})
			: {},
		parts: numbered(parts),
		...(operatingSystem && {operatingSystem}),
		...(network && {network}),
		...(packages && {packages}),
		faults,
	};
}

async function boards(probe: Probe): Promise<InventoryPart[]> {
	const [board, chassis] = await Promise.all([probe.baseboard(), probe.chassis()]);
	const found: InventoryPart[] = [
		withoutUnknown({
			type: 'system_board',
			id: 'board',
			vendor: wordIn(board.manufacturer),
			model: wordIn(board.model),
			serialNumber: wordIn(board.serial),
			version: wordIn(board.version),
		}),
		withoutUnknown({
			type: 'enclosure',
			id: 'chassis',
			name: wordIn(chassis.type),
			vendor: wordIn(chassis.manufacturer),
			model: wordIn(chassis.model),
			serialNumber: wordIn(chassis.serial),
		}),
	];
	return found.filter(({vendor, model, serialNumber}) => vendor ?? model ?? serialNumber);
}

/** One entry for each socket: the library tells of them together. */
async function processors(probe: Probe): Promise<InventoryPart[]> {
	const cpu = await probe.cpu();
	const sockets = Math.min(Math.max(1, cpu.processors || 1), 256);
	return Array.from({length: sockets}, (_, index) =>
		withoutUnknown({
			type: 'cpu',
			id: `cpu-${index}`,
			vendor: wordIn(cpu.vendor) ?? wordIn(cpu.manufacturer),
			model: wordIn([cpu.manufacturer, cpu.brand].filter(Boolean).join(' ')),
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
			withoutUnknown({
				type: 'memory',
				id: wordIn(module.bank) ?? 'memory',
				vendor: wordIn(module.manufacturer),
				partNumber: wordIn(module.partNum),
				serialNumber: wordIn(module.serialNum),
				location: wordIn(module.bank),
				size: module.size,
				properties: withoutUnknown({
					technology: wordIn(module.type),
					form_factor: wordIn(module.formFactor),
					speed_mhz: module.clockSpeed || undefined,
					ecc: module.ecc ?? undefined,
				}),
			}),
		);
}

async function disks(probe: Probe, withFirmware: boolean): Promise<InventoryPart[]> {
	return (await probe.diskLayout()).map(disk =>
		withoutUnknown({
			type: 'physical_disk',
			id: wordIn(disk.device) ?? 'disk',
			vendor: wordIn(disk.vendor),
			model: wordIn(disk.name),
			serialNumber: wordIn(disk.serialNum),
			version: withFirmware ? wordIn(disk.firmwareRevision) : undefined,
			size: disk.size > 0 ? disk.size : undefined,
			properties: withoutUnknown({media: wordIn(disk.type), interface: wordIn(disk.interfaceType)}),
		}),
	);
}

async function graphics(probe: Probe): Promise<InventoryPart[]> {
	return (await probe.graphics()).controllers.map(({vendor, model, busAddress}) =>
		withoutUnknown({type: 'gpu', id: wordIn(busAddress) ?? 'gpu', vendor: wordIn(vendor), model: wordIn(model)}),
	);
}

async function usbDevices(probe: Probe): Promise<InventoryPart[]> {
	return (await probe.usb()).map(({bus, deviceId, id, name, type, manufacturer, serialNumber}) =>
		withoutUnknown({
			type: 'usb_device',
			id: `${bus ?? 0}-${deviceId ?? id ?? 0}`,
			name: wordIn(name) ?? wordIn(type),
			vendor: wordIn(manufacturer ?? undefined),
			serialNumber: wordIn(serialNumber ?? undefined),
		}),
	);
}

async function firmware(probe: Probe): Promise<InventoryPart[]> {
	const {vendor, version, releaseDate} = await probe.bios();
	if (wordIn(version) === undefined) return [];
	const released = withoutUnknown({release_date: wordIn(releaseDate)});
	return [
		withoutUnknown({
			type: 'firmware',
			id: 'bios',
			name: 'BIOS',
			vendor: wordIn(vendor),
			version: wordIn(version),
			properties: released,
		}),
	];
}

async function operatingSystemOf(probe: Probe): Promise<Inventory['operatingSystem']> {
	const {distro, platform, release, kernel, arch} = await probe.osInfo();
	return withoutUnknown({
		name: wordIn(distro) ?? wordIn(platform) ?? process.platform,
		version: wordIn(release),
		kernel: wordIn(kernel),
		architecture: wordIn(arch),
	});
}

async function networkOf(probe: Probe): Promise<NetworkInterface[]> {
	const found = await probe.networkInterfaces();
	return [found].flat().map(({iface, mac, ip4, ip6, speed, operstate}) =>
		withoutUnknown({
			name: wordIn(iface) ?? 'unnamed',
			macAddress: wordIn(mac),
			addresses: [ip4, ip6].map(address => wordIn(address)).filter(address => address !== undefined),
			speed: speed !== null && speed > 0 ? speed : undefined,
			state: wordIn(operstate),
		}),
	);
}
