import {z} from 'zod';
import {type NamedPart, reading, statusReadings} from './alert.ts';
import type {HostReceiverConfig, Roots} from './config.ts';
import {type DiskLook, newsOfDisks} from './disk-states.ts';
import {diskOf} from './disks.ts';
import type {HostSource, Look} from './runner.ts';
import {type DiskToolParts, summary} from './smart.ts';
import {nvmeVerdict} from './smart-report.ts';
import {complaintOf} from './tool.ts';
import {list} from './tree.ts';

/** A number, or with newer releases a text of one: counters are larger than a double holds. */
const counter = z
	.union([
		z.number(),
		z
			.string()
			.regex(/^\d{1,40}$/)
			.transform(Number),
	])
	.optional()
	.catch(undefined);

/** `nvme smart-log -o json`. Its names are not those of smartctl, and its temperature is in kelvins. */
const logSchema = z.object({
	critical_warning: z.union([z.number(), z.object({value: z.number()}).transform(({value}) => value)]),
	temperature: z.number().optional().catch(undefined),
	avail_spare: counter,
	spare_thresh: counter,
	percent_used: counter,
	media_errors: counter,
});

export function readSmartLog(json: string): z.output<typeof logSchema> | undefined {
	try {
		return logSchema.safeParse(JSON.parse(json)).data;
	} catch {
		return undefined;
	}
}

export type NvmeParts = DiskToolParts & {
	readonly roots: Roots;
	/** Whether smartctl reads the same disks already. */
	readonly isReadElsewhere: (signal: AbortSignal) => Promise<boolean>;
};

/** The health of NVMe disks through nvme-cli, for machines without smartctl. */
export function nvmeSource(config: HostReceiverConfig['nvme'], parts: NvmeParts): HostSource {
	const {roots, marks} = parts;

	async function look(signal: AbortSignal): Promise<Look> {
		const disks = ((await list(roots.sys, 'class/nvme')) ?? []).filter(name => /^nvme\d+$/.test(name));
		if (disks.length === 0) return {status: 'absent', reason: `${roots.sys}/class/nvme shows no NVMe disk`};
		if (await parts.isReadElsewhere(signal)) return {status: 'absent', reason: 'receivers.host.smart reads the NVMe disks'};
		const looks: DiskLook[] = [];
		const troubles: string[] = [];
		for (const device of disks) {
			if (signal.aborted) break;
			const one = await lookAt(device, signal);
			if (one === 'absent') return {status: 'absent', reason: `neither ${config.nvme} nor smartctl is installed`};
			if (typeof one === 'string') troubles.push(one);
			else looks.push(one);
		}
		if (looks.length === 0 && troubles.length > 0) return {status: 'failing', reason: summary(troubles)};
		const news = await newsOfDisks(looks, 'host/nvme', marks);
		return {status: 'read', ...news, ...(troubles.length > 0 && {trouble: summary(troubles)})};
	}

	/** The text is what is in the way. */
	async function lookAt(device: string, signal: AbortSignal): Promise<DiskLook | 'absent' | string> {
		const args = ['smart-log', `${roots.dev}/${device}`, '-o', 'json'];
		const run = await parts.runTool(config.nvme, args, {timeoutMillis: parts.timeoutMillis, signal});
		if (run.status === 'absent') return 'absent';
		if (run.status !== 'ended') return `${device}: ${run.reason}`;
		const log = readSmartLog(run.stdout);
		const part = await diskOf(roots, device);
		if (!log) {
			const complaint = complaintOf(run.stderr || run.stdout);
			if (/permission denied|not permitted/i.test(complaint)) return `${device}: ${complaint}. It takes root, or CAP_SYS_ADMIN`;
			return {part, state: 'unreadable', why: `its health cannot be read. ${complaint}`.trim(), counters: {}, readings: []};
		}
		const {why, ...state} = nvmeVerdict(log.critical_warning, log.percent_used ?? 0);
		const counters: Record<string, number> = log.media_errors === undefined ? {} : {'media errors': log.media_errors};
		return {part, state, why, counters, readings: readingsOf(part, log, state.state ?? 'ok')};
	}
	return {name: 'nvme', intervalMillis: config.interval, look};
}

function readingsOf(part: NamedPart, log: z.output<typeof logSchema>, state: 'ok' | 'degraded' | 'failed' | 'predicted_failure') {
	const heat: NamedPart = {type: 'temperature', id: `temperature/${part.id.replace('physical_disk/', 'disk-')}`, name: part.name};
	return [
		...statusReadings(part, state),
		...reading('hw.temperature', log.temperature === undefined ? undefined : log.temperature - 273, heat, {'hw.parent': part.id}),
		...reading(
			'hw.physical_disk.endurance_utilization',
			log.percent_used === undefined ? undefined : log.percent_used / 100,
			part,
			{
				'hw.physical_disk.state': 'used',
			},
		),
		...reading('hw.errors', log.media_errors, part, {'error.type': 'media_errors'}),
	];
}
