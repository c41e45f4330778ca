import test from 'ava';
import fc from 'fast-check';
import {type HardwareEvent, Severity} from '../../../src/event.ts';
import {createClassify, stateOf} from '../../../src/processors/classify.ts';
import type {Trap, Varbind} from '../../../src/receivers/snmp/trap.ts';
import {trapEvent} from '../../../src/receivers/snmp/trap-event.ts';
import {immAlertVarbinds, immRoot} from '../../helpers/snmp.ts';

const receivedAt = Date.parse('2026-11-26T12:00:00Z');

const trapOf = (oid: string, varbinds: readonly (readonly [string, Varbind['value']])[], more: Partial<Trap> = {}): Trap => ({
	kind: 'trap',
	version: 2,
	oid,
	varbinds: varbinds.map(([name, value]) => ({oid: name, value: typeof value === 'string' ? Buffer.from(value) : value})),
	uptime: 100,
	agent: '192.0.2.7',
	...more,
});

const imm = (specific: number, changes: Parameters<typeof immAlertVarbinds>[0] = {}, more: Partial<Trap> = {}): HardwareEvent =>
	trapEvent(trapOf(`${immRoot}.0.${specific}`, immAlertVarbinds(changes), more), receivedAt);

const classify = createClassify([]);

test('the flags of the module decide whom an alert concerns', t => {
	t.is(classify(imm(5)).verdict, 'call_home');
	t.is(classify(imm(5, {19: ['i', '2']})).verdict, 'serviceable');
	t.is(classify(imm(5, {19: ['i', '0']})).verdict, 'never');
	t.is(classify(imm(5, {19: undefined})).verdict, 'call_home', 'a failed drive, where the module does not say');
	t.is(classify(imm(25, {19: undefined, 8: ['i', '4']})).verdict, 'serviceable', 'a boot failure, where the module does not say');
	t.is(classify(imm(30, {19: undefined, 8: ['i', '4']})).verdict, 'never', 'a remote login');
});

test('an event id that says otherwise does not outweigh the number of the trap', t => {
	const event = imm(5, {18: ['s', '0x806F000D0403FFFF'], 19: undefined});
	t.is(event.attributes['hw.state'], 'failed');
	t.is(classify(event).verdict, 'call_home');
	t.false('callhome.event.inferred' in event.attributes);
	t.is(imm(50, {18: ['s', '0x806F010C2001FFFF'], 9: ['s', 'Something']}).attributes['callhome.event.inferred'], true);
});

test('a test is marked as one', t => {
	const event = imm(5, {20: ['i', '1']});
	t.is(event.attributes['callhome.test'], true);
	t.not(event.id, imm(5).id);
});

test('a recovery ends what the fault began', t => {
	const fault = imm(11, {9: ['s', 'Fan 2A has failed.'], 18: ['s', '0x800701041D01FFFF']});
	const recovery = imm(11, {9: ['s', 'Fan 2A has recovered.'], 18: ['s', '0x810701041D01FFFF'], 8: ['i', '8']});
	t.like(fault.attributes, {'hw.id': 'fan/2a', 'hw.type': 'fan', 'hw.state': 'failed'});
	t.like(recovery.attributes, {'hw.id': 'fan/2a', 'hw.type': 'fan', 'hw.state': 'ok'});
	t.false('callhome.call_home_candidate' in recovery.attributes);
	t.is(stateOf(recovery), 'ok');
	const [nameless, well] = [
		imm(50, {9: ['s', 'Something failed.'], 18: ['s', '0x800701FF1D01FFFF']}),
		imm(50, {9: ['s', 'Something is well.'], 18: ['s', '0x810701FF1D01FFFF'], 8: ['i', '8']}),
	];
	t.is(nameless.attributes['hw.id'], well.attributes['hw.id'], 'the event id leads from one to the other');
});

/** The priority's numbers mean other things than those of the system's health. */
const priorities: [priority: string, specific: number, severity: number, state: string | undefined][] = [
	['0', 0, Severity.fatal, 'failed'],
	['2', 12, Severity.warn, 'degraded'],
	['4', 27, Severity.warn, 'predicted_failure'],
	['4', 24, Severity.info, undefined],
	['8', 0, Severity.info, 'ok'],
	['2', 999, Severity.error, 'failed'],
	['77', 999, Severity.error, 'failed'],
];
for (const [priority, specific, severity, state] of priorities)
	test(`priority ${priority} of trap ${specific} is ${state ?? 'information'}`, t => {
		const event = imm(specific, {8: ['i', priority]});
		t.is(event.severity, severity);
		t.is(event.attributes['hw.state'], state);
	});

test('an alert of which everything is missing is an alert', t => {
	const event = trapEvent(trapOf(`${immRoot}.0.41`, []), receivedAt);
	t.like(event.attributes, {'hw.type': 'memory', 'hw.state': 'failed'});
	t.is(event.resource['host.name'], '192.0.2.7');
	t.regex(event.message, /41/);
});

test('the same alert has one id, over every way and again', t => {
	const {id} = imm(5);
	t.is(imm(5, {}, {uptime: 900}).id, id, 'sent again later');
	t.is(imm(5, {}, {version: 1, agent: '192.0.2.99'}).id, id, 'through a relay');
	t.is(trapEvent(trapOf(`${immRoot}.5`, immAlertVarbinds()), receivedAt).attributes['hw.state'], 'failed', 'with the 0 left out');
	t.not(imm(5, {1: ['s', '11/26/2026, 12:00:01']}).id, id, 'a second later it is another one');
	t.not(imm(5, {21: ['s', '00Y9999']}).id, id);
});

test('two alerts of a clock that is years off are two', t => {
	const stuck = {1: ['s', '01/01/1970, 00:00:05']} as const;
	const changes = {1: [...stuck[1]] as [string, string]};
	t.not(imm(5, changes, {uptime: 100}).id, imm(5, changes, {uptime: 900}).id);
	t.is(imm(5, changes, {uptime: 100}).id, imm(5, changes, {uptime: 100}).id);
	t.is(imm(5, changes).occurredAt, receivedAt, 'and its time is not believed');
});

test('serials and models that are none are not taken', t => {
	const event = imm(5, {6: ['s', '0000000'], 22: ['s', 'N/A']});
	t.false('callhome.system.serial_number' in event.resource);
	t.false('callhome.system.type' in event.resource);
	t.is(imm(5, {22: ['s', '7915-AC1']}).resource['callhome.system.model'], 'AC1');
});

test('what is known of the machine goes before what the trap says', t => {
	const known = (address: string) =>
		address === '192.0.2.7' ? {'host.name': 'db01', 'callhome.system.model': 'AC2'} : undefined;
	const {resource} = trapEvent(trapOf(`${immRoot}.0.5`, immAlertVarbinds()), receivedAt, known);
	t.like(resource, {'host.name': 'db01', 'callhome.system.model': 'AC2', 'callhome.system.type': '8871'});
	const other = () => ({'host.name': 'relay', 'callhome.system.serial_number': 'RELAY01'});
	const relayed = trapEvent(trapOf(`${immRoot}.0.5`, immAlertVarbinds()), receivedAt, other);
	t.like(relayed.resource, {'host.name': '192.0.2.7', 'callhome.system.serial_number': '06ABCDE'});
});

test('an XCC speaks as an IMM does, and has codes of its own', t => {
	const root = '1.3.6.1.4.1.19046.11.1.158.5';
	const varbinds = [...immAlertVarbinds({}, root), [`${root}.1.24`, 'FQXSPSD0002N'] as const];
	const event = trapEvent(trapOf(`${root}.0.5`, varbinds), receivedAt);
	t.like(event.attributes, {'hw.id': 'physical_disk/3', 'hw.state': 'failed', 'callhome.event.code': 'FQXSPSD0002N'});
});

const idracObjects = '1.3.6.1.4.1.674.10892.5.3.1';
const idrac = (number: number, group: number, status: number, zero = '0.'): HardwareEvent =>
	trapEvent(
		trapOf(`1.3.6.1.4.1.674.10892.5.3.2.${group}.${zero}${number}`, [
			[`${idracObjects}.1.0`, 'PDR1001'],
			[`${idracObjects}.2.0`, 'Fault detected on Disk 3 in Backplane 1.'],
			[`${idracObjects}.3.0`, status],
			[`${idracObjects}.4.0`, 'abc1234'],
			[`${idracObjects}.5.0`, 'db02.example'],
			[`${idracObjects}.6.0`, 'Disk.Bay.3:Enclosure.Internal.0-1'],
			[`${idracObjects}.7.0`, 'Disk 3'],
		]),
		receivedAt,
	);

test('an iDRAC tells what failed, and that it is well', t => {
	for (const zero of ['0.', '']) {
		const event = idrac(4345, 2, 5, zero);
		t.is(event.severity, Severity.error);
		t.like(event.resource, {'host.name': 'db02.example', 'callhome.system.serial_number': 'ABC1234'});
		t.like(event.attributes, {
			'hw.id': 'Disk.Bay.3:Enclosure.Internal.0-1',
			'hw.type': 'physical_disk',
			'hw.name': 'Disk 3',
			'hw.state': 'failed',
			'callhome.event.code': 'PDR1001',
		});
	}
	t.is(idrac(4346, 2, 4).attributes['hw.state'], 'degraded');
	t.like(idrac(4347, 2, 3).attributes, {'hw.id': 'Disk.Bay.3:Enclosure.Internal.0-1', 'hw.state': 'ok'});
	t.is(idrac(2187, 1, 1).attributes['hw.state'], 'ok', 'by the number, where the status says nothing');
	t.is(idrac(10_395, 4, 3).attributes['callhome.test'], true);
	t.false('hw.state' in idrac(8490, 4, 5).attributes, 'an audit is no hardware');
});

const hpe = '1.3.6.1.4.1.232';
const ilo = (number: string, varbinds: readonly (readonly [string, Varbind['value']])[]): HardwareEvent =>
	trapEvent(trapOf(`${hpe}.${number}`, [['1.3.6.1.2.1.1.5.0', 'db03'], ...varbinds]), receivedAt);

test('an iLO tells by its numbers and its columns what is wrong', t => {
	const supply: [string, number][] = [[`${hpe}.6.2.9.3.1.1.0.2`, 0]];
	t.like(ilo('0.6050', supply), {severity: Severity.error, message: 'power supply 0.2: failed'});
	t.like(ilo('0.6050', supply).attributes, {'hw.id': 'power_supply/0.2', 'hw.state': 'failed'});
	t.like(ilo('0.6048', supply).attributes, {'hw.id': 'power_supply/0.2', 'hw.state': 'ok'});
	t.is(ilo('0.6048', supply).resource['host.name'], 'db03');
	const drive = (status: number): [string, number][] => [[`${hpe}.3.2.5.1.1.6.1.3`, status]];
	t.is(ilo('0.3046', drive(3)).attributes['hw.state'], 'failed');
	t.is(ilo('0.3046', drive(4)).attributes['hw.state'], 'predicted_failure');
	t.is(ilo('0.3046', drive(2)).attributes['hw.state'], 'ok');
	t.false('hw.state' in ilo('0.3046', drive(5)).attributes, 'it is erased');
	t.is(ilo('3.0.3', drive(3)).attributes['hw.id'], 'physical_disk/1.3', 'as the oldest agents send it');
	t.is(ilo('0.6032', []).attributes['hw.id'], ilo('0.6054', []).attributes['hw.id']);
	t.false('hw.state' in ilo('0.11003', []).attributes, 'a number that no table has');
});

test('no varbind, whatever it holds, breaks a reader', t => {
	const value = fc.oneof(
		fc.integer(),
		fc.boolean(),
		fc.constant(null),
		fc.string(),
		fc.uint8Array().map(bytes => Buffer.from(bytes)),
	);
	const oids = fc.constantFrom(
		...Array.from({length: 28}, (_, arc) => `${immRoot}.1.${arc}`),
		...Array.from({length: 10}, (_, arc) => `${idracObjects}.${arc}.0`),
		`${hpe}.3.2.5.1.1.6`,
		`${hpe}.3.2.5.1.1.6.1.3`,
	);
	const traps = fc.constantFrom(
		`${immRoot}.0.5`,
		`${immRoot}.0.41`,
		'1.3.6.1.4.1.674.10892.5.3.2.1.0.2185',
		`${hpe}.0.3046`,
		'1.3.6.1.4.1.1',
	);
	fc.assert(
		fc.property(traps, fc.array(fc.tuple(oids, value), {maxLength: 30}), (oid, varbinds) => {
			const event = trapEvent(trapOf(oid, varbinds), receivedAt);
			return event.id.length === 32 && event.message !== '' && trapEvent(trapOf(oid, varbinds), receivedAt).id === event.id;
		}),
		{numRuns: 300},
	);
	t.pass();
});
