import type {MetricDefinition} from './telemetry.ts';

type Row = readonly [name: string, instrument: 'gauge' | 'counter' | 'updowncounter', unit: string, description: string];

const rows: readonly Row[] = [
	['hw.status', 'updowncounter', '1', 'Operational status of a part: 1 for the state that it is in, 0 for the others.'],
	['hw.errors', 'counter', '{error}', 'Errors of a part since it began to count.'],
	['hw.power', 'gauge', 'W', 'Power that a part takes now.'],
	['hw.energy', 'counter', 'J', 'Energy that a part has taken.'],
	['hw.battery.charge', 'gauge', '1', 'Charge of a battery, 0 to 1.'],
	['hw.cpu.speed', 'gauge', 'Hz', 'Clock frequency of a processor.'],
	['hw.fan.speed', 'gauge', 'rpm', 'Speed of a fan.'],
	['hw.fan.speed.limit', 'gauge', 'rpm', 'Speed limit of a fan, by kind of limit.'],
	['hw.fan.speed_ratio', 'gauge', '1', 'Speed of a fan as a part of the highest one, 0 to 1.'],
	['hw.host.ambient_temperature', 'gauge', 'Cel', 'Temperature around the machine.'],
	['hw.host.energy', 'counter', 'J', 'Energy that the machine has taken.'],
	['hw.host.heating_margin', 'gauge', 'Cel', 'Degrees until the first limit of a temperature is reached.'],
	['hw.host.power', 'gauge', 'W', 'Power that the machine takes now.'],
	['hw.memory.size', 'updowncounter', 'By', 'Size of a memory module.'],
	['hw.network.up', 'updowncounter', '1', '1 while the link of a network port is up.'],
	['hw.physical_disk.endurance_utilization', 'gauge', '1', 'Part of the writes that a disk is made for, or what remains of it.'],
	['hw.physical_disk.size', 'updowncounter', 'By', 'Size of a disk.'],
	['hw.physical_disk.smart', 'gauge', '1', 'Value of a SMART attribute of a disk.'],
	['hw.power_supply.limit', 'updowncounter', 'W', 'Power limit of a power supply, by kind of limit.'],
	['hw.power_supply.utilization', 'gauge', '1', 'Load of a power supply as a part of its limit, 0 to 1.'],
	['hw.power_supply.usage', 'updowncounter', 'W', 'Power that a power supply gives now.'],
	['hw.temperature', 'gauge', 'Cel', 'Temperature that a sensor reads.'],
	['hw.temperature.limit', 'gauge', 'Cel', 'Limit of a temperature, by kind of limit.'],
	['hw.voltage', 'gauge', 'V', 'Voltage that a sensor reads.'],
	['hw.voltage.limit', 'gauge', 'V', 'Limit of a voltage, by kind of limit.'],
	['hw.voltage.nominal', 'gauge', 'V', 'Voltage that a sensor is to read.'],
];

/** What can be read of a machine's hardware, as the semantic conventions of OpenTelemetry 1.45 have it, by name. */
export const hardwareMetrics: ReadonlyMap<string, MetricDefinition> = new Map(
	rows.map(([name, instrument, unit, description]) => [name, {name, instrument, unit, description}]),
);

/** How the sources do that read hardware. */
export const sourceMetrics = {
	up: {
		name: 'callhome.source.up',
		instrument: 'updowncounter',
		unit: '1',
		description: '1 while a source of hardware events reads what it is to read, 0 while it fails or was stopped.',
	},
} as const satisfies Record<string, MetricDefinition>;

export const sourceAttributes = {
	source: 'callhome.source',
	target: 'callhome.source.target',
} as const;
