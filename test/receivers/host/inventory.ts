import {mkdirSync, writeFileSync} from 'node:fs';
import {readFile} from 'node:fs/promises';
import {hostname} from 'node:os';
import {dirname, join} from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import {type InventorySection, inventorySections} from '../../../src/inventory.ts';
import {numbered, wordIn} from '../../../src/inventory-words.ts';
import {defaultRoots} from '../../../src/receivers/host/config.ts';
import {createHostInventory} from '../../../src/receivers/host/inventory.ts';
import {askLibrary, type Probe} from '../../../src/receivers/host/inventory-library.ts';
import {packagesIn} from '../../../src/receivers/host/inventory-packages.ts';
import {pciDevices} from '../../../src/receivers/host/inventory-pci.ts';
import {temporaryDirectory} from '../../helpers/listen.ts';

const signal = new AbortController().signal;
const everything = new Set<InventorySection>(inventorySections);

test('this machine: its processors, memory, kernel, interfaces and packages are those that the kernel shows', async t => {
	const [collected, ...others] = await createHostInventory({roots: defaultRoots}).collect(everything, signal);
	if (!collected || others.length > 0) throw new Error('not one machine');
	const {resource, inventory} = collected;
	t.is(resource['host.name'], hostname());
	t.deepEqual(inventory.faults, []);
	const sizes = inventory.parts.filter(({type}) => type === 'memory').map(({size = 0}) => size);
	const total = Number(/MemTotal:\s+(\d+) kB/.exec(await readFile('/proc/meminfo', 'utf8'))?.[1]) * 1024;
	t.true(sizes.reduce((sum, size) => sum + size, 0) >= total * 0.9, String(sizes));
	const threads = inventory.parts.filter(({type}) => type === 'cpu').map(({properties}) => Number(properties?.threads));
	const online = (await readFile('/proc/cpuinfo', 'utf8')).match(/^processor\s*:/gm)?.length;
	t.is(
		threads.reduce((sum, count) => sum + count, 0),
		online ?? 0,
	);
	t.is(inventory.operatingSystem?.kernel, (await readFile('/proc/sys/kernel/osrelease', 'utf8')).trim());
	t.true(inventory.network?.some(({name, addresses}) => name === 'lo' && addresses.includes('127.0.0.1')));
	t.true((inventory.packages?.length ?? 0) > 50);
	t.true(inventory.packages?.some(({name, version}) => name === 'base-files' && /^\d/.test(version)));
});

test('what the operator does not name is not even read', async t => {
	const only = async (section: InventorySection) => {
		const [collected] = await createHostInventory({roots: defaultRoots}).collect(new Set([section]), signal);
		return collected?.inventory;
	};
	const system = await only('operating_system');
	t.deepEqual([system?.parts, system?.machine, system?.network, system?.packages], [[], {}, undefined, undefined]);
	t.truthy(system?.operatingSystem);
	t.is((await only('hardware'))?.operatingSystem, undefined);
	t.is((await only('hardware'))?.network, undefined);
});

/** A rack server as root sees it, in the form in which the library answers. */
const server = (changes: Partial<Probe> = {}): Probe =>
	({
		system: async () => ({
			manufacturer: 'LENOVO',
			model: 'System x3650 M5 -[8871AC1]-',
			serial: 'J1A2B3C',
			uuid: '-',
			virtual: false,
		}),
		baseboard: async () => ({manufacturer: 'LENOVO', model: '01KN179', serial: 'Y010UF', version: 'NULL'}),
		chassis: async () => ({manufacturer: 'LENOVO', model: '', serial: 'J1A2B3C', type: 'Rack Mount Chassis'}),
		cpu: async () => ({
			manufacturer: 'Intel',
			brand: 'Xeon® E5-2650 v4',
			vendor: 'GenuineIntel',
			processors: 2,
			physicalCores: 24,
			cores: 48,
			family: '6',
			model: '79',
			stepping: '1',
		}),
		memLayout: async () => [
			{
				size: 17_179_869_184,
				bank: 'DIMM 8',
				type: 'DDR4',
				ecc: true,
				clockSpeed: 2133,
				partNum: 'M393A2G40DB0',
				serialNum: '31EA1D',
			},
			{size: 17_179_869_184, bank: 'DIMM 8', type: 'DDR4', partNum: 'M393A2G40DB0', serialNum: '31EA1E'},
			{size: 0, bank: 'DIMM 9', type: 'Empty', partNum: 'NO DIMM'},
		],
		diskLayout: async () => [
			{
				device: '/dev/sda',
				name: 'ST9500620NS',
				vendor: 'IBM-ESXS',
				serialNum: '9XF2',
				firmwareRevision: 'BE2B',
				size: 5e11,
				type: 'HD',
				interfaceType: 'SAS',
			},
		],
		graphics: async () => ({controllers: [], displays: []}),
		usb: async () => [],
		osInfo: async () => ({platform: 'linux', distro: 'Debian GNU/Linux', release: '12', kernel: '6.1.0', arch: 'x64'}),
		networkInterfaces: async () => [
			{iface: 'eth0', mac: '02:fc:00:00:00:01', ip4: '192.0.2.2', ip6: '', speed: -1, operstate: 'up'},
		],
		bios: async () => ({vendor: 'LENOVO', version: 'TCE140B-2.90', releaseDate: '2020-01-13'}),
		...changes,
	}) as unknown as Probe;

async function collectOf(
	probe: Probe,
	sections: ReadonlySet<InventorySection> = new Set<InventorySection>(['hardware', 'firmware']),
) {
	const roots = {...defaultRoots, sys: '/nonexistent'};
	const [collected] = await createHostInventory({roots, ask: async () => probe}).collect(sections, signal);
	if (!collected) throw new Error('nothing collected');
	return collected.inventory;
}

test('a rack server: parts with what they are ordered by, once each, without empty slots and without words for nothing', async t => {
	const {machine, parts} = await collectOf(server());
	t.deepEqual(machine, {vendor: 'LENOVO', product: 'System x3650 M5 -[8871AC1]-', serialNumber: 'J1A2B3C', kind: 'physical'});
	t.deepEqual(
		parts.map(({type, id, serialNumber, version}) => [type, id, serialNumber, version]),
		[
			['cpu', 'cpu-0', undefined, undefined],
			['cpu', 'cpu-1', undefined, undefined],
			['enclosure', 'chassis', 'J1A2B3C', undefined],
			['firmware', 'bios', undefined, 'TCE140B-2.90'],
			['memory', 'DIMM 8', '31EA1D', undefined],
			['memory', 'DIMM 8#2', '31EA1E', undefined],
			['physical_disk', '/dev/sda', '9XF2', 'BE2B'],
			['system_board', 'board', 'Y010UF', undefined],
		],
	);
	t.deepEqual(parts[0]?.properties, {cores: 12, threads: 24, family: '6', model: '79', stepping: '1'});
});

test('without consent to firmware no version of a firmware is told', async t => {
	const {parts} = await collectOf(server(), new Set(['hardware']));
	t.is(parts.find(({type}) => type === 'physical_disk')?.version, undefined);
	t.false(parts.some(({type}) => type === 'firmware'));
});

test('one thing that cannot be read is named, and the others are told', async t => {
	const {parts, faults} = await collectOf(
		server({
			diskLayout: () => Promise.reject(new Error('lsblk:\nnot permitted')),
			memLayout: async () => undefined as unknown as Awaited<ReturnType<Probe['memLayout']>>,
		}),
	);
	t.is(faults[1], 'disks: lsblk: not permitted');
	t.regex(faults[0] ?? '', /^memory: /);
	t.true(parts.some(({type}) => type === 'cpu'));
});

test('whatever a tool answers, an inventory comes of it', async t => {
	const anything = () => fc.anything({maxDepth: 2});
	const names = [
		'system',
		'baseboard',
		'chassis',
		'cpu',
		'memLayout',
		'diskLayout',
		'graphics',
		'usb',
		'bios',
		'osInfo',
		'networkInterfaces',
	];
	await fc.assert(
		fc.asyncProperty(
			fc.constantFrom(...names),
			fc.oneof(anything(), fc.array(anything(), {maxLength: 3})),
			async (name, answer) => {
				const inventory = await collectOf(
					server({[name]: async () => answer}),
					new Set<InventorySection>(['hardware', 'firmware', 'operating_system', 'network']),
				);
				t.true(inventory.parts.every(({id}) => typeof id === 'string' && id.length < 300));
			},
		),
		{numRuns: 150},
	);
});

test('the program that asks the library is ended with the bridge', async t => {
	const stop = new AbortController();
	const asked = askLibrary(new Set<InventorySection>(['hardware']), stop.signal);
	stop.abort();
	await t.throwsAsync(asked, {code: 'ERR_NOT_READY', message: /was ended: the bridge ends$/});
	const probe = await askLibrary(new Set<InventorySection>(['operating_system']), signal);
	t.is((await probe.osInfo()).platform, 'linux');
});

test('PCI devices from sysfs: by their numbers, without bridges and without what is no number', async t => {
	const sys = await temporaryDirectory(t);
	const device = (address: string, files: Record<string, string>) => {
		for (const [name, text] of Object.entries(files)) {
			const file = join(sys, 'bus/pci/devices', address, name);
			mkdirSync(dirname(file), {recursive: true});
			writeFileSync(file, `${text}\n`);
		}
	};
	const sub = {subsystem_vendor: '0x1014', subsystem_device: '0x0454'};
	device('0000:01:00.0', {vendor: '0x1000', device: '0x005d', class: '0x010400', ...sub});
	device('0000:00:1c.0', {vendor: '0x8086', device: '0x8d10', class: '0x060400'});
	device('0000:02:00.0', {vendor: 'rubbish', device: '0x1', class: '0x020000'});
	t.deepEqual(await pciDevices({...defaultRoots, sys}), [
		{
			type: 'pci_device',
			id: '0000:01:00.0',
			name: 'mass storage',
			vendor: '1000',
			model: '1000:005d',
			properties: {subsystem: '1014:0454'},
		},
	]);
	t.deepEqual(await pciDevices({...defaultRoots, sys: join(sys, 'none')}), []);
});

test('packages: what is installed, sorted; of a list that was cut not the last line', t => {
	const output = 'ii \tzlib\t1.2\nrc \tremoved\t1\nii \tbash\t5.2\nnonsense\nii \tcut\t0.';
	t.deepEqual(
		packagesIn(output, true).map(({name}) => name),
		['bash', 'zlib'],
	);
	t.is(packagesIn(output, false).length, 3);
	fc.assert(fc.property(fc.string(), fc.boolean(), (text, truncated) => Array.isArray(packagesIn(text, truncated))));
});

test('words that makers write for nothing say nothing', t => {
	for (const text of [
		'',
		' ',
		'Not Specified',
		'To Be Filled By O.E.M.',
		'Default string',
		'-',
		'00000000',
		'N/A',
		undefined,
		null,
	])
		t.is(wordIn(text), undefined, String(text));
	t.is(wordIn(' J1A\u0000\n2B3C '), 'J1A 2B3C');
	t.deepEqual(
		numbered([
			{type: 'fan', id: 'fan-10'},
			{type: 'fan', id: 'fan-9'},
			{type: 'fan', id: 'fan-9'},
		]).map(({id}) => id),
		['fan-9', 'fan-9#2', 'fan-10'],
	);
});
