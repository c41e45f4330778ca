import {execFile} from 'node:child_process';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';
import type {ExecutionContext} from 'ava';
import {encode, Packet} from 'snmp-native';
import type {Decision, HardwareEvent} from '../../src/event.ts';
import {type SnmpReceiverConfig, snmpReceiverSchema} from '../../src/receivers/snmp/config.ts';
import {createSnmpReceiver} from '../../src/receivers/snmp/receiver.ts';
import type {Reading, SourceParts, TargetState} from '../../src/source.ts';
import {requiredPeer} from './peer-binaries.ts';

const run = promisify(execFile);

export type Kept = {
	readonly events: HardwareEvent[];
	/** How many events came together. */
	readonly batches: number[];
	readonly targets: TargetState[];
	readonly lines: string[];
	readonly marks: Map<string, string>;
	readonly readings: Map<string, readonly Reading[]>;
	readonly parts: SourceParts;
};

/** What a source is given, and what it does with it. */
export function keptParts(replaced: Partial<SourceParts> = {}): Kept {
	const [events, batches, targets, lines]: [HardwareEvent[], number[], TargetState[], string[]] = [[], [], [], []];
	const marks = new Map<string, string>();
	const readings = new Map<string, readonly Reading[]>();
	const parts: SourceParts = {
		async consume(batch) {
			events.push(...batch);
			batches.push(batch.length);
			return batch.map((): Decision => 'first');
		},
		measure: (_source, resource, read) => readings.set(String(resource['host.name']), read),
		marks: {
			read: async key => marks.get(key),
			async write(key, value) {
				marks.set(key, value);
			},
		},
		onTarget: state => targets.push(state),
		log: (level, text) => lines.push(`${level} ${text}`),
		...replaced,
	};
	return {events, batches, targets, lines, marks, readings, parts};
}

export const snmpConfig = (config: unknown): SnmpReceiverConfig => snmpReceiverSchema.parse(config);

/** A receiver of traps on a free port, ended with the test. */
export async function trapReceiver(t: ExecutionContext, traps: object, kept: Kept): Promise<number> {
	const receiver = createSnmpReceiver(snmpConfig({traps: {endpoint: '127.0.0.1:0', ...traps}}), kept.parts);
	t.teardown(() => receiver.shutdown());
	await receiver.start();
	if (receiver.port === undefined) throw new Error('it does not listen');
	return receiver.port;
}

/** net-snmp's own programs, without the files of this machine. */
export async function netSnmp(program: 'snmptrap' | 'snmpinform', ...parameters: readonly string[]): Promise<void> {
	const options = {
		env: {...process.env, MIBS: '', SNMPCONFPATH: '/nonexistent', SNMP_PERSISTENT_DIR: join(tmpdir(), 'callhome-snmp')},
	};
	await run(requiredPeer(program), parameters, options);
}

export const immRoot = '1.3.6.1.4.1.2.6.158.5';

/** The varbinds of an alert as an IMM sends them, as net-snmp's programs take them. */
export function immVarbinds(changes: Readonly<Record<number, [type: string, value: string] | undefined>> = {}, root = immRoot) {
	const varbinds: Record<number, [type: string, value: string] | undefined> = {
		1: ['s', '11/26/2026, 12:00:00'],
		3: ['s', 'SN# 06ABCDE'],
		5: ['s', 'D9A1F3C2D5E811E08B7A5CF3FC3E0F3C'],
		6: ['s', '06ABCDE'],
		10: ['i', '12'],
		11: ['s', 'PLAT'],
		8: ['i', '0'],
		9: ['s', 'The Drive "Drive 3" has been disabled due to a detected fault.'],
		12: ['s', 'Operations'],
		13: ['s', 'Zurich'],
		18: ['s', '0x806F010D0403FFFF'],
		19: ['i', '1'],
		20: ['i', '0'],
		21: ['s', '00Y2473, 81Y9691'],
		22: ['s', '8871AC1'],
		23: ['s', ''],
		...changes,
	};
	return Object.entries(varbinds).flatMap(([arc, pair]) => (pair ? [`${root}.1.${arc}`, ...pair] : []));
}

type Encodable = readonly [oid: string, value: number | string];

/** A datagram of version 2c, made by snmp-native: `1.3.6.1…` as a value is an OID, another text a string. */
export function notification(
	trapOid: string,
	varbinds: readonly Encodable[],
	{kind = 'trap', community = 'not-public', id = 4711} = {},
): Buffer {
	const numbers = (oid: string) => oid.split('.').map(Number);
	const packet = new Packet();
	packet.community = community;
	packet.pdu = {
		type: kind === 'trap' ? 7 : 6,
		reqid: id,
		error: 0,
		errorIndex: 0,
		varbinds: [
			{oid: numbers('1.3.6.1.2.1.1.3.0'), type: 0x43, value: 100},
			{oid: numbers('1.3.6.1.6.3.1.1.4.1.0'), type: 6, value: numbers(trapOid)},
			...varbinds.map(([oid, value]) => ({oid: numbers(oid), type: typeof value === 'number' ? 2 : 4, value})),
		],
	};
	return encode(packet);
}

/** The alert of `immVarbinds` for the tests that send it themselves. */
export const immAlertVarbinds = (changes: Parameters<typeof immVarbinds>[0] = {}, root = immRoot): Encodable[] => {
	const flat = immVarbinds(changes, root);
	return Array.from({length: flat.length / 3}, (_, index) => {
		const [oid = '', type, value = ''] = flat.slice(index * 3, index * 3 + 3);
		return [oid, type === 'i' ? Number(value) : value] as const;
	});
};
