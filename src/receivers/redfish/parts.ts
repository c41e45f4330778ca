import type {Attributes} from '../../event.ts';
import type {Reading} from '../../source.ts';
import {type State, stateOfHealth, typeOfPath} from './alert.ts';
import type {Client} from './client.ts';
import {isObject, type Json, linkIn, textIn} from './json.ts';

export type Leaf = {
	readonly path: string;
	readonly name: string;
	readonly state: State | undefined;
	readonly part: Json;
	/** The system or chassis that it was read by. */
	readonly of: string | undefined;
	/** What is to be ordered when it has to be replaced. */
	readonly described: Attributes;
};

const states: readonly State[] = ['ok', 'degraded', 'failed', 'predicted_failure'];

/** By the names of the semantic conventions, and what these have no name for under the module's own. */
const descriptions: Readonly<Record<string, string>> = {
	'hw.serial_number': 'SerialNumber',
	'hw.model': 'Model',
	'hw.vendor': 'Manufacturer',
	'redfish.part_number': 'PartNumber',
	'redfish.spare_part_number': 'SparePartNumber',
};

function describe(part: Json): Attributes {
	const said = Object.entries(descriptions).map(([name, key]) => [name, textIn(part[key])?.trim().slice(0, 100) ?? '']);
	return Object.fromEntries(said.filter(([, text]) => text !== ''));
}

function leafOf(part: Json, of: string | undefined): Leaf | undefined {
	const status = isObject(part.Status) ? part.Status : {};
	const path = linkIn(part);
	if (path === undefined || path.length > 500 || status.State === 'Absent') return undefined;
	const health = stateOfHealth(status.Health);
	const state = part.FailurePredicted === true && health !== 'failed' ? 'predicted_failure' : health;
	return {path, name: (textIn(part.Name) ?? path).slice(0, 200), state, part, of, described: describe(part)};
}

const objectsIn = (value: unknown): readonly Json[] => (Array.isArray(value) ? value.filter(isObject).slice(0, 1000) : []);

async function linked(client: Client, from: Json, key: string): Promise<readonly Json[]> {
	const link = linkIn(from[key]);
	return link === undefined ? [] : client.members(link);
}

async function drivesOf(client: Client, system: Json): Promise<Json[]> {
	const drives: Json[] = [];
	for (const storage of await linked(client, system, 'Storage'))
		for (const drive of objectsIn(storage.Drives)) {
			const link = linkIn(drive);
			const whole = link === undefined ? undefined : await client.get(link);
			if (whole) drives.push(whole);
		}
	return drives;
}

/** Fans, power supplies and sensors, as the newer schemas have them; else as Thermal and Power had them. */
async function chassisParts(client: Client, chassis: Json): Promise<Json[]> {
	const get = async (key: string): Promise<Json> => (await client.get(linkIn(chassis[key]) ?? '')) ?? {};
	const isNew = (key: string) => linkIn(chassis[key]) !== undefined;
	const found: Json[] = [];
	if (isNew('ThermalSubsystem')) found.push(...(await linked(client, await get('ThermalSubsystem'), 'Fans')));
	else if (isNew('Thermal')) {
		const thermal = await get('Thermal');
		found.push(...objectsIn(thermal.Fans), ...objectsIn(thermal.Temperatures));
	}
	if (isNew('PowerSubsystem')) found.push(...(await linked(client, await get('PowerSubsystem'), 'PowerSupplies')));
	else if (isNew('Power')) {
		const power = await get('Power');
		found.push(...objectsIn(power.PowerSupplies), ...objectsIn(power.Voltages));
	}
	found.push(...(await linked(client, chassis, 'Sensors')));
	return found;
}

/** The parts that have no parts: their own health counts, and what is rolled up from them does not. */
export async function leavesOf(client: Client, systems: readonly Json[], chassis: readonly Json[]): Promise<readonly Leaf[]> {
	const leaves: Leaf[] = [];
	const add = (owner: Json, parts: readonly Json[]) =>
		leaves.push(...parts.map(part => leafOf(part, linkIn(owner))).filter(leaf => leaf !== undefined));
	for (const system of systems) {
		add(system, [...(await linked(client, system, 'Processors')), ...(await linked(client, system, 'Memory'))]);
		add(system, await drivesOf(client, system));
	}
	for (const each of chassis) add(each, await chassisParts(client, each));
	return [...new Map(leaves.map(leaf => [leaf.path, leaf])).values()];
}

/** By the names of the semantic conventions; a sensor of another kind has none. */
function measuredBy({part}: Leaf): readonly [string, unknown] | undefined {
	if ('ReadingCelsius' in part) return ['hw.temperature', part.ReadingCelsius];
	if ('ReadingVolts' in part) return ['hw.voltage', part.ReadingVolts];
	if (part.ReadingUnits === 'RPM') return ['hw.fan.speed', part.Reading];
	if (part.ReadingType === 'Temperature') return ['hw.temperature', part.Reading];
	if (part.ReadingType === 'Voltage') return ['hw.voltage', part.Reading];
	return undefined;
}

export function readingsOf(leaf: Leaf): Reading[] {
	const type = typeOfPath(leaf.path);
	const attributes = {'hw.id': leaf.path, 'hw.name': leaf.name, ...(type !== undefined && {'hw.type': type})};
	const status =
		leaf.state === undefined
			? []
			: states.map(each => ({
					metric: 'hw.status',
					value: each === leaf.state ? 1 : 0,
					attributes: {...attributes, 'hw.state': each},
				}));
	const [metric, value] = measuredBy(leaf) ?? [];
	return metric !== undefined && typeof value === 'number' ? [...status, {metric, value, attributes}] : status;
}
