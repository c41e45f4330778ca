import test from 'ava';
import {eventually} from '../../helpers/listen.ts';
import {bodyOf, converse, head, startIntake} from '../../helpers/otlp-intake.ts';

test('headers that trickle are cut off', async t => {
	const {url} = await startIntake(t, {headers_timeout: '200ms'});
	const client = await converse(t, url);
	const started = Date.now();
	client.socket.write('POST /v1/logs HTTP/1.1\r\nHost: bridge\r\n');
	const timer = setInterval(() => client.socket.write('X-Slow: 1\r\n'), 50);
	t.teardown(() => clearInterval(timer));
	await client.closed;
	t.true(Date.now() - started < 5000);
	t.regex(client.received(), /^HTTP\/1\.1 408 /);
});

test('a connection on which nothing comes is cut off', async t => {
	const {url} = await startIntake(t, {headers_timeout: '200ms'});
	const client = await converse(t, url);
	const started = Date.now();
	await client.closed;
	t.true(Date.now() - started < 5000);
});

test('a body that trickles is 503: a Collector would drop on 408 what it may well send again', async t => {
	const {url, consumed} = await startIntake(t, {request_timeout: '300ms'});
	const client = await converse(t, url);
	client.socket.write(head('Content-Length: 1000'));
	const timer = setInterval(() => client.socket.write('x'), 50);
	t.teardown(() => clearInterval(timer));
	await client.closed;
	t.regex(client.received(), /^HTTP\/1\.1 503 .*Retry-After: 5\r\n.*Connection: close/s);
	t.deepEqual(consumed, []);
});

test('Expect: 100-continue is told to go on', async t => {
	const {url, consumed} = await startIntake(t);
	const client = await converse(t, url);
	const body = bodyOf({selected: ['a']});
	client.socket.write(head(`Content-Length: ${body.length}`, 'Expect: 100-continue'));
	await eventually(() => client.received().startsWith('HTTP/1.1 100 Continue\r\n\r\n'));
	client.socket.write(body);
	await eventually(() => client.received().includes('HTTP/1.1 200 OK'));
	t.deepEqual(consumed, ['a']);
});

test('Expect: 100-continue of what is refused is answered without it, and the connection ends', async t => {
	const {url} = await startIntake(t, {bearer_token: 'x', max_request_size: '1KiB'});
	for (const [headers, statusCode] of [
		[['Content-Length: 10'], 401],
		[['Content-Length: 10000', 'Authorization: Bearer x'], 413],
	] as const) {
		const client = await converse(t, url);
		client.socket.write(head(...headers, 'Expect: 100-continue'));
		await client.closed;
		t.true(client.received().startsWith(`HTTP/1.1 ${statusCode} `));
		t.true(client.received().includes('Connection: close'));
	}
});
