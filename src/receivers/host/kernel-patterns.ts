import {type Finding, type NamedPart, namedPart} from './alert.ts';
import {cpuPart, kindOf, pciPart} from './ras-rows.ts';

/** What a line of the kernel says. A disk is named as the kernel names it: which one that is, the source finds out. */
export type Said = Pick<Finding, 'state' | 'errorType' | 'verdict'> & {readonly part: NamedPart; readonly device?: string};

type Pattern = readonly [expression: RegExp, said: (match: RegExpExecArray) => Said | undefined];

const memory: NamedPart = {type: 'memory', id: 'memory/unknown', name: 'memory'};
const disk = (device: string): Pick<Said, 'part' | 'device'> => ({
	part: {type: 'physical_disk', id: `physical_disk/${device}`, name: device},
	device,
});
const badSector = {state: 'failed', errorType: 'uncorrected'} as const;

/** A machine check's status register: bit 61 says that it was not corrected. */
const isUncorrected = (status: string): boolean => (BigInt(`0x${status}`) >> 61n) % 2n === 1n;

/** What the firmware calls the sections of a record, in CPER's words. */
const sections: Readonly<Record<string, NamedPart>> = {
	'memory error': memory,
	'general processor error': cpuPart(''),
	'ia32/x64 processor error': cpuPart(''),
	'ARM processor error': cpuPart(''),
	'PCIe error': pciPart(''),
};

/**
Lines of the kernel that tell of broken hardware, the first that matches decides. Running out of memory, a damaged file system
and a program that crashes are not among them.
*/
const patterns: readonly Pattern[] = [
	[
		/^EDAC (\w+): \d+ (CE|UE) (.{0,200}?) on (\S.{0,120}?)(?: \(|$)/,
		([, controller, kind, , label = '']) => ({
			...(kind === 'CE'
				? {state: undefined, errorType: 'corrected', verdict: 'never'}
				: {state: 'failed', errorType: 'uncorrected'}),
			part: /\b(any|unknown) memory\b/i.test(label)
				? {type: 'memory', id: `memory/${controller?.toLowerCase()}`, name: `memory controller ${controller?.toLowerCase()}`}
				: namedPart(label, 'memory'),
		}),
	],
	[
		/\bCPU:? ?(\d+): Machine Check(?: Exception)?: \S+ Bank \d+: ([0-9a-f]{16})\b/,
		([, cpu = '', status = '0']) => ({...kindOf(isUncorrected(status) ? 'uncorrected' : 'corrected'), part: cpuPart(cpu)}),
	],
	[
		/\bCPU(\d+): (?:Core|Package) temperature above threshold/,
		([, cpu = '']) => ({
			state: 'degraded',
			part: {type: 'temperature', id: `temperature/cpu-${cpu}`, name: `temperature of CPU ${cpu}`},
		}),
	],
	[
		/\bCPU(\d+): (?:Core|Package) temperature\/speed normal/,
		([, cpu = '']) => ({
			state: 'ok',
			part: {type: 'temperature', id: `temperature/cpu-${cpu}`, name: `temperature of CPU ${cpu}`},
		}),
	],
	[
		/^(?:thermal )?(thermal_zone\d+|\S{1,40}): critical temperature reached/i,
		([, zone = '']) => ({state: 'failed', part: namedPart(zone, 'temperature')}),
	],
	[/^Memory failure: 0x[0-9a-f]+: /, () => ({state: 'failed', errorType: 'uncorrected', part: memory})],
	[/^(?:mce: )?Uncorrected hardware memory error\b/, () => ({state: 'failed', errorType: 'uncorrected', part: memory})],
	[
		/([0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]): PCIe Bus Error: severity=(\w+)/i,
		([, address = '', severity = '']) => ({...kindOf(severity), part: pciPart(address)}),
	],
	[
		/AER: (?:Multiple )?(Uncorrect\w+|Correct\w+)(?: \((?:Non-)?Fatal\))? error (?:message )?received(?: from|:) ([0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])/i,
		([, kind = '', address = '']) => ({...kindOf(kind), part: pciPart(address)}),
	],
	[/\bcritical medium error, dev ([a-z0-9]+)\b/, ([, device = '']) => ({...badSector, errorType: 'bad_sector', ...disk(device)})],
	[
		/^sd \S+ \[(sd[a-z]+)\] (?:tag#\d+ )?Sense Key : (?:Medium|Hardware) Error\b/,
		([, device = '']) => ({...badSector, ...disk(device)}),
	],
	[/^(ata\d+)(?:\.\d\d)?: error: \{ .*\bUNC\b.*\}/, ([, port = '']) => ({...badSector, errorType: 'bad_sector', ...disk(port)})],
	[/^(ata\d+)\.\d\d: disabled?(?:d| device)\b/i, ([, port = '']) => ({state: 'failed', ...disk(port)})],
	[/^(ata\d+)(?:\.\d\d)?: (?:failed command: |exception Emask)/, ([, port = '']) => ({state: 'degraded', ...disk(port)})],
	[
		/\bI\/O error, dev ([a-z0-9]+), sector\b/,
		([, device = '']) => (isDisk(device) ? {state: 'degraded', ...disk(device)} : undefined),
	],
	[
		/^Buffer I\/O error on dev(?:ice)? ([a-z0-9]+),/,
		([, device = '']) => (isDisk(device) ? {state: 'degraded', ...disk(device)} : undefined),
	],
	[
		/^nvme (nvme\d+): (?:controller is down; will reset|Device not ready|Removing after probe failure|Disabling device after reset failure|frozen state error detected)/,
		([, device = '']) => ({state: 'failed', ...disk(device)}),
	],
	[/^nvme (nvme\d+): I\/O .{0,80}timeout\b/, ([, device = '']) => ({state: 'degraded', ...disk(device)})],
	[/^md\/raid\S*: Disk failure on ([a-z0-9]+), disabling device/, ([, device = '']) => ({state: 'failed', ...disk(device)})],
];

/** Loop devices, floppies, optical drives and what is only mapped are no disks that break. */
const isDisk = (device: string): boolean => /^(?:sd[a-z]+\d*|nvme\d+.*|vd[a-z]+\d*|hd[a-z]+\d*)$/.test(device);

const longestLine = 1000;

/** Undefined for a line that tells of no fault. `firmware` keeps the severity that a record's later lines belong to. */
export function saidIn(text: string, firmware: Map<string, string>): Said | undefined {
	const line = text.slice(0, longestLine).replace(/^mce: \[Hardware Error\]: /, '');
	const record = /^(\{\d{1,10}\})\[Hardware Error\]:\s*(event severity|section_type|section type): (.{1,60}?)\s*$/.exec(line);
	if (record) return firmwareLine(record, firmware);
	for (const [expression, read] of patterns) {
		const match = expression.exec(line);
		if (match) return read(match);
	}
	return undefined;
}

/** The firmware tells a record in several lines with one number: first how bad it is, then what it is about. */
function firmwareLine([, number = '', key = '', value = '']: RegExpExecArray, firmware: Map<string, string>): Said | undefined {
	if (key === 'event severity') {
		if (firmware.size > 100) firmware.clear();
		firmware.set(number, value);
		return undefined;
	}
	const severity = firmware.get(number);
	if (severity === undefined) return undefined;
	return {...kindOf(severity), part: sections[value] ?? {type: undefined, id: 'part/firmware', name: value}};
}
