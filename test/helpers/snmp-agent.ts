import {spawn} from 'node:child_process';
import {createSocket} from 'node:dgram';
import {once} from 'node:events';
import {renameSync, writeFileSync} from 'node:fs';
import {mkdir} from 'node:fs/promises';
import {join} from 'node:path';
import {setTimeout as pause} from 'node:timers/promises';
import type {ExecutionContext} from 'ava';
import {eventually, temporaryDirectory} from './listen.ts';
import {requiredPeer} from './peer-binaries.ts';

/** Objects by OID: numbers are INTEGERs, texts are OCTET STRINGs. */
export type Objects = Readonly<Record<string, number | string>>;

const compare = (one: string, other: string): number => {
	const [left, right] = [one.split('.').map(Number), other.split('.').map(Number)];
	const at = left.findIndex((arc, index) => arc !== right[index]);
	return at < 0 ? left.length - right.length : (left[at] ?? 0) - (right[at] ?? -1);
};

/** The format of snmpsim: `OID|tag|value`, in the order of the OIDs. */
export const recording = (objects: Objects): string =>
	Object.entries(objects)
		.toSorted(([one], [other]) => compare(one, other))
		.map(([oid, value]) =>
			typeof value === 'number' ? `${oid}|2|${value}\n` : `${oid}|4x|${Buffer.from(value).toString('hex')}\n`,
		)
		.join('');

async function freeUdpPort(): Promise<number> {
	const socket = createSocket('udp4');
	socket.bind(0, '127.0.0.1');
	await once(socket, 'listening');
	const {port} = socket.address();
	socket.close();
	await once(socket, 'close');
	return port;
}

export type SnmpAgent = {
	readonly port: number;
	/** What it has from now on. */
	change(objects: Objects): Promise<void>;
	stop(): Promise<void>;
};

export const agentUser = {
	name: 'reader',
	auth_protocol: 'sha',
	auth_password: 'proof-of-the-reader',
	priv_protocol: 'aes',
	priv_password: 'privacy-of-the-reader',
};

/** snmpsim's agent. In versions 1 and 2c its community is `imm`; in version 3 the user is `agentUser`. */
export async function snmpAgent(t: ExecutionContext, objects: Objects): Promise<SnmpAgent> {
	const directory = await temporaryDirectory(t);
	const data = join(directory, 'data');
	await mkdir(data);
	const write = (changed: Objects) => {
		const file = join(data, 'imm.snmprec');
		writeFileSync(`${file}.new`, recording(changed));
		renameSync(`${file}.new`, file); // Never seen half.
	};
	write(objects);
	const port = await freeUdpPort();
	const parameters = [
		`--data-dir=${data}`,
		`--cache-dir=${join(directory, 'cache')}`,
		...(process.getuid?.() === 0 ? ['--process-user=root', '--process-group=root'] : []), // Else it refuses to run as root.
		`--v3-user=${agentUser.name}`,
		`--v3-auth-key=${agentUser.auth_password}`,
		'--v3-auth-proto=SHA',
		`--v3-priv-key=${agentUser.priv_password}`,
		'--v3-priv-proto=AES',
		`--agent-udpv4-endpoint=127.0.0.1:${port}`,
	];
	const child = spawn(requiredPeer('snmpsim-command-responder'), parameters, {stdio: ['ignore', 'pipe', 'pipe']});
	const said: string[] = [];
	child.stdout.on('data', chunk => said.push(String(chunk)));
	child.stderr.on('data', chunk => said.push(String(chunk)));
	const exit = once(child, 'exit');
	const stop = async () => {
		if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
		await exit;
	};
	t.teardown(stop);
	const isListening = () => said.join('').includes('Listening at UDP/IPv4') && child.exitCode === null;
	await eventually(isListening, {timeoutMillis: 60_000}).catch(() => {
		throw new Error(`snmpsim does not listen: ${said.join('').slice(-2000)}`);
	});
	const change = async (changed: Objects) => {
		await pause(1200); // It sees a change by the second in which the file was written.
		write(changed);
	};
	return {port, change, stop};
}

export const immBase = '1.3.6.1.4.1.2.3.51.3';

/** Rows of a table as an IMM has them: column by number. */
export const tableObjects = (
	entry: string,
	rows: readonly Readonly<Record<number, number | string>>[],
	base = immBase,
): Objects =>
	Object.fromEntries(
		rows.flatMap((row, index) =>
			Object.entries({1: index + 1, ...row}).map(([column, value]) => [`${base}.${entry}.${column}.${index + 1}`, value]),
		),
	);

const sensor = (
	name: string,
	reading: number,
	criticalHigh = 0,
	nonCriticalHigh = 0,
): Readonly<Record<number, number | string>> => ({
	2: name,
	3: reading,
	4: 0,
	5: 0,
	6: criticalHigh,
	7: nonCriticalHigh,
	8: 0,
	9: 0,
	10: 0,
});

export const logLine = (text: string, severity: number, time: string) => ({2: text, 3: severity, 4: '11/26/2026', 5: time});

export type ImmState = {
	readonly health?: number;
	readonly ambient?: number;
	readonly fan?: readonly [speed: string, health: string];
	readonly disk?: string;
	readonly supply?: string;
	readonly log?: readonly Readonly<Record<number, number | string>>[];
	readonly changes?: readonly Readonly<Record<number, number | string>>[];
	readonly base?: string;
};

const quietLog = [logLine('Management Controller started.', 2, '08:00:00'), logLine('Host power was turned on.', 2, '08:01:00')];

/** What an IMM2 shows, with the odd values that real ones show: a sensor that is absent, limits of 0, a fan that is off. */
export function immObjects(state: ImmState = {}): Objects {
	const {health = 255, ambient = 24, fan = [' 35% of maximum', 'Normal'], disk = 'Normal', supply = 'Normal'} = state;
	const {log = quietLog, changes = [], base = immBase} = state;
	const table = (entry: string, rows: Parameters<typeof tableObjects>[1]) => tableObjects(entry, rows, base);
	return {
		[`${base}.1.4.1.0`]: health,
		[`${base}.1.5.2.1.1.0`]: '8871',
		[`${base}.1.5.2.1.2.0`]: 'AC1',
		[`${base}.1.5.2.1.3.0`]: '06ABCDE ',
		[`${base}.1.5.2.1.4.0`]: 'D9A1F3C2D5E811E08B7A5CF3FC3E0F3C',
		[`${base}.1.5.2.1.5.0`]: 'System x3650 M4',
		[`${base}.3.1.1.4.0`]: 1,
		[`${base}.3.1.1.5.0`]: 0,
		[`${base}.3.1.1.6.0`]: 1,
		...table('1.1.2.1', [sensor('Ambient Temp', ambient, 43, 39), sensor('CPU 1 Temp', 51, 90, 80), sensor('CPU 2 Temp', 0)]),
		...table('1.2.2.1', [sensor('SysBrd 3.3V', 3308, 3560, 0), sensor('CMOS Battery', 3136)]),
		...table('1.3.2.1', [
			{2: 'Fan 1A Tach', 3: fan[0], 10: fan[1]},
			{2: 'Fan 2A Tach', 3: 'Offline', 10: 'Unknown'},
		]),
		...table('1.4.2.1', health === 255 ? [] : [{2: 'Error', 3: 'Fan 1A has failed'}]),
		...table('1.11.2.1', [{2: 'Power Module 1', 6: supply}]),
		...table('1.12.2.1', [
			{2: 'Drive 0', 3: 'Normal'},
			{2: 'Drive 3', 3: disk},
		]),
		...table('1.5.20.1', [{2: 'CPU 1', 11: 'Normal'}]),
		...table('1.5.21.1', [{2: 'DIMM 1', 3: '00D5036', 4: 'SN123', 8: 'Normal'}]),
		...table('1.5.18.1', changes),
		...table('2.1.1.1', log),
	};
}

/**
Debian's snmpd with the same objects, for version 3, and where snmpsim would be the slowest part. They cannot change. It
listens on one port of all the addresses.
*/
export async function snmpdAgent(
	t: {teardown(undo: () => unknown): void},
	directory: string,
	objects: Objects,
	addresses: readonly string[] = ['127.0.0.1'],
): Promise<number> {
	const port = await freeUdpPort();
	const {name, auth_password: auth, priv_password: priv} = agentUser;
	const overrides = Object.entries(objects).map(([oid, value]) =>
		typeof value === 'number' ? `override .${oid} integer ${value}` : `override .${oid} octet_str "${value}"`,
	);
	const lines = [
		...addresses.map(address => `agentaddress udp:${address}:${port}`),
		'rocommunity imm 127.0.0.0/8',
		`createUser ${name} SHA "${auth}" AES "${priv}"`,
		`rouser ${name} priv`,
		...overrides,
	];
	const file = join(directory, `snmpd-${port}.conf`);
	writeFileSync(file, `${lines.join('\n')}\n`);
	const env = {...process.env, SNMP_PERSISTENT_DIR: join(directory, `snmpd-${port}`), MIBS: ''};
	// -C: no files of this machine; -V: says when it listens.
	const child = spawn(requiredPeer('snmpd'), ['-f', '-Lo', '-C', '-c', file, '-I', '-vacm_dummy'], {
		env,
		stdio: ['ignore', 'pipe', 'pipe'],
	});
	const said: string[] = [];
	child.stdout.on('data', chunk => said.push(String(chunk)));
	child.stderr.on('data', chunk => said.push(String(chunk)));
	const exit = once(child, 'exit');
	t.teardown(async () => {
		if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
		await exit;
	});
	await eventually(() => said.join('').includes('NET-SNMP version'), {timeoutMillis: 60_000}).catch(() => {
		throw new Error(`snmpd does not listen: ${said.join('').slice(-2000)}`);
	});
	return port;
}
