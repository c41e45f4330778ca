import {z} from 'zod';
import type {Reading} from '../../source.ts';
import {clean, type Finding, type NamedPart, reading, statusReadings, without} from './alert.ts';
import {diskPart, wholeDisk} from './disks.ts';

const number = z.number().optional().catch(undefined);
const text = z
	.string()
	.transform(value => clean(value, 200))
	.optional()
	.catch(undefined);
const part = <Shape extends z.ZodRawShape>(shape: Shape) => z.object(shape).optional().catch(undefined);

const attributeSchema = z
	.object({
		id: z.number(),
		name: text,
		value: number,
		thresh: number,
		when_failed: text,
		flags: part({prefailure: z.boolean().optional().catch(undefined)}),
		raw: part({value: number}),
	})
	.optional()
	.catch(undefined);

/** `smartctl -j`, format 1.0: whatever is missing or of another type is taken as not said. */
const reportSchema = z.object({
	json_format_version: z.array(z.number()).min(1),
	smartctl: z.object({
		exit_status: number,
		messages: z
			.array(z.object({string: text, severity: text}).optional().catch(undefined))
			.max(1000)
			.optional()
			.catch(undefined),
	}),
	device: part({name: text, type: text, protocol: text}),
	model_name: text,
	scsi_model_name: text,
	vendor: text,
	serial_number: text,
	firmware_version: text,
	user_capacity: part({bytes: number}),
	smart_support: part({available: z.boolean().optional().catch(undefined), enabled: z.boolean().optional().catch(undefined)}),
	smart_status: part({passed: z.boolean().optional().catch(undefined)}),
	temperature: part({current: number}),
	ata_smart_attributes: part({table: z.array(attributeSchema).max(1000).optional().catch(undefined)}),
	nvme_smart_health_information_log: part({
		critical_warning: number,
		available_spare: number,
		available_spare_threshold: number,
		percentage_used: number,
		media_errors: number,
	}),
	scsi_grown_defect_list: number,
	scsi_percentage_used_endurance_indicator: number,
	scsi_error_counter_log: part({
		read: part({total_uncorrected_errors: number}),
		write: part({total_uncorrected_errors: number}),
		verify: part({total_uncorrected_errors: number}),
	}),
});
export type SmartReport = z.output<typeof reportSchema>;

/** Undefined for what is no report of smartctl. */
export function readReport(json: string): SmartReport | undefined {
	try {
		return reportSchema.safeParse(JSON.parse(json)).data;
	} catch {
		return undefined;
	}
}

const scanSchema = z.object({
	devices: z
		.array(
			z
				.object({name: z.string().min(1).max(200), type: z.string().min(1).max(64).optional()})
				.optional()
				.catch(undefined),
		)
		.max(10_000)
		.default([]),
});

export function readScan(json: string): readonly {readonly name: string; readonly type?: string | undefined}[] | undefined {
	try {
		return scanSchema.safeParse(JSON.parse(json)).data?.devices.flatMap(device => device ?? []);
	} catch {
		return undefined;
	}
}

/** Bits of smartctl's exit code. A code that is not 0 is normal. */
export const exitBits = {usage: 1, notOpened: 2, commandFailed: 4, failing: 8, belowThreshold: 16} as const;

export const messagesOf = (report: SmartReport): string =>
	(report.smartctl.messages ?? [])
		.flatMap(message => message?.string ?? [])
		.join('; ')
		.slice(0, 500);

export const isStandby = (report: SmartReport): boolean => /\bSTANDBY\b|\bSLEEP\b/.test(messagesOf(report));

export function partOfReport(report: SmartReport, device: string): NamedPart {
	const name = wholeDisk(device.replace(/^\/dev\//, ''));
	return diskPart(name, report.serial_number, report.model_name ?? report.scsi_model_name);
}

/** A log of the drive says whether it is well: without one there is nothing to say. */
export const isReadable = ({smart_status: status, ...report}: SmartReport): boolean =>
	status?.passed !== undefined ||
	report.nvme_smart_health_information_log !== undefined ||
	report.ata_smart_attributes?.table !== undefined;

type Verdict = Pick<Finding, 'state' | 'errorType' | 'verdict'> & {readonly why: string};

/** NVMe, SMART / Health Information log: bits of the critical warning. The first that is set decides, the gravest first. */
const nvmeWarnings: readonly (readonly [bit: number, verdict: Verdict])[] = [
	[8, {state: 'failed', errorType: 'read_only', why: 'its media are read-only'}],
	[4, {state: 'failed', why: 'its reliability is degraded'}],
	[16, {state: 'failed', why: 'the backup of its volatile memory has failed'}],
	[1, {state: 'predicted_failure', why: 'its spare capacity is below the threshold'}],
	[32, {state: 'degraded', why: 'its persistent memory region is read-only or unreliable'}],
	[2, {state: 'degraded', errorType: 'temperature', verdict: 'serviceable', why: 'its temperature is beyond a threshold'}],
];

export function nvmeVerdict(criticalWarning: number, percentageUsed: number): Verdict {
	const warning = nvmeWarnings.find(([bit]) => (criticalWarning & bit) !== 0)?.[1];
	if (warning) return warning;
	if (percentageUsed < 100) return {state: 'ok', why: 'it passes'};
	return {
		state: 'degraded',
		errorType: 'wear',
		verdict: 'serviceable',
		why: `${percentageUsed} % of its rated endurance is used`,
	};
}

/** How the drive is now. */
export function verdictOf(report: SmartReport, exitCode: number): Verdict {
	const failingNow = (report.ata_smart_attributes?.table ?? []).filter(row => row?.when_failed?.toLowerCase() === 'now');
	if (report.smart_status?.passed === false || (exitCode & exitBits.failing) !== 0)
		return {state: 'failed', why: `its own assessment is that it fails${namesOf(failingNow)}`};
	if (failingNow.length > 0) return {state: 'failed', why: `attributes are below their threshold${namesOf(failingNow)}`};
	const health = report.nvme_smart_health_information_log;
	const used = health?.percentage_used ?? report.scsi_percentage_used_endurance_indicator ?? 0;
	return nvmeVerdict(health?.critical_warning ?? 0, used);
}

const namesOf = (rows: readonly z.output<typeof attributeSchema>[]): string =>
	rows.length === 0
		? ''
		: `: ${rows
				.flatMap(row => row?.name ?? row?.id ?? [])
				.slice(0, 10)
				.join(', ')}`;

/** Attributes whose growth predicts a failure: reallocated, pending and uncorrectable sectors, reported errors, end-to-end errors. */
const telling = new Set([5, 184, 187, 197, 198]);

/** Counters that only growth makes telling, by a name of their own. */
export function countersOf(report: SmartReport): Readonly<Record<string, number>> {
	const rows = (report.ata_smart_attributes?.table ?? []).flatMap(row =>
		row && telling.has(row.id) && row.raw?.value !== undefined
			? [[row.name ?? `attribute ${row.id}`, row.raw.value] as const]
			: [],
	);
	const scsi = Object.values(report.scsi_error_counter_log ?? {}).map(log => log?.total_uncorrected_errors);
	const uncorrected = scsi.filter(count => count !== undefined);
	const all: readonly (readonly [string, number | undefined])[] = [
		...rows,
		['media errors', report.nvme_smart_health_information_log?.media_errors],
		['grown defects', report.scsi_grown_defect_list],
		['uncorrected errors', uncorrected.length > 0 ? uncorrected.reduce((sum, count) => sum + count, 0) : undefined],
	];
	return Object.fromEntries(all.filter((pair): pair is readonly [string, number] => pair[1] !== undefined));
}

export const factsOf = (report: SmartReport): Finding['attributes'] => ({
	'hw.model': report.model_name ?? report.scsi_model_name,
	'hw.vendor': report.vendor,
	'hw.serial_number': report.serial_number,
	'hw.firmware_version': report.firmware_version,
	'callhome.host.smart.messages': messagesOf(report),
});

export function readingsOf(report: SmartReport, disk: NamedPart, state: NonNullable<Finding['state']>): readonly Reading[] {
	const facts = without({...factsOf(report), 'callhome.host.smart.messages': undefined});
	const used = report.nvme_smart_health_information_log?.percentage_used ?? report.scsi_percentage_used_endurance_indicator;
	const heat: NamedPart = {type: 'temperature', id: `temperature/${disk.id.replace('physical_disk/', 'disk-')}`, name: disk.name};
	return [
		...statusReadings(disk, state),
		...reading('hw.physical_disk.size', report.user_capacity?.bytes, disk, facts),
		...reading('hw.temperature', report.temperature?.current, heat, {'hw.parent': disk.id}),
		...reading('hw.physical_disk.endurance_utilization', used === undefined ? undefined : used / 100, disk, {
			'hw.physical_disk.state': 'used',
		}),
		...(report.ata_smart_attributes?.table ?? []).flatMap(row =>
			row?.name === undefined
				? []
				: reading('hw.physical_disk.smart', row.value, disk, {'hw.physical_disk.smart_attribute': row.name}),
		),
		...Object.entries(countersOf(report)).flatMap(([name, value]) =>
			reading('hw.errors', value, disk, {'error.type': name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_')}),
		),
	];
}
