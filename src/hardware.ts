/** Kinds of parts, as the semantic conventions name them in `hw.type`. */
export const hardwareTypes = [
	'battery',
	'cpu',
	'disk_controller',
	'enclosure',
	'fan',
	'gpu',
	'logical_disk',
	'memory',
	'network',
	'physical_disk',
	'power_supply',
	'tape_drive',
	'temperature',
	'voltage',
] as const;
export type HardwareType = (typeof hardwareTypes)[number];

/** A part as people speak of it: what it is, and the numbers of its place, the outermost first. */
export type Part = {
	readonly type: HardwareType;
	/** Such as `8`, `0/8` or `a1`; empty when the text names none. */
	readonly place: string;
};

/** The first that is found decides: a "CPU 1 DIMM 8" is memory, and a "Fan 2 temperature" is a temperature. */
const kinds: readonly (readonly [HardwareType, RegExp])[] = [
	['temperature', /(?<![a-z\d])(temp|temperature|thermal|inlet|ambient)(?![a-z])/i],
	['voltage', /(?<![a-z\d])(volt|voltage|vcore|vtt|\d+(\.\d+)?v)(?![a-z\d])/i],
	['memory', /(?<![a-z\d])(dimm|memory|mem|mc)(?=[a-z]?\d|[^a-z]|$)/i],
	['power_supply', /(?<![a-z\d])(psu|ps|power supply|power module|power_supply)(?=[a-z]?\d|[^a-z]|$)/i],
	['fan', /(?<![a-z\d])(fan|cooling device|blower|fan_?tach)(?=[a-z]?\d|[^a-z]|$)/i],
	['physical_disk', /(?<![a-z\d])(drive|disk|hdd|ssd|nvme|physical_disk|bay)(?=[a-z]?\d|[^a-z]|$)/i],
	['logical_disk', /(?<![a-z\d])(array|volume|virtual disk|logical_disk)(?=[a-z]?\d|[^a-z]|$)/i],
	['gpu', /(?<![a-z\d])gpu(?=[a-z]?\d|[^a-z]|$)/i],
	['cpu', /(?<![a-z\d])(cpu|processor|proc|core)(?=[a-z]?\d|[^a-z]|$)/i],
	['battery', /(?<![a-z\d])(battery|cmos)(?![a-z])/i],
	['network', /(?<![a-z\d])(nic|lan|ethernet|network)(?=[a-z]?\d|[^a-z]|$)/i],
	['disk_controller', /(?<![a-z\d])(raid|controller|hba)(?=[a-z]?\d|[^a-z]|$)/i],
];

/** Numbers of a place, with a letter on either side that belongs to them: `CPU 0 DIMM 8`, `dimm8`, `Slot A1`, `Fan 2A`. */
const numbers = /(?:(?<![a-z0-9])([a-z]?\d{1,4}[a-z]?)|(?<=[a-z])(\d{1,4}[a-z]?))(?![a-z0-9])/gi;

/**
Finds the part that a free text is about, so that two sources that name it in their own ways are seen to mean the same.
Undefined when the text names no part of a kind that is known.
*/
export function partIn(text: string): Part | undefined {
	const type = kinds.find(([, expression]) => expression.test(text))?.[0];
	if (!type) return undefined;
	const places = [...text.slice(0, 200).matchAll(numbers)].map(([, apart = '', attached = '']) =>
		(apart || attached).toLowerCase().replace(/^(\D?)0+(?=\d)/, '$1'),
	);
	return {type, place: places.slice(0, 4).join('/')};
}
