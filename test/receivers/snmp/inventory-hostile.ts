import {createSocket} from 'node:dgram';
import {once} from 'node:events';
import test, {type ExecutionContext} from 'ava';
import fc from 'fast-check';
import {encode, type NativePdu, Packet, parse} from 'snmp-native';
import type {InventorySection} from '../../../src/inventory.ts';
import {inOrder} from '../../../src/inventory-words.ts';
import {createSnmpInventories} from '../../../src/receivers/snmp/inventory.ts';
import {entityMachine, entityParts} from '../../../src/receivers/snmp/inventory-entity.ts';
import {immFirmware, immNetwork, immParts} from '../../../src/receivers/snmp/inventory-imm.ts';
import type {Value} from '../../../src/receivers/snmp/walk.ts';
import {keptParts, snmpConfig} from '../../helpers/snmp.ts';
import {immBase} from '../../helpers/snmp-agent.ts';

const sections: ReadonlySet<InventorySection> = new Set(['hardware', 'firmware', 'network'] as const);
type Given = NativePdu['varbinds'];

/** An agent that answers each request as it is told; undefined is silence, a buffer goes as it is. */
async function agent(t: ExecutionContext, answer: (asked: readonly string[]) => Given | Buffer | undefined) {
	const seen: string[][] = [];
	const socket = createSocket('udp4').bind(0, '127.0.0.1');
	await once(socket, 'listening');
	t.teardown(() => socket.close());
	socket.on('message', (datagram, {port, address}) => {
		const {pdu} = parse(datagram);
		const asked = pdu.varbinds.map(({oid}) => oid.join('.'));
		seen.push(asked);
		const given = answer(asked);
		if (given === undefined) return;
		const packet = new Packet();
		packet.community = 'imm';
		if (!Buffer.isBuffer(given)) packet.pdu = {type: 2, reqid: pdu.reqid, error: 0, errorIndex: 0, varbinds: given};
		socket.send(Buffer.isBuffer(given) ? given : encode(packet), port, address);
	});
	const {port} = socket.address();
	const hosts = [{host: '127.0.0.1', port, version: '2c', community: 'imm'}];
	const config = snmpConfig({poll: {hosts, timeout: '1s', retries: 0}});
	const collect = async (signal = new AbortController().signal) => {
		const [source] = createSnmpInventories(config, keptParts().parts);
		return (await source?.collect(sections, signal)) ?? [];
	};
	return {collect, seen};
}

const numbers = (oid: string) => oid.split('.').map(Number);
const text = (oid: string, value: string) => ({oid: numbers(oid), type: 4, value});
const end = (oid: string) => ({oid: numbers(oid), type: 0x82, value: null});
const scalarsOf = (asked: readonly string[]): Given => asked.map(oid => text(oid, oid.endsWith('.1.4.1.0') ? '255' : 'J1A2B3C'));
const isScalars = (asked: readonly string[]) => asked.some(oid => oid === `${immBase}.1.4.1.0`);
const isOf = (asked: readonly string[], entry: string) => asked.some(oid => oid.startsWith(`${immBase}.${entry}.`));
const oneRow = (asked: readonly string[], words: string): Given =>
	asked.map(oid => (oid.endsWith('.1') && oid.split('.').length > 15 ? end(oid) : text(`${oid}.1`, words)));

test('a table without an answer, one in circles and one of garbage cost themselves alone', async t => {
	const {collect} = await agent(t, asked => {
		if (isScalars(asked)) return scalarsOf(asked);
		if (isOf(asked, '1.5.1.1')) return undefined;
		if (isOf(asked, '1.5.20.1')) return asked.map(oid => text(`${oid.split('.').slice(0, 15).join('.')}.7`, 'again'));
		if (isOf(asked, '1.5.21.1')) return Buffer.from('no SNMP at all');
		return isOf(asked, '1.12.2.1') ? oneRow(asked, 'Drive 5') : asked.map(end);
	});
	const [machine] = await collect();
	t.deepEqual(machine?.inventory.parts, [{type: 'physical_disk', id: 'physical_disk/5', name: 'Drive 5'}]);
	t.is(machine?.inventory.machine.serialNumber, 'J1A2B3C');
	const faults = machine?.inventory.faults ?? [];
	t.is(faults.length, 3);
	t.regex(
		faults.join('\n'),
		/1\.5\.1\.1: no answer.*\n.*1\.5\.20\.1: the agent goes round in circles.*\n.*1\.5\.21\.1: no answer/,
	);
});

test('after it was broken off nothing is asked any more', async t => {
	const stop = new AbortController();
	const {collect, seen} = await agent(t, asked => {
		if (isScalars(asked)) return scalarsOf(asked);
		setImmediate(() => stop.abort());
		return undefined;
	});
	await t.throwsAsync(collect(stop.signal), {code: 'ERR_SHUTTING_DOWN'});
	const count = seen.length;
	await new Promise(resolve => setTimeout(resolve, 600));
	t.is(seen.length, count);
	t.is(count, 2);
});

test('an agent with nothing of what is known names what to look at', async t => {
	const {collect} = await agent(t, asked => asked.map(end));
	await t.throwsAsync(collect(), {code: 'ERR_MALFORMED', message: /neither what an IMM has nor an ENTITY-MIB/});
});

const value: fc.Arbitrary<Value> = fc.oneof(
	fc.string({maxLength: 300}),
	fc.uint8Array({maxLength: 300}).map(bytes => Buffer.from(bytes)),
	fc.integer(),
	fc.double(),
	fc.constantFrom(null, true, 'DIMM 1', 'CPU 2', '16 GB', '2600MHz', 3, 5, 6),
);
const row = fc
	.dictionary(fc.integer({min: 1, max: 13}).map(String), value)
	.map(cells => new Map(Object.entries(cells).map(([column, cell]) => [Number(column), cell])));
const table = fc.dictionary(fc.constantFrom('1', '2', '10', '1.5', '0'), row).map(rows => new Map(Object.entries(rows)));

test('whatever stands in the tables, what is told of it is within limits, and no id comes twice', t => {
	fc.assert(
		fc.property(table, table, (one, other) => {
			const tableOf = (entry: string) => (entry.endsWith('.17.1') ? other : one);
			const told = [...immParts(tableOf), ...immFirmware(tableOf), ...entityParts(one, true)];
			const ids = inOrder(told).map(({type, id}) => `${type} ${id}`);
			if (ids.length !== told.length) throw new Error(`an id comes twice: ${JSON.stringify(told)}`);
			const words = JSON.stringify([told, immNetwork(tableOf), entityMachine(one)]);
			for (const [word] of words.matchAll(/"(?:[^"\\]|\\.)*"/g))
				if (JSON.parse(word).length > 300 || /\p{Cc}/u.test(JSON.parse(word))) throw new Error(`not to be told: ${word}`);
			if (/[:,[]null[,\]}]/.test(words)) throw new Error(`not known, and told: ${words}`);
		}),
		{numRuns: 500},
	);
	t.pass();
});
