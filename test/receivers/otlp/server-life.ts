import {connect} from 'node:net';
import {setTimeout as pause} from 'node:timers/promises';
import test from 'ava';
import type {Consume, Decision} from '../../../src/event.ts';
import {otlpReceiverSchema} from '../../../src/receivers/otlp/config.ts';
import {createOtlpReceiver} from '../../../src/receivers/otlp/server.ts';
import {eventually} from '../../helpers/listen.ts';
import {bodyOf, type Config, converse, head, post, readersOf, startIntake} from '../../helpers/otlp-intake.ts';

/** A consume that keeps nothing until it is told to. */
function gatedConsume() {
	const gate = Promise.withResolvers<void>();
	const waiting: string[] = [];
	const consume: Consume = async events => {
		waiting.push(...events.map(({id}) => id));
		await gate.promise;
		return events.map((): Decision => 'first');
	};
	return {consume, waiting, release: () => gate.resolve()};
}

function receiverOf(config: Config) {
	return createOtlpReceiver(otlpReceiverSchema.parse(config), {
		readers: readersOf(() => ({records: 0, malformed: 0, malformedMessage: '', events: []})),
		consume: async () => [],
		instruments: {intakeRecords: {add: () => undefined}},
		log: () => undefined,
	});
}

const isListening = (url: URL): Promise<boolean> =>
	new Promise(resolve => {
		const socket = connect(Number(url.port), url.hostname);
		socket.once('error', () => resolve(false)).once('connect', () => resolve(true));
		socket.once('connect', () => socket.destroy());
	});

test('shutdown finishes the request in flight, and its connection then closes', async t => {
	const {consume, waiting, release} = gatedConsume();
	const {url, receiver} = await startIntake(t, {}, {consume});
	const client = await converse(t, url);
	const body = bodyOf({selected: ['a']});
	client.socket.write(`${head(`Content-Length: ${body.length}`)}${body}`);
	await eventually(() => waiting.length === 1);
	const shutdown = receiver.shutdown();
	t.false(await isListening(url));
	t.is(client.received(), '');
	release();
	await shutdown;
	await client.closed;
	t.regex(client.received(), /^HTTP\/1\.1 200 OK\r\n/);
	t.regex(client.received(), /Connection: close/);
});

test('a request that comes on an open connection during shutdown is 503 with Retry-After, and the connection closes', async t => {
	const {consume, waiting, release} = gatedConsume();
	const {url, receiver} = await startIntake(t, {}, {consume});
	const first = await converse(t, url);
	const body = bodyOf({selected: ['a']});
	first.socket.write(`${head(`Content-Length: ${body.length}`)}${body}`);
	const second = await converse(t, url);
	second.socket.write('POST /v1/logs HTTP/1.1\r\n'); // Not idle: its request has begun.
	await eventually(() => waiting.length === 1);
	await pause(50);
	const shutdown = receiver.shutdown();
	const later = bodyOf({selected: ['b']});
	second.socket.write(`${head(`Content-Length: ${later.length}`).split('\r\n').slice(1).join('\r\n')}${later}`);
	await second.closed;
	t.regex(second.received(), /^HTTP\/1\.1 503 .*Retry-After: 5\r\n.*Connection: close.*"code":14/s);
	release();
	await shutdown;
	t.deepEqual(waiting, ['a']);
});

test('shutdown does not wait for ever: what consume holds is cut off and not answered', async t => {
	const {consume, waiting, release} = gatedConsume();
	const {url, receiver} = await startIntake(t, {}, {consume, drainMillis: 100});
	const client = await converse(t, url);
	const body = bodyOf({selected: ['a']});
	client.socket.write(`${head(`Content-Length: ${body.length}`)}${body}`);
	await eventually(() => waiting.length === 1);
	await receiver.shutdown();
	await client.closed;
	release();
	await pause(20);
	t.is(client.received(), '');
});

test('shutdown closes idle connections at once, and may be called again', async t => {
	const {url, receiver} = await startIntake(t);
	const client = await converse(t, url);
	client.socket.write(head('Content-Length: 0'));
	await eventually(() => client.received().includes('200 OK'));
	const started = Date.now();
	await Promise.all([receiver.shutdown(), receiver.shutdown()]);
	await receiver.shutdown();
	await client.closed;
	t.true(Date.now() - started < 2000);
});

test('shutdown before start, and during it, leaves nothing open', async t => {
	const never = receiverOf({endpoint: '127.0.0.1:0'});
	await never.shutdown();
	await never.start();
	t.throws(() => never.url(), {code: 'ERR_NOT_READY'});

	const interrupted = receiverOf({endpoint: '127.0.0.1:0'});
	const starting = interrupted.start();
	await interrupted.shutdown();
	await starting;
	t.throws(() => interrupted.url(), {code: 'ERR_NOT_READY'});
});

test('a port that is taken is a config fault that names it', async t => {
	const {url} = await startIntake(t);
	const receiver = receiverOf({endpoint: url.host});
	await t.throwsAsync(receiver.start(), {code: 'ERR_CONFIG', message: new RegExp(`endpoint.*${url.host}.*EADDRINUSE`)});
	await receiver.shutdown();
});

test('listens on IPv6 loopback when told so', async t => {
	const receiver = receiverOf({endpoint: '[::1]:0'});
	t.teardown(() => receiver.shutdown());
	try {
		await receiver.start();
	} catch (error) {
		return void t.regex(String(error), /EADDRNOTAVAIL|EAFNOSUPPORT/); // A machine without IPv6.
	}
	t.regex(receiver.url().host, /^\[::1\]:\d+$/);
	t.is((await post(receiver.url())).statusCode, 200);
});

test('warns at the start of what is open beyond loopback', async t => {
	const open = await startIntake(t, {endpoint: '0.0.0.0:0', insecure: true});
	t.true(open.logged.some(text => text.startsWith('warn:') && text.includes('insecure')));
	const plain = await startIntake(t, {endpoint: '0.0.0.0:0', bearer_token: 'x'});
	t.true(plain.logged.some(text => text.startsWith('warn:') && text.includes('plain HTTP')));
	const local = await startIntake(t);
	t.false(local.logged.some(text => text.startsWith('warn:')));
});
