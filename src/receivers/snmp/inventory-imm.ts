import {partIn} from '../../hardware.ts';
import type {InventoryPart, NetworkInterface} from '../../inventory.ts';
import {quantityIn, withoutUnknown, wordIn} from '../../inventory-words.ts';
import {vpdTables} from './imm-mib.ts';
import {partOfRow} from './part.ts';
import {textOfValue} from './trap.ts';
import type {Table, Value} from './walk.ts';

type Row = ReadonlyMap<number, Value>;
export type TableOf = (entry: string) => Table;

export const wordAt = (row: Row, column: number): string | undefined => wordIn(textOfValue(row.get(column)));

/** A number, also with the unit that modules write after it, such as `2600 MHz` or `16 GB`. */
export function numberAt(row: Row, column: number): number | undefined {
	const value = row.get(column);
	const digits = /^(\d{1,9})\s*(?:mhz|gb)?$/i.exec(textOfValue(value))?.[1];
	return quantityIn(typeof value === 'number' ? value : digits === undefined ? undefined : Number(digits));
}

const orNothing = <Value extends object>(value: Value): Value | undefined => (Object.keys(value).length > 0 ? value : undefined);

type Properties = NonNullable<InventoryPart['properties']>;
const properties = (told: {[name: string]: string | number | undefined}): Properties | undefined =>
	orNothing(withoutUnknown(told) as Properties);

/** The id is the one that alerts about the part have, as `hw.id`. */
function named(type: Parameters<typeof partOfRow>[0], row: Row, column: number, index: string): InventoryPart | undefined {
	const name = wordAt(row, column);
	return name === undefined ? undefined : {type, id: partOfRow(type, name, index).id, name};
}

function cpuOf(row: Row, index: string): InventoryPart | undefined {
	const {name, speed, cores, threads, model} = vpdTables.cpu;
	const part = named('cpu', row, name, index);
	const told = {cores: numberAt(row, cores), threads: numberAt(row, threads), speed_mhz: numberAt(row, speed)};
	return part && withoutUnknown({...part, model: wordAt(row, model), properties: properties(told)});
}

function memoryOf(row: Row, index: string): InventoryPart | undefined {
	const {name, part, serial, technology, gigabytes, speed} = vpdTables.memory;
	const size = numberAt(row, gigabytes);
	const known = named('memory', row, name, index);
	return (
		known &&
		withoutUnknown({
			...known,
			partNumber: wordAt(row, part),
			serialNumber: wordAt(row, serial),
			size: size === undefined ? undefined : quantityIn(size * 1024 ** 3),
			properties: properties({technology: wordAt(row, technology), speed_mhz: numberAt(row, speed)}),
		})
	);
}

/** What a part is, its name tells; one of no known kind is a board, such as `Planar` or a riser. */
function componentOf(row: Row, index: string): InventoryPart | undefined {
	const {name: column, fru, serial, vendor} = vpdTables.component;
	const name = wordAt(row, column);
	if (name === undefined) return undefined;
	const type = partIn(name)?.type;
	const known = type
		? {type, id: partOfRow(type, name, index).id}
		: {type: 'system_board', id: `system_board/${name.toLowerCase()}`};
	return withoutUnknown({
		...known,
		name,
		fruNumber: wordAt(row, fru),
		serialNumber: wordAt(row, serial),
		vendor: wordAt(row, vendor),
	});
}

const rowsOf = (table: Table, toPart: (row: Row, index: string) => InventoryPart | undefined): InventoryPart[] =>
	[...table].flatMap(([index, row]) => toPart(row, index) ?? []);

/** A part that two tables tell of is one part: the table of its kind goes before that of all. */
function joined(parts: readonly InventoryPart[]): InventoryPart[] {
	const known = new Map<string, InventoryPart>();
	for (const part of parts) known.set(part.id, {...part, ...known.get(part.id)});
	return [...known.values()];
}

/** Two rows of one table with one name are two parts. */
function distinct(parts: readonly InventoryPart[]): InventoryPart[] {
	const times = new Map<string, number>();
	return parts.map(part => {
		const count = (times.get(part.id) ?? 0) + 1;
		times.set(part.id, count);
		return count === 1 ? part : {...part, id: `${part.id}#${count}`};
	});
}

export function immParts(table: TableOf): InventoryPart[] {
	const {cpu, memory, powerSupply, disk, component} = vpdTables;
	return joined(
		[
			rowsOf(table(cpu.entry), cpuOf),
			rowsOf(table(memory.entry), memoryOf),
			rowsOf(table(powerSupply.entry), (row, index) => named('power_supply', row, powerSupply.name, index)),
			rowsOf(table(disk.entry), (row, index) => named('physical_disk', row, disk.name, index)),
			rowsOf(table(component.entry), componentOf),
		].flatMap(distinct),
	);
}

export function immFirmware(table: TableOf): InventoryPart[] {
	const {entry, name, version, date} = vpdTables.firmware;
	const parts = rowsOf(table(entry), row => {
		const [type, build] = [wordAt(row, name), wordAt(row, version)];
		if (type === undefined || build === undefined) return undefined;
		const released = properties({release_date: wordAt(row, date)});
		return withoutUnknown({
			type: 'firmware',
			id: `firmware/${type.toLowerCase()}`,
			name: type,
			version: build,
			properties: released,
		});
	});
	return distinct(parts);
}

export function immNetwork(table: TableOf): NetworkInterface[] {
	const {entry, name, mac} = vpdTables.address;
	return [...table(entry)].flatMap(([index, row]) => {
		const macAddress = wordAt(row, mac);
		return macAddress === undefined ? [] : [{name: wordAt(row, name) ?? index, macAddress, addresses: []}];
	});
}
