import {access, constants, mkdtemp, open, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {z} from 'zod';
import {createRefusals, refusedAdvice} from '../../refused-login.ts';
import {Secret} from '../../secret.ts';
import type {Marks, SourceParts} from '../../source.ts';
import type {HostReceiverConfig, IpmiRemote, Roots} from './config.ts';
import {readMark, writeMark} from './marks.ts';
import type {HostSource, Look} from './runner.ts';
import {readInfo, readLine, readRecords, recordToFinding, type SelInfo, type SelLine, type SelRecord, unsetBelow} from './sel.ts';
import {complaintOf, type RunTool, type ToolRun} from './tool.ts';
import {codeOf} from './tree.ts';

const markSchema = z.object({
	/** Counts how often the log was cleared: ids and unset clocks begin again. */
	log: z.int(),
	info: z.object({entries: z.int(), added: z.int(), erased: z.int()}),
	/** The records that were told, as their bytes: as many as the log holds. */
	told: z.array(z.string()).max(70_000),
});
type Mark = z.output<typeof markSchema>;

export type IpmiParts = {
	readonly roots: Roots;
	readonly marks: Marks;
	readonly runTool: RunTool;
	readonly timeoutMillis: number;
	readonly log: SourceParts['log'];
	readonly now: () => number;
};

/** A log of 65 535 records, which IPMI's ids allow for. */
const mostRawBytes = 65_536 * 16;

/** This machine's own management module, over the kernel's driver. */
export const localIpmi = (config: HostReceiverConfig['ipmi'], parts: IpmiParts): HostSource => ({
	name: 'ipmi',
	intervalMillis: config.interval,
	look: async signal =>
		(await deviceTrouble(parts.roots)) ?? readLog(config, {args: [], environment: {}, target: ''}, parts, signal),
});

/** How ipmitool says that it was the login. Over `lan` it does not say so of a user that the module does not know. */
const refused = /RAKP 2 HMAC is invalid|unauthorized (name|role requested)|Activate Session (command failed|error)/i;

/** Another management module, over the network. Its machine is named by `system`, or by the module's address. */
export const remoteIpmi = (config: HostReceiverConfig['ipmi'], remote: IpmiRemote, parts: IpmiParts): HostSource => {
	const {host, port, user, interface: over, privilege, cipher_suite: suite, password} = remote;
	const args = ['-I', over, '-H', host, '-p', String(port), '-U', user, '-L', privilege.toUpperCase(), '-E'];
	if (over === 'lanplus' && suite !== undefined) args.push('-C', String(suite));
	const session = {args, environment: {IPMI_PASSWORD: password?.reveal() ?? ''}, target: `${host}:${port}`};
	const refusals = createRefusals(parts.marks, config.refused_pause, parts.now);
	const login = {key: `host/ipmi/${session.target}/refused`, username: user, password: password ?? new Secret('')};
	const stopped = (how: string): Look => ({
		status: 'stopped',
		reason: `the login of "${user}" is refused (${how}): ${refusedAdvice}`,
	});
	return {
		name: 'ipmi',
		target: session.target,
		intervalMillis: config.interval,
		resource: {'host.name': remote.system ?? host},
		async look(signal) {
			if (await refusals.isHeld(login)) return stopped('before');
			const look = await readLog(config, session, parts, signal);
			if (look.status === 'read') await refusals.accepted(login);
			if (look.status !== 'stopped') return look;
			await refusals.refused(login);
			return stopped(look.reason);
		},
	};
};

async function deviceTrouble({dev}: Roots): Promise<Look | undefined> {
	const codes: string[] = [];
	for (const device of ['ipmi0', 'ipmi/0', 'ipmidev/0']) {
		try {
			await access(join(dev, device), constants.R_OK | constants.W_OK);
			return undefined;
		} catch (error) {
			codes.push(codeOf(error));
			if (codeOf(error) === 'EACCES' || codeOf(error) === 'EPERM')
				return {status: 'failing', reason: `${join(dev, device)} needs read and write access for this user`};
		}
	}
	return {
		status: 'absent',
		reason: `there is no ${join(dev, 'ipmi0')}: no management module, or ipmi_si and ipmi_devintf are not loaded`,
	};
}

type Session = {
	readonly args: readonly string[];
	readonly environment: Readonly<Record<string, string>>;
	readonly target: string;
};

/** Asks what the log holds; when that has changed, reads it, and tells what was not told before. */
async function readLog(
	{ipmitool, history}: HostReceiverConfig['ipmi'],
	session: Session,
	parts: IpmiParts,
	signal: AbortSignal,
): Promise<Look> {
	const key = `host/ipmi/${session.target}`;
	const run = (...args: readonly string[]): Promise<ToolRun> =>
		parts.runTool(ipmitool, [...session.args, ...args], {
			timeoutMillis: parts.timeoutMillis,
			signal,
			environment: session.environment,
		});
	// Over lanplus it tells a refused login from a module that does not answer only when it is told to say more.
	const asked = await run(...(session.target === '' ? [] : ['-v']), 'raw', '0x0a', '0x40');
	const info = asked.status === 'ended' ? readInfo(asked.stdout) : undefined;
	if (!info) return asTold(troubleOf(ipmitool, asked), session);
	const mark = await readMark(parts.marks, key, markSchema);
	if (mark && isSame(mark.info, info)) return withOverflow({status: 'read', findings: []}, info);

	const records = info.entries === 0 ? [] : await readRaw(run);
	if ('status' in records) return asTold(records, session);
	const log = (mark?.log ?? 0) + (mark && wasCleared(mark, records) ? 1 : 0);
	const told = new Set(mark?.told);
	const news = records.filter(record => (mark ? !told.has(record.raw) : isRecent(record, parts.now() - history)));
	if (!mark && news.length < records.length)
		parts.log(
			'info',
			`the event log${session.target && ` of ${session.target}`} holds ${records.length - news.length} older records, which are history`,
		);
	const lines = news.length > 0 ? await readLines(run, news.length) : new Map<number, SelLine>();
	const findings = news.flatMap(record => recordToFinding(record, lines.get(record.id), `log ${log}`) ?? []);
	const next: Mark = {log, info: plain(info), told: records.map(({raw}) => raw)};
	return withOverflow({status: 'read', findings, settle: () => writeMark(parts.marks, key, next)}, info);
}

const plain = ({entries, added, erased}: SelInfo) => ({entries, added, erased});
const isSame = (one: Mark['info'], other: SelInfo) =>
	one.entries === other.entries && one.added === other.added && one.erased === other.erased;

/** The age of a record is not known when the module had no clock. */
const isRecent = ({seconds}: SelRecord, since: number): boolean => seconds >= unsetBelow && seconds * 1000 >= since;

/** Nothing of what was told is there any more. One record that was deleted, or written over, is no new log. */
function wasCleared({told}: Mark, records: readonly SelRecord[]): boolean {
	const there = new Set(records.map(({raw}) => raw));
	return told.length > 0 && !told.some(raw => there.has(raw));
}

/** A full log takes no further events: the next fault would not be seen. */
const withOverflow = (look: Look & {status: 'read'}, {overflowed}: SelInfo): Look =>
	overflowed
		? {...look, trouble: 'the event log is full, so further events are lost: save and clear it (ipmitool sel save, sel clear)'}
		: look;

/** The records as bytes: the words that ipmitool prints depend on its release, its language and the time zone. */
async function readRaw(
	run: (...args: string[]) => Promise<ToolRun>,
): Promise<readonly SelRecord[] | Extract<Look, {reason: string}>> {
	const directory = await mkdtemp(join(tmpdir(), 'callhome-sel-'));
	try {
		const file = join(directory, 'sel');
		const wrote = await run('sel', 'writeraw', file);
		if (wrote.status !== 'ended' || wrote.exitCode !== 0) return troubleOf('ipmitool sel writeraw', wrote);
		const bytes = await readBounded(file);
		return readRecords(bytes) ?? {status: 'failing', reason: 'ipmitool sel writeraw wrote something else than whole records'};
	} catch (error) {
		return {status: 'failing', reason: `ipmitool sel writeraw wrote no records (${codeOf(error)})`};
	} finally {
		await rm(directory, {recursive: true, force: true});
	}
}

async function readBounded(file: string): Promise<Buffer> {
	const handle = await open(file, 'r');
	try {
		const {buffer, bytesRead} = await handle.read(Buffer.alloc(mostRawBytes), 0, mostRawBytes, 0);
		return buffer.subarray(0, bytesRead);
	} finally {
		await handle.close();
	}
}

/** The names of sensors and modules, where the tool can tell them. Without them the codes still say what happened. */
async function readLines(run: (...args: string[]) => Promise<ToolRun>, last: number): Promise<ReadonlyMap<number, SelLine>> {
	const listed = await run('sel', 'elist', 'last', String(last));
	const text = listed.status === 'ended' ? listed.stdout : '';
	return new Map(
		text
			.split('\n')
			.flatMap(line => readLine(line) ?? [])
			.map(line => [line.id, line]),
	);
}

/** Where a module is named in the configuration, a tool that is missing is a fault and no sign that nothing is to be read. */
const asTold = (trouble: Extract<Look, {reason: string}>, {target}: Session): Look =>
	target !== '' && trouble.status === 'absent' ? {...trouble, status: 'failing'} : trouble;

function troubleOf(tool: string, run: ToolRun): Extract<Look, {reason: string}> {
	if (run.status === 'absent') return {status: 'absent', reason: `${run.reason}: it is in the package ipmitool`};
	if (run.status !== 'ended') return {status: 'failing', reason: run.reason};
	const refusal = refused.exec(run.stderr)?.[0];
	if (refusal !== undefined) return {status: 'stopped', reason: refusal};
	const complaint = complaintOf(run.stderr || run.stdout) || `it ended with ${run.exitCode} and said nothing that can be read`;
	return {status: 'failing', reason: `${tool}: ${complaint}`};
}
