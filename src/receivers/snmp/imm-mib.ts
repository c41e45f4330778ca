import type {HardwareType} from '../../hardware.ts';

/** Where each kind of module has what the IMM-MIB 1.45 describes. */
export const profileRoots = {imm: '1.3.6.1.4.1.2.3.51.3', xcc: '1.3.6.1.4.1.19046.11.1'} as const;
export type Profile = keyof typeof profileRoots;

/** Single objects, below the root. */
export const scalars = {
	health: '1.4.1.0',
	machineType: '1.5.2.1.1.0',
	model: '1.5.2.1.2.0',
	serialNumber: '1.5.2.1.3.0',
	uuid: '1.5.2.1.4.0',
	product: '1.5.2.1.5.0',
	/** Whether the module sends traps of each class: 1 when it does. */
	criticalAlerts: '3.1.1.4.0',
	warningAlerts: '3.1.1.5.0',
	systemAlerts: '3.1.1.6.0',
} as const;
export type Scalar = keyof typeof scalars;

/** systemHealthStat: nonRecoverable, critical, nonCritical, normal. */
export const healthStates = {0: 'failed', 2: 'failed', 4: 'degraded', 255: 'ok'} as const;

/** Columns of tempTable and voltTable. The health is the IMM2's. */
export const sensorColumns = {
	name: 2,
	reading: 3,
	nominal: 4,
	nonRecoverableHigh: 5,
	criticalHigh: 6,
	nonCriticalHigh: 7,
	nonRecoverableLow: 8,
	criticalLow: 9,
	nonCriticalLow: 10,
	health: 11,
} as const;

/** A table of parts that have a name and a health, as free words. */
export type PartTable = {
	readonly entry: string;
	readonly type: HardwareType;
	readonly name: number;
	readonly health: number;
	/** Further columns, by the attribute that takes them. */
	readonly attributes?: Readonly<Record<string, number>>;
};

export const sensorTables = {temperature: '1.1.2.1', voltage: '1.2.2.1'} as const;
export const fanTable = {entry: '1.3.2.1', name: 2, speed: 3, health: 10} as const;

export const partTables: readonly PartTable[] = [
	{entry: '1.11.2.1', type: 'power_supply', name: 2, health: 6},
	{entry: '1.12.2.1', type: 'physical_disk', name: 2, health: 3},
	{entry: '1.5.20.1', type: 'cpu', name: 2, health: 11},
	{entry: '1.5.21.1', type: 'memory', name: 2, health: 8, attributes: {'hw.model': 3, 'hw.serial_number': 4}},
];

export const summaryTable = {entry: '1.4.2.1', severity: 2, text: 3} as const;
export const changeTable = {entry: '1.5.18.1', fru: 2, name: 3, serial: 4, vendor: 5, action: 6, time: 7} as const;

/** What an inventory reads: vital product data of firmware, parts, host addresses, processors and memory modules. */
export const vpdTables = {
	firmware: {entry: '1.5.1.1', name: 2, version: 3, date: 4},
	component: {entry: '1.5.17.1', fru: 2, name: 3, serial: 4, vendor: 5},
	address: {entry: '1.5.19.1', name: 2, mac: 3},
	cpu: {entry: '1.5.20.1', name: 2, speed: 3, cores: 7, threads: 8, model: 12},
	memory: {entry: '1.5.21.1', name: 2, part: 3, serial: 4, technology: 6, gigabytes: 7, speed: 9},
	powerSupply: {entry: '1.11.2.1', name: 2},
	disk: {entry: '1.12.2.1', name: 2},
} as const;

/** eventLog. Its severities: error 0, warning 1, information 2, other 3. */
export const logTable = {entry: '2.1.1.1', text: 2, severity: 3, date: 4, time: 5} as const;

const columnsOf = (entry: string, columns: readonly number[]): string[] => columns.map(column => `${entry}.${column}`);

/**
What is walked together. Columns of one table end together; the small tables share a request. A table that a module
does not have, as the IMM1 has no disks, ends at once.
*/
export const walks: readonly (readonly string[])[] = [
	columnsOf(sensorTables.temperature, Object.values(sensorColumns)),
	columnsOf(sensorTables.voltage, Object.values(sensorColumns)),
	[
		...columnsOf(fanTable.entry, [fanTable.name, fanTable.speed, fanTable.health]),
		...partTables.slice(0, 2).flatMap(({entry, name, health}) => columnsOf(entry, [name, health])),
		...columnsOf(summaryTable.entry, [summaryTable.severity, summaryTable.text]),
	],
	partTables
		.slice(2)
		.flatMap(({entry, name, health, attributes = {}}) => columnsOf(entry, [name, health, ...Object.values(attributes)])),
	columnsOf(
		changeTable.entry,
		Object.values(changeTable).filter(column => typeof column === 'number'),
	),
];
