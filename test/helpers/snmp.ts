import {execFile} from 'node:child_process';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';
import type {ExecutionContext} from 'ava';
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
