import {join} from 'node:path';
import {z} from 'zod';
import type {Marks, SourceParts} from '../../source.ts';
import type {Finding} from './alert.ts';
import type {HostReceiverConfig, Roots} from './config.ts';
import {diskOf} from './disks.ts';
import {type Said, saidIn} from './kernel-patterns.ts';
import {readJournal, readRecord} from './kernel-records.ts';
import {createKmsg} from './kmsg.ts';
import {readMark, writeMark} from './marks.ts';
import type {HostSource, Look} from './runner.ts';
import {createThinning} from './thin.ts';
import {complaintOf, type RunTool} from './tool.ts';
import {readText} from './tree.ts';

const markSchema = z.object({boot: z.string(), sequence: z.int()});
const cursorSchema = z.object({cursor: z.string()});

export type KernelLogParts = {
	readonly roots: Roots;
	readonly marks: Marks;
	readonly runTool: RunTool;
	readonly timeoutMillis: number;
	readonly log: SourceParts['log'];
	readonly now: () => number;
};

/** A line that tells of a fault, with its time and what makes it itself. */
type Line = {readonly said: Said; readonly text: string; readonly at: number | undefined; readonly identity: readonly unknown[]};

/** What the kernel says of the hardware: from /dev/kmsg, or through the journal where that may not be read. */
export function kernelLogSource(config: HostReceiverConfig['kernel_log'], parts: KernelLogParts): HostSource {
	const {roots, marks, now} = parts;
	const kmsg = createKmsg(join(roots.dev, 'kmsg'));
	const thin = createThinning();
	const firmware = new Map<string, string>();
	let isSettled = true;

	async function look(signal: AbortSignal): Promise<Look> {
		// What was read and could not be kept is still in the kernel's buffer, beyond the mark.
		if (!isSettled) await kmsg.close();
		isSettled = false;
		const read = await kmsg.read();
		if ('code' in read) return fromJournal(read.code, signal);
		if (read.lost) parts.log('warn', 'the kernel wrote over a part of its log before it was read');
		const boot = (await readText(roots.proc, 'sys/kernel/random/boot_id')) ?? '';
		const mark = await readMark(marks, 'host/kernel_log', markSchema);
		const seen = mark?.boot === boot ? mark.sequence : -1;
		const records = read.lines.flatMap(line => readRecord(line) ?? []).filter(({sequence}) => sequence > seen);
		const bootedAt = await bootTime(roots);
		const lines = records.flatMap(({text, micros, sequence}): Line[] => {
			const said = saidIn(text, firmware);
			const at = bootedAt === undefined ? undefined : bootedAt + micros / 1000;
			return said ? [{said, text, at, identity: [boot, sequence, text]}] : [];
		});
		const highest = records.reduce((most, {sequence}) => Math.max(most, sequence), seen);
		return settled(lines, read.more, highest > seen, () => writeMark(marks, 'host/kernel_log', {boot, sequence: highest}));
	}

	async function settled(lines: readonly Line[], more: boolean, isMoved: boolean, write: () => Promise<void>): Promise<Look> {
		const findings = await Promise.all(lines.map(line => toFinding(line, roots)));
		return {
			status: 'read',
			findings: thin(findings, now()),
			more,
			async settle() {
				if (isMoved) await write();
				isSettled = true;
			},
		};
	}

	async function fromJournal(code: string, signal: AbortSignal): Promise<Look> {
		const mark = await readMark(marks, 'host/kernel_log/journal', cursorSchema);
		const from = mark ? [`--after-cursor=${mark.cursor}`] : ['--boot'];
		const args = ['--dmesg', '--output=json', '--no-pager', '--quiet', ...from];
		const run = await parts.runTool(config.journalctl, args, {timeoutMillis: parts.timeoutMillis, signal});
		const refused = `${join(roots.dev, 'kmsg')} cannot be read (${code}: it takes CAP_SYSLOG, or kernel.dmesg_restrict=0)`;
		const isNone = code === 'ENOENT' && run.status === 'absent';
		if (run.status !== 'ended') return {status: isNone ? 'absent' : 'failing', reason: `${refused}, and ${run.reason}`};
		const records = run.stdout.split('\n').flatMap(line => readJournal(line) ?? []);
		if (records.length === 0 && (run.exitCode !== 0 || run.stderr.trim() !== '')) {
			// The journal forgets: a cursor that it no longer has must not silence the source for ever.
			if (mark && /cursor/i.test(run.stderr)) await marks.write('host/kernel_log/journal', '');
			const hint = 'a member of the group systemd-journal may read it';
			return {status: 'failing', reason: `${refused}, and ${config.journalctl} says: ${complaintOf(run.stderr)} (${hint})`};
		}
		const lines = records.flatMap(({text, micros, cursor, boot}): Line[] => {
			const said = saidIn(text, firmware);
			return said ? [{said, text, at: micros / 1000, identity: [boot, cursor, text]}] : [];
		});
		const last = records.at(-1)?.cursor;
		const write = () => writeMark(marks, 'host/kernel_log/journal', {cursor: last});
		return settled(lines, run.truncated && last !== undefined, last !== undefined, write);
	}
	return {name: 'kernel_log', intervalMillis: config.interval, look, close: kmsg.close};
}

async function toFinding({said, text, at, identity}: Line, roots: Roots): Promise<Finding> {
	const {device, ...rest} = said;
	const part = device === undefined ? said.part : await diskOf(roots, device);
	return {...rest, part, message: text, occurredAt: at, identity: ['kernel', ...identity]};
}

/** Unix milliseconds of the boot, as /proc/stat has it in seconds. */
async function bootTime(roots: Roots): Promise<number | undefined> {
	const seconds = /^btime (\d{1,12})$/m.exec((await readText(roots.proc, 'stat')) ?? '')?.[1];
	return seconds === undefined ? undefined : Number(seconds) * 1000;
}
