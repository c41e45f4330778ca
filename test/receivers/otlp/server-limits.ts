import {setTimeout as pause} from 'node:timers/promises';
import test from 'ava';
import type {Decision} from '../../../src/event.ts';
import {eventually} from '../../helpers/listen.ts';
import {bodyOf, converse, head, post, startIntake} from '../../helpers/otlp-intake.ts';

test('a Content-Length over the limit is 413 at once, and the client that sends all of it still reads the answer', async t => {
	const {url, consumed} = await startIntake(t, {max_request_size: '64KiB'});
	const client = await converse(t, url);
	const started = Date.now();
	client.socket.write(head(`Content-Length: ${8 * 1024 * 1024}`));
	await eventually(() => client.received().includes('413'));
	t.true(Date.now() - started < 3000);
	for (let chunk = 0; chunk < 128; chunk++) client.socket.write(Buffer.alloc(64 * 1024, 'x'));
	await client.closed;
	t.regex(client.received(), /^HTTP\/1\.1 413 .*Connection: close.*\{"code":8,"message":"The body is larger than 65536 bytes/s);
	t.deepEqual(consumed, []);
});

test('a client that reads nothing before it has sent everything still gets its 413', async t => {
	const {url} = await startIntake(t, {max_request_size: '64KiB'});
	const client = await converse(t, url);
	client.socket.pause();
	client.socket.write(head(`Content-Length: ${8 * 1024 * 1024}`));
	await pause(50);
	for (let chunk = 0; chunk < 8; chunk++) {
		await new Promise(resolve => client.socket.write(Buffer.alloc(1024 * 1024, 'x'), resolve));
	}
	client.socket.resume();
	await client.closed;
	t.regex(client.received(), /^HTTP\/1\.1 413 /);
});

test('a connection whose client never stops sending is closed after its 413', async t => {
	const {url} = await startIntake(t, {max_request_size: '1KiB'});
	const client = await converse(t, url);
	client.socket.write(head('Content-Length: 1000000'));
	const timer = setInterval(() => client.socket.write('x'), 50);
	t.teardown(() => clearInterval(timer));
	await client.closed;
	t.regex(client.received(), /^HTTP\/1\.1 413/);
});

test('a chunked body is counted as it comes: 413 past the limit', async t => {
	const {url, consumed} = await startIntake(t, {max_request_size: '64KiB'});
	const client = await converse(t, url);
	client.socket.write(head('Transfer-Encoding: chunked'));
	for (let chunk = 0; chunk < 5; chunk++) client.socket.write(`4000\r\n${'x'.repeat(0x4000)}\r\n`);
	await eventually(() => client.received().includes('413'));
	client.socket.write('0\r\n\r\n');
	await client.closed;
	t.deepEqual(consumed, []);
});

test('a body of exactly the limit is read', async t => {
	const body = bodyOf({selected: ['a']});
	const {url, consumed} = await startIntake(t, {max_request_size: body.length});
	t.is((await post(url, {body})).statusCode, 200);
	t.is((await post(url, {body: `${body} `})).statusCode, 413);
	t.deepEqual(consumed, ['a']);
});

test('a body in one-byte chunks is read', async t => {
	const {url, consumed} = await startIntake(t);
	const client = await converse(t, url);
	const chunks = [...bodyOf({selected: ['a', 'b']}).toString()].map(character => `1\r\n${character}\r\n`);
	client.socket.write(`${head('Transfer-Encoding: chunked')}${chunks.join('')}0\r\n\r\n`);
	await eventually(() => client.received().includes('200 OK'));
	t.deepEqual(consumed, ['a', 'b']);
});

test.serial('a large body in one-byte chunks takes time in proportion to its size', async t => {
	const {url, consumed} = await startIntake(t);
	const client = await converse(t, url);
	const started = Date.now();
	const name = 'x'.repeat(400_000);
	const chunks = [...bodyOf({selected: [name]}).toString()].map(character => `1\r\n${character}\r\n`);
	client.socket.write(`${head('Transfer-Encoding: chunked')}${chunks.join('')}0\r\n\r\n`);
	await eventually(() => client.received().includes('200 OK'));
	t.true(consumed[0] === name);
	t.true(Date.now() - started < 15_000);
});

test('a body that breaks off consumes nothing', async t => {
	const {url, consumed, counted} = await startIntake(t);
	const body = bodyOf({selected: ['a']});
	for (const way of ['destroy', 'end'] as const) {
		const client = await converse(t, url);
		client.socket.write(`${head(`Content-Length: ${body.length + 1}`)}${body}`);
		await pause(50);
		client.socket[way]();
		await client.closed;
	}
	t.is((await post(url, {body: bodyOf({selected: ['b']})})).statusCode, 200);
	t.deepEqual(consumed, ['b']);
	t.deepEqual(counted, {'logs accepted': 1});
});

test('a Content-Length shorter than the body: what it covers is a request, the rest is not', async t => {
	const {url, consumed} = await startIntake(t);
	const client = await converse(t, url);
	const body = bodyOf({selected: ['a']});
	client.socket.write(`${head(`Content-Length: ${body.length - 1}`)}${body}`);
	await client.closed;
	t.regex(client.received(), /^HTTP\/1\.1 400 /);
	t.deepEqual(consumed, []);
});

test('Content-Length beside Transfer-Encoding is refused: two readings of one body', async t => {
	const {url, consumed} = await startIntake(t);
	const client = await converse(t, url);
	client.socket.write(`${head('Content-Length: 4', 'Transfer-Encoding: chunked')}0\r\n\r\n`);
	await client.closed;
	t.regex(client.received(), /^HTTP\/1\.1 400 /);
	t.deepEqual(consumed, []);
});

test('pipelined requests are answered in their order', async t => {
	const {url} = await startIntake(
		t,
		{},
		{
			consume: async events => {
				await pause(events[0]?.id === 'slow' ? 100 : 0);
				return events.map((): Decision => 'first');
			},
		},
	);
	const client = await converse(t, url);
	const requests = [bodyOf({selected: ['slow']}), bodyOf({malformed: 1}), Buffer.from('garbage')];
	client.socket.write(requests.map(body => `${head(`Content-Length: ${body.length}`)}${body}`).join(''));
	const statuses = await eventually(() => {
		const found = [...client.received().matchAll(/HTTP\/1\.1 (\d+)/g)].map(match => match[1]);
		return found.length === 3 && found;
	});
	t.deepEqual(statuses, ['200', '200', '400']);
	t.true(client.received().indexOf('partialSuccess') > client.received().indexOf('{}'));
});

test('429 with Retry-After for a client that is too fast, and none for it later', async t => {
	let now = 0;
	const config = {rate_limit: {requests_per_second: 0.5, burst: 2}};
	const {url, consumed} = await startIntake(t, config, {now: () => now});
	const send = () => post(url, {body: bodyOf({selected: ['a']})});
	t.is((await send()).statusCode, 200);
	t.is((await send()).statusCode, 200);
	const reply = await send();
	t.is(reply.statusCode, 429);
	t.is(reply.headers['retry-after'], '2');
	t.is(JSON.parse(reply.body.toString()).code, 8);
	now = 2000;
	t.is((await send()).statusCode, 200);
	t.is((await send()).statusCode, 429);
	now = -60_000; // A clock that is set back must not lock anyone out.
	t.is((await send()).statusCode, 429);
	now = -58_000;
	t.is((await send()).statusCode, 200);
	t.is(consumed.length, 4);
});

test('beyond max_requests_in_flight it is 503 with Retry-After 1, until one is answered', async t => {
	const gate = Promise.withResolvers<void>();
	let entered = 0;
	const config = {max_requests_in_flight: 2};
	const {url} = await startIntake(t, config, {
		consume: async events => {
			entered++;
			await gate.promise;
			return events.map((): Decision => 'first');
		},
	});
	const send = () => post(url, {body: bodyOf({selected: ['a']})});
	const first = [send(), send()];
	await eventually(() => entered === 2);
	const reply = await send();
	t.is(reply.statusCode, 503);
	t.is(reply.headers['retry-after'], '1');
	gate.resolve();
	t.deepEqual(
		(await Promise.all(first)).map(({statusCode}) => statusCode),
		[200, 200],
	);
	t.is((await send()).statusCode, 200);
});

test('a client that goes away gives its place back', async t => {
	const {url} = await startIntake(t, {max_requests_in_flight: 1});
	const client = await converse(t, url);
	client.socket.write(`${head('Content-Length: 100')}x`);
	await eventually(async () => (await post(url)).statusCode === 503);
	client.socket.destroy();
	t.true(await eventually(async () => (await post(url)).statusCode === 200));
});

test('connections beyond max_connections are closed, and the log says why', async t => {
	const {url, logged} = await startIntake(t, {max_connections: 1});
	await converse(t, url);
	const second = await converse(t, url);
	await second.closed;
	t.is(second.received(), '');
	t.true(logged.some(text => text.includes('max_connections (1)')));
});

test('refusals are logged once a minute for each kind and client, and no secret is in it', async t => {
	let now = 0;
	const {url, logged} = await startIntake(t, {bearer_token: 'right-token'}, {now: () => now});
	const refusals = () => logged.filter(text => text.startsWith('warn:'));
	const guess = () => post(url, {path: '/v1/logs?key=in-the-query', headers: {authorization: 'Bearer wrong-token'}});
	for (let attempt = 0; attempt < 3; attempt++) await guess();
	t.is(refusals().length, 1);
	t.regex(refusals()[0] ?? '', /POST \/v1\/logs from 127\.0\.0\.1 with 401/);
	await post(url, {path: '/elsewhere'});
	t.is(refusals().length, 2);
	now = 60_000;
	await guess();
	t.is(refusals().length, 3);
	t.regex(refusals()[2] ?? '', /and 2 more/);
	t.false(logged.some(text => /right-token|wrong-token|in-the-query/.test(text)));
});
