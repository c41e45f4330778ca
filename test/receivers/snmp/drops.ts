import {createSocket} from 'node:dgram';
import {once} from 'node:events';
import {existsSync} from 'node:fs';
import test from 'ava';
import {dropsOf, procAddress} from '../../../src/receivers/snmp/drops.ts';
import {eventually} from '../../helpers/listen.ts';

test('addresses as the kernel writes them', t => {
	t.is(procAddress('127.0.0.1'), '0100007F');
	t.is(procAddress('0.0.0.0'), '00000000');
	t.is(procAddress('::1'), '00000000000000000000000001000000');
	t.is(procAddress('::'), '0'.repeat(32));
	t.is(procAddress('2001:db8::1:2'), 'B80D0120000000000000000002000100');
	t.is(procAddress('imm1.example'), undefined);
});

(existsSync('/proc/net/udp') ? test : test.skip)('what the kernel throws away is counted', async t => {
	const socket = createSocket({type: 'udp4', recvBufferSize: 4096}).bind(0, '127.0.0.1');
	await once(socket, 'listening');
	const sender = createSocket('udp4');
	t.teardown(() => [socket, sender].map(one => one.close()));
	const {port} = socket.address();
	t.is(await dropsOf('127.0.0.1', port), 0);
	t.is(await dropsOf('127.0.0.1', 1), undefined);
	sender.connect(port, '127.0.0.1');
	await once(sender, 'connect');
	let received = 0;
	socket.on('message', () => received++);
	for (let number = 0; number < 200; number++) sender.send(Buffer.alloc(1000)); // In one turn, in which nobody reads.
	const drops = await eventually(async () => {
		const dropped = (await dropsOf('127.0.0.1', port)) ?? 0;
		return received + dropped === 200 && dropped;
	});
	t.true(drops > 100);
});
