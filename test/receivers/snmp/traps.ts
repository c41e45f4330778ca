import {createSocket} from 'node:dgram';
import {once} from 'node:events';
import {setTimeout as pause} from 'node:timers/promises';
import test from 'ava';
import {BridgeError} from '../../../src/errors.ts';
import {Severity} from '../../../src/event.ts';
import {createSnmpReceiver} from '../../../src/receivers/snmp/receiver.ts';
import type {SourceParts} from '../../../src/source.ts';
import {eventually} from '../../helpers/listen.ts';
import {testWithPeer} from '../../helpers/peers.ts';
import {
	immAlertVarbinds,
	immRoot,
	immVarbinds,
	keptParts,
	netSnmp,
	notification,
	snmpConfig,
	trapReceiver,
} from '../../helpers/snmp.ts';

const communities = ['not-public'];
const users = [
	{name: 'plain'},
	{name: 'proven', auth_protocol: 'sha256', auth_password: 'proof-of-the-user'},
	{name: 'secret', auth_password: 'proof-of-the-user', priv_password: 'privacy-of-the-user'},
	{name: 'bound', auth_password: 'proof-of-the-user', engine_id: '0x8000000001020304'},
	{
		name: 'large',
		auth_protocol: 'sha512',
		auth_password: 'proof-of-the-user',
		priv_protocol: 'aes256b',
		priv_password: 'privacy-of-the-user',
	},
];
const secret = [
	'-u',
	'secret',
	'-l',
	'authPriv',
	'-a',
	'SHA',
	'-A',
	'proof-of-the-user',
	'-x',
	'AES',
	'-X',
	'privacy-of-the-user',
];

testWithPeer('snmptrap', 'traps of all versions arrive with what the module says', async t => {
	const kept = keptParts();
	const port = await trapReceiver(t, {communities, users}, kept);
	const to = `127.0.0.1:${port}`;
	await netSnmp('snmptrap', '-v1', '-c', 'not-public', to, immRoot, '192.0.2.8', '6', '5', '100', ...immVarbinds());
	const version2 = [to, '100', `${immRoot}.0.5`];
	await netSnmp('snmptrap', '-v2c', '-c', 'not-public', ...version2, ...immVarbinds({1: ['s', '11/26/2026, 12:00:01']}));
	await netSnmp('snmptrap', '-v3', '-e', '0x8000000001020304', ...secret, ...version2, ...immVarbinds());
	await eventually(() => kept.events.length === 3);
	for (const event of kept.events) {
		t.is(event.name, 'callhome.hardware.alert');
		t.is(event.severity, Severity.fatal);
		t.like(event.resource, {
			'callhome.system.type': '8871',
			'callhome.system.model': 'AC1',
			'callhome.system.serial_number': '06ABCDE',
		});
		t.like(event.attributes, {
			'hw.id': 'physical_disk/3',
			'hw.type': 'physical_disk',
			'hw.name': 'Drive 3',
			'hw.state': 'failed',
			'callhome.event.code': '806F010D0403FFFF',
			'callhome.call_home_candidate': true,
			'callhome.serviceable': true,
			'snmp.altMsgIDPrefix': 'PLAT',
		});
		t.deepEqual(event.attributes['hw.failing_frus'], ['00Y2473', '81Y9691']);
		t.false('callhome.test' in event.attributes);
	}
	t.is(kept.events[0]?.resource['host.name'], '192.0.2.8');
	t.is(kept.events[1]?.resource['host.name'], '127.0.0.1');
});

testWithPeer('snmpinform', 'an inform is answered when it is kept, and not before', async t => {
	const gate = Promise.withResolvers<void>();
	const kept = keptParts({
		async consume(events) {
			await gate.promise;
			return events.map(() => 'first' as const);
		},
	});
	const port = await trapReceiver(t, {communities}, kept);
	let answered = false;
	const parameters = ['-v2c', '-c', 'not-public', '-t', '60', '-r', '0', `127.0.0.1:${port}`, '100', `${immRoot}.0.5`];
	const inform = netSnmp('snmpinform', ...parameters, ...immVarbinds()).then(() => {
		answered = true;
	});
	await pause(700);
	t.false(answered);
	gate.resolve();
	await inform;
	t.true(answered);
});

for (const [title, parameters] of Object.entries({
	'without a password': ['-u', 'plain', '-l', 'noAuthNoPriv'],
	'with proof': ['-u', 'proven', '-l', 'authNoPriv', '-a', 'SHA-256', '-A', 'proof-of-the-user'],
	'with proof and privacy': secret,
}))
	testWithPeer('snmpinform', `a v3 inform ${title} is kept and answered`, async t => {
		const kept = keptParts();
		const port = await trapReceiver(t, {users}, kept);
		await netSnmp(
			'snmpinform',
			'-v3',
			...parameters,
			'-t',
			'20',
			`127.0.0.1:${port}`,
			'100',
			`${immRoot}.0.11`,
			...immVarbinds(),
		);
		t.is(kept.events.length, 1);
		t.regex(kept.marks.get('snmp/engine-id') ?? '', /^8000b98380[0-9a-f]{24}$/);
	});

const wrong: Record<string, [parameters: string[], reason: RegExp]> = {
	'an unknown community': [['-v2c', '-c', 'publik'], /community/],
	'a user that is not known': [['-v3', '-u', 'nobody', '-l', 'noAuthNoPriv'], /has a user that is not among/],
	'a wrong password': [['-v3', '-u', 'proven', '-l', 'authNoPriv', '-a', 'SHA-256', '-A', 'guess-of-somebody'], /not proven/],
	'less proof than its user has': [
		['-v3', '-u', 'secret', '-l', 'authNoPriv', '-a', 'SHA', '-A', 'proof-of-the-user'],
		/not proven/,
	],
	'the engine of another machine': [
		['-v3', '-u', 'bound', '-l', 'authNoPriv', '-a', 'SHA', '-A', 'proof-of-the-user', '-e', '0x8000000009090909'],
		/another engine/,
	],
};
for (const [title, [parameters, reason]] of Object.entries(wrong))
	testWithPeer('snmptrap', `a trap with ${title} is refused, said once, and opens nothing`, async t => {
		const kept = keptParts();
		const port = await trapReceiver(t, {communities, users}, kept);
		for (let time = 0; time < 2; time++)
			await netSnmp('snmptrap', ...parameters, `127.0.0.1:${port}`, '100', `${immRoot}.0.5`, ...immVarbinds());
		await eventually(() => kept.lines.some(line => reason.test(line)));
		t.is(kept.events.length, 0);
		t.is(kept.lines.filter(line => reason.test(line)).length, 1);
		t.notRegex(kept.lines.join('\n'), /guess-of|publik|proof-of|not-public/);
	});

testWithPeer('snmpinform', 'a wrong password gets no acknowledgement', async t => {
	const kept = keptParts();
	const port = await trapReceiver(t, {communities, users}, kept);
	const parameters = [
		'-v3',
		'-u',
		'proven',
		'-l',
		'authNoPriv',
		'-a',
		'SHA-256',
		'-A',
		'guess-of-somebody',
		'-t',
		'1',
		'-r',
		'0',
	];
	await t.throwsAsync(netSnmp('snmpinform', ...parameters, `127.0.0.1:${port}`, '100', `${immRoot}.0.5`, ...immVarbinds()));
	t.is(kept.events.length, 0);
});

testWithPeer('snmptrap', 'what comes from elsewhere than the allowed clients is refused', async t => {
	const kept = keptParts();
	const port = await trapReceiver(t, {communities, clients: ['192.0.2.0/24']}, kept);
	await netSnmp('snmptrap', '-v2c', '-c', 'not-public', `127.0.0.1:${port}`, '100', `${immRoot}.0.5`, ...immVarbinds());
	await eventually(() => kept.lines.some(line => line.includes('receivers.snmp.traps.clients')));
	t.is(kept.events.length, 0);
});

testWithPeer('snmptrap', 'a store that is busy loses no trap', async t => {
	let refusals = 3;
	const kept = keptParts();
	const {consume} = kept.parts;
	const parts = {
		...kept.parts,
		consume: async (events: Parameters<typeof consume>[0]) => {
			if (refusals-- > 0) throw new BridgeError('ERR_STORE_BUSY', 'the store is busy');
			return consume(events);
		},
	};
	const port = await trapReceiver(t, {communities}, {...kept, parts});
	await netSnmp('snmptrap', '-v2c', '-c', 'not-public', `127.0.0.1:${port}`, '100', `${immRoot}.0.5`, ...immVarbinds());
	await eventually(() => kept.events.length === 1);
	t.like(kept.targets.at(-1), {source: 'snmp/traps', state: 'working'});
	t.true(kept.targets.some(({state, reason}) => state === 'failing' && reason.includes('the store is busy')));
});

testWithPeer('snmptrap', 'standard traps such as coldStart are no hardware', async t => {
	const kept = keptParts();
	const port = await trapReceiver(t, {communities}, kept);
	const to = ['-v2c', '-c', 'not-public', `127.0.0.1:${port}`, '100'];
	await netSnmp('snmptrap', ...to, '1.3.6.1.6.3.1.1.5.1');
	await netSnmp('snmptrap', ...to, '1.3.6.1.4.1.99999.0.7', '1.3.6.1.4.1.99999.1', 's', 'Something of another maker');
	await eventually(() => kept.events.length === 1);
	t.like(kept.events[0], {severity: Severity.info, message: 'Something of another maker'});
});

test('datagrams of every kind leave the receiver at work', async t => {
	const kept = keptParts();
	const port = await trapReceiver(t, {communities, users}, kept);
	const socket = createSocket('udp4');
	t.teardown(() => socket.close());
	const datagrams = ['', '30', '3003020101', `30820fff${'00'.repeat(50)}`, 'ff'.repeat(1400)].map(text =>
		Buffer.from(text, 'hex'),
	);
	for (const datagram of datagrams) await new Promise(resolve => socket.send(datagram, port, '127.0.0.1', resolve));
	await eventually(() => kept.lines.some(line => line.includes('is no whole trap or inform')));
	t.is(kept.events.length, 0);
	t.like(kept.targets.at(-1), {state: 'working'});
});

test('what finds no room to wait in is counted, and said', async t => {
	const gate = Promise.withResolvers<void>();
	const kept = keptParts();
	const {consume} = kept.parts;
	const parts: SourceParts = {
		...kept.parts,
		async consume(events) {
			await gate.promise;
			return consume(events);
		},
	};
	const port = await trapReceiver(t, {communities, queue_size: 100}, {...kept, parts});
	const socket = createSocket('udp4');
	t.teardown(() => socket.close());
	const send = (number: number) =>
		new Promise(resolve => {
			const varbinds = immAlertVarbinds({9: ['s', `Fan ${number} has failed.`]});
			socket.send(notification(`${immRoot}.0.11`, varbinds, {id: number + 1}), port, '127.0.0.1', resolve);
		});
	for (let number = 0; number < 300; number++) await send(number);
	const lost = () => kept.lines.reduce((sum, line) => sum + Number(/SNMP traps: (\d+) lost/.exec(line)?.[1] ?? 0), 0);
	await eventually(() => lost() === 200);
	gate.resolve();
	await eventually(() => kept.events.length === 100);
	t.is(new Set(kept.events.map(({id}) => id)).size, 100);
	t.like(kept.targets.at(-1), {source: 'snmp/traps', state: 'failing'});
	t.regex(kept.targets.at(-1)?.reason ?? '', /lost.*queue_size \(100\)/);
	await send(300);
	await eventually(() => kept.events.length === 101);
});

test('traps that come together go to the disk together', async t => {
	const gate = Promise.withResolvers<void>();
	const kept = keptParts();
	const {consume} = kept.parts;
	const parts: SourceParts = {
		...kept.parts,
		async consume(events) {
			await gate.promise;
			return consume(events);
		},
	};
	const port = await trapReceiver(t, {communities}, {...kept, parts});
	const socket = createSocket('udp4');
	t.teardown(() => socket.close());
	for (let number = 0; number < 200; number++) {
		const datagram = notification(`${immRoot}.0.11`, immAlertVarbinds({9: ['s', `Fan ${number} has failed.`]}));
		await new Promise(resolve => socket.send(datagram, port, '127.0.0.1', resolve));
	}
	await pause(500);
	gate.resolve();
	await eventually(() => kept.events.length === 200);
	t.true(kept.batches.length <= 10, `${kept.batches}`);
	t.deepEqual(
		kept.events.map(({attributes}) => attributes['hw.id']),
		Array.from({length: 200}, (_, number) => `fan/${number}`),
		'in their order',
	);
});

test('what is taken and not yet kept when the bridge ends is kept', async t => {
	const kept = keptParts({
		async consume(events) {
			await pause(300);
			kept.events.push(...events);
			return events.map(() => 'first' as const);
		},
	});
	const receiver = createSnmpReceiver(snmpConfig({traps: {endpoint: '127.0.0.1:0', communities}}), kept.parts);
	await receiver.start();
	const socket = createSocket('udp4');
	t.teardown(() => socket.close());
	await new Promise(resolve =>
		socket.send(notification(`${immRoot}.0.11`, immAlertVarbinds()), receiver.port ?? 0, '127.0.0.1', resolve),
	);
	await pause(150);
	await receiver.shutdown();
	t.is(kept.events.length, 1);
	await receiver.shutdown();
});

test('an endpoint that is taken is a fault of the configuration', async t => {
	const taken = createSocket('udp4').bind(0, '127.0.0.1');
	await once(taken, 'listening');
	t.teardown(() => taken.close());
	const endpoint = `127.0.0.1:${taken.address().port}`;
	const receiver = createSnmpReceiver(snmpConfig({traps: {endpoint, communities}}), keptParts().parts);
	await t.throwsAsync(receiver.start(), {code: 'ERR_CONFIG', message: /receivers\.snmp\.traps\.endpoint: cannot listen/});
	await receiver.shutdown();
});

testWithPeer('snmptrap', 'a v3 trap that is sent again later is refused, by the clock of its engine', async t => {
	const kept = keptParts();
	const lenient = {name: 'lenient', auth_password: 'proof-of-the-user', check_time: false};
	const port = await trapReceiver(t, {users: [...users, lenient]}, kept);
	const trap = (user: string, clock: string, text: string) =>
		netSnmp(
			'snmptrap',
			...['-v3', '-e', '0x8000000001020305', '-u', user, '-l', 'authNoPriv', '-a', user === 'proven' ? 'SHA-256' : 'SHA'],
			...['-A', 'proof-of-the-user', '-Z', clock, `127.0.0.1:${port}`, '100', `${immRoot}.0.5`],
			...immVarbinds({1: ['s', text]}),
		);
	const clocks = ['5,1000', '5,900', '5,800', '4,5000', '6,3'];
	for (const clock of clocks) await trap('proven', clock, clock);
	const taken = () => kept.events.map(({attributes}) => attributes['snmp.altDateTime']);
	await eventually(() => kept.events.length === 3);
	t.deepEqual(taken(), ['5,1000', '5,900', '6,3']);
	t.is(kept.lines.filter(line => /127\.0\.0\.1 is older than what its engine sent before/.test(line)).length, 1);
	await trap('lenient', '1,1', 'lenient');
	await eventually(() => kept.events.length === 4);
});
