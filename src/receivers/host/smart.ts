import type {Marks} from '../../source.ts';
import type {HostReceiverConfig} from './config.ts';
import {type DiskLook, newsOfDisks} from './disk-states.ts';
import type {HostSource, Look} from './runner.ts';
import {
	countersOf,
	exitBits,
	factsOf,
	isReadable,
	isStandby,
	messagesOf,
	partOfReport,
	readingsOf,
	readReport,
	readScan,
	verdictOf,
} from './smart-report.ts';
import {complaintOf, type RunTool} from './tool.ts';

export type DiskToolParts = {readonly marks: Marks; readonly runTool: RunTool; readonly timeoutMillis: number};

type Device = {readonly name: string; readonly type?: string | undefined};
/** What one device brought: how it is, that it rests, or what is in the way. */
type DeviceLook = DiskLook | 'resting' | {readonly trouble: string};

const mostDevices = 1000;

/** The health of disks through smartctl, which knows ATA, SCSI and NVMe, and what lies behind some controllers. */
export function smartSource(config: HostReceiverConfig['smart'], {marks, runTool, timeoutMillis}: DiskToolParts): HostSource {
	const {smartctl, interval, devices} = config;

	async function look(signal: AbortSignal): Promise<Look> {
		const found = devices ?? (await scan(signal));
		if ('status' in found) return found;
		if (found.length === 0) return {status: 'absent', reason: `${smartctl} --scan finds no disk that keeps its health`};
		const looks: DiskLook[] = [];
		const troubles: string[] = [];
		// One after the other: a disk that hangs is to hold up this source, not the machine.
		for (const device of found.slice(0, mostDevices)) {
			if (signal.aborted) break;
			const one = await lookAt(device, signal);
			if (one === 'resting') continue;
			if ('trouble' in one) troubles.push(one.trouble);
			else looks.push(one);
		}
		if (looks.length === 0 && troubles.length > 0) return {status: 'failing', reason: summary(troubles)};
		const news = await newsOfDisks(looks, 'host/smart', marks);
		return {status: 'read', ...news, ...(troubles.length > 0 && {trouble: summary(troubles)})};
	}

	async function scan(signal: AbortSignal): Promise<readonly Device[] | Extract<Look, {reason: string}>> {
		const run = await runTool(smartctl, ['--json=c', '--scan'], {timeoutMillis, signal});
		if (run.status === 'absent') return {status: 'absent', reason: `${run.reason}: it is in the package smartmontools`};
		if (run.status !== 'ended') return {status: 'failing', reason: run.reason};
		const found = readScan(run.stdout);
		if (found) return found;
		return {
			status: 'failing',
			reason: `${smartctl} --scan gave no JSON (7.0 or newer does): ${complaintOf(run.stderr || run.stdout)}`,
		};
	}

	async function lookAt({name, type}: Device, signal: AbortSignal): Promise<DeviceLook> {
		// A disk that rests is left to rest.
		const args = ['--json=c', '--xall', '--nocheck=standby', ...(type === undefined ? [] : [`--device=${type}`]), '--', name];
		const run = await runTool(smartctl, args, {timeoutMillis, signal});
		if (run.status !== 'ended') return {trouble: `${name}: ${run.reason}`};
		const report = readReport(run.stdout);
		if (!report) return {trouble: `${name}: ${smartctl} gave no report: ${complaintOf(run.stderr || run.stdout)}`};
		if (isStandby(report)) return 'resting';
		const messages = messagesOf(report);
		if ((run.exitCode & (exitBits.usage | exitBits.notOpened)) !== 0) return {trouble: `${name}: ${withPermission(messages)}`};
		const part = partOfReport(report, name);
		if (!isReadable(report)) return {...unreadable, part, why: `its health cannot be read. ${messages}`.trim()};
		const {why, ...state} = verdictOf(report, run.exitCode);
		return {
			part,
			state,
			why,
			counters: countersOf(report),
			attributes: factsOf(report),
			readings: readingsOf(report, part, state.state ?? 'ok'),
		};
	}
	return {name: 'smart', intervalMillis: interval, look};
}

const unreadable = {state: 'unreadable', counters: {}, readings: []} as const;

/** Without the right, smartctl says only that it was refused. */
const withPermission = (messages: string): string =>
	/permission denied|not permitted/i.test(messages)
		? `${messages}. It takes root, or CAP_SYS_RAWIO for ATA and SCSI and CAP_SYS_ADMIN for NVMe with access to the device`
		: messages || 'it could not be opened';

export const summary = (troubles: readonly string[]): string =>
	`${troubles.slice(0, 3).join(' | ')}${troubles.length > 3 ? ` | and ${troubles.length - 3} more` : ''}`.slice(0, 1000);
