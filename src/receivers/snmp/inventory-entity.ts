import type {Inventory, InventoryPart} from '../../inventory.ts';
import {withoutUnknown} from '../../inventory-words.ts';
import {wordAt} from './inventory-imm.ts';
import {integerOf} from './trap.ts';
import type {Table, Value} from './walk.ts';

/** entPhysicalEntry of the ENTITY-MIB (RFC 6933), which many agents have that are no IMM. */
export const entityEntry = '1.3.6.1.2.1.47.1.1.1.1';
const columns = {
	description: 2,
	containedIn: 4,
	class: 5,
	name: 7,
	hardware: 8,
	firmware: 9,
	software: 10,
	serial: 11,
	vendor: 12,
	model: 13,
} as const;
export const entityColumns = Object.values(columns).map(column => `${entityEntry}.${column}`);

/** IANAPhysicalClass. What is left out is no part: containers, sensors, ports and stacks. */
const typeOfClass: Readonly<Record<number, string>> = {
	3: 'enclosure',
	4: 'system_board',
	6: 'power_supply',
	7: 'fan',
	9: 'system_board',
	12: 'cpu',
	14: 'battery',
	15: 'physical_disk',
};
const chassis = 3;
const container = 5;

type Row = ReadonlyMap<number, Value>;

function partOf(table: Table, index: string, row: Row, withFirmware: boolean): InventoryPart | undefined {
	const type = typeOfClass[integerOf(row.get(columns.class)) ?? 0];
	if (type === undefined) return undefined;
	const around = table.get(String(integerOf(row.get(columns.containedIn)) ?? ''));
	const isPlace = around !== undefined && integerOf(around.get(columns.class)) === container;
	const hardware = wordAt(row, columns.hardware);
	return withoutUnknown({
		type,
		id: `entity/${index}`,
		name: wordAt(row, columns.name) ?? wordAt(row, columns.description),
		vendor: wordAt(row, columns.vendor),
		model: wordAt(row, columns.model),
		serialNumber: wordAt(row, columns.serial),
		version: withFirmware ? (wordAt(row, columns.firmware) ?? wordAt(row, columns.software)) : undefined,
		location: isPlace ? (wordAt(around, columns.name) ?? wordAt(around, columns.description)) : undefined,
		properties: hardware === undefined ? undefined : {hardware_revision: hardware},
	});
}

export const entityParts = (table: Table, withFirmware: boolean): InventoryPart[] =>
	[...table].flatMap(([index, row]) => partOf(table, index, row, withFirmware) ?? []);

/** The one case that stands for the whole; of several in a stack none does. */
export function entityMachine(table: Table): Inventory['machine'] {
	const [row, ...others] = [...table.values()].filter(row => integerOf(row.get(columns.class)) === chassis);
	if (!row || others.length > 0) return {};
	return withoutUnknown({
		vendor: wordAt(row, columns.vendor),
		product: wordAt(row, columns.model) ?? wordAt(row, columns.description),
		serialNumber: wordAt(row, columns.serial),
	});
}
