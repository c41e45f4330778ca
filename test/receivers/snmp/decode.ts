import test from 'ava';
import fc from 'fast-check';
import {parse} from 'snmp-native';
import {readHeader} from '../../../src/receivers/snmp/ber.ts';
import {createDecode} from '../../../src/receivers/snmp/decode.ts';
import {createTimeWindows} from '../../../src/receivers/snmp/time-window.ts';
import {trapEvent} from '../../../src/receivers/snmp/trap-event.ts';
import {immAlertVarbinds, immRoot, notification, snmpConfig} from '../../helpers/snmp.ts';

const engineId = '8000b98380000102030405060708090a0b';
const user = {name: 'proven', auth_password: 'proof-of-the-user'};
const {traps} = snmpConfig({traps: {communities: ['not-public'], users: [user]}});
if (!traps) throw new Error('traps are configured');
const decode = createDecode(traps, engineId, Date.now);

const alert = (options: Parameters<typeof notification>[2] = {}) => notification(`${immRoot}.0.5`, immAlertVarbinds(), options);

test('an inform has the answer that its sender waits for', t => {
	const decoded = decode(alert({kind: 'inform', id: 815}), '192.0.2.7');
	if (decoded.kind !== 'notification') return t.fail(decoded.kind);
	t.is(decoded.trap.kind, 'inform');
	const {pdu, community} = parse(decoded.answer ?? Buffer.alloc(0));
	t.like(pdu, {type: 2, reqid: 815, error: 0});
	t.is(community, 'not-public');
	t.is(pdu.varbinds.length, immAlertVarbinds().length + 2);
});

test('a trap has no answer', t => {
	t.like(decode(alert(), '192.0.2.7'), {kind: 'notification', answer: undefined});
});

test('a datagram that was cut off is no trap with fewer varbinds', t => {
	const whole = alert();
	for (let length = 0; length < whole.length; length++)
		t.deepEqual(decode(whole.subarray(0, length), '192.0.2.7'), {kind: 'refused', reason: 'malformed'});
	t.deepEqual(decode(Buffer.concat([whole, Buffer.from([0])]), '192.0.2.7'), {kind: 'refused', reason: 'malformed'});
});

test('a wrong community is refused without an answer', t => {
	t.deepEqual(decode(alert({community: 'public', kind: 'inform'}), '192.0.2.7'), {
		kind: 'refused',
		reason: 'unknown_community',
		answer: undefined,
	});
});

/** A message of version 3 without authentication, with this user's name and the tag of its PDU. */
function version3(name: string, tag: number): Buffer {
	const element = (type: number, ...contents: (Buffer | number)[]) => {
		const content = Buffer.concat(contents.map(part => (typeof part === 'number' ? Buffer.from([part]) : part)));
		return Buffer.concat([Buffer.from([type, 0x82, content.length >> 8, content.length & 255]), content]);
	};
	const integer = (value: number) => element(2, value);
	const octets = (text: string) => element(4, Buffer.from(text));
	const global = element(0x30, integer(7), element(2, 0, 0xff, 0xe3), element(4, 0), integer(3));
	const security = element(4, element(0x30, octets('engine'), integer(0), integer(0), octets(name), octets(''), octets('')));
	const oid = (...arcs: number[]) => element(6, ...arcs);
	const varbind = element(0x30, oid(0x2b, 6, 1, 6, 3, 1, 1, 4, 1, 0), oid(0x2b, 6, 1, 4, 1, 2, 6));
	const pdu = element(tag, integer(1), integer(0), integer(0), element(0x30, varbind));
	return element(0x30, integer(3), global, security, element(0x30, octets('engine'), octets(''), pdu));
}

test('version 3 lets nobody in who names no user, or proves nothing', t => {
	t.is(readHeader(version3('', 0xa7))?.version, 3);
	for (const name of ['', 'nobody', 'proven'])
		for (const tag of [0xa7, 0xa6]) t.is(decode(version3(name, tag), '192.0.2.7').kind, 'refused', `${name} ${tag}`);
});

test('whatever comes is refused or taken, and nothing is thrown', t => {
	const check = (datagram: Buffer) => {
		const decoded = decode(datagram, '192.0.2.7');
		if (decoded.kind === 'notification') trapEvent(decoded.trap, 0);
		return ['notification', 'report', 'refused'].includes(decoded.kind);
	};
	fc.assert(
		fc.property(fc.uint8Array({maxLength: 300}), bytes => check(Buffer.from(bytes))),
		{numRuns: 300},
	);
	const whole = [alert(), alert({kind: 'inform'}), version3('proven', 0xa7), version3('', 0xa0)];
	const flips = fc.array(fc.tuple(fc.nat(1000), fc.nat(255)), {minLength: 1, maxLength: 6});
	fc.assert(
		fc.property(fc.constantFrom(...whole), flips, (datagram, changes) => {
			const changed = Buffer.from(datagram);
			for (const [at, value] of changes) changed[at % changed.length] = value;
			return check(changed);
		}),
		{numRuns: 300},
	);
	t.pass();
});

test('engines that are made up do not cost all the time there is', t => {
	let admitted = 0;
	const bounded = createDecode(traps, engineId, () => 0);
	const message = version3('proven', 0xa7);
	const flags = message.indexOf(Buffer.from([4, 0x82, 0, 1, 0])) + 4;
	message[flags] = 1; // It claims to be authenticated.
	const engine = message.indexOf('engine');
	for (let number = 0; number < 2100; number++) {
		message.write(String(number).padStart(6, '0'), engine);
		const decoded = bounded(message, '192.0.2.7');
		if (decoded.kind === 'refused' && decoded.reason === 'not_authenticated') admitted++;
		else t.like(decoded, {kind: 'refused', reason: 'too_many_engines'});
	}
	t.is(admitted, 2000);
});

test('the time window moves with the clock, and with each newer message', t => {
	let seconds = 0;
	const isTimely = createTimeWindows(() => seconds * 1000);
	const at = (boots: number, time: number) => isTimely({engineId: 'a', boots, time});
	t.true(at(1, 1000));
	t.true(at(1, 850));
	t.false(at(1, 849));
	seconds = 100;
	t.true(at(1, 950));
	t.false(at(1, 949));
	t.true(at(1, 1300), 'a clock that runs fast is the new measure');
	t.false(at(1, 1149));
	t.false(at(0, 9999));
	t.true(at(2, 0), 'it began again');
	t.false(at(1, 2000));
	t.true(isTimely({engineId: 'b', boots: 0, time: 0}), 'another engine has its own clock');
	t.false(at(2 ** 31 - 1, 5), 'such an engine has ended');
	seconds = 1000;
	t.true(isTimely({engineId: 'b', boots: 0, time: 0}), 'an engine without a clock is not taken for one that repeats itself');
	t.true(isTimely({engineId: 'b', boots: 0, time: 7}));
	seconds = 2000;
	t.false(isTimely({engineId: 'b', boots: 0, time: 0}), 'it has one after all');
});
