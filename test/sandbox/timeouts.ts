import {readFileSync} from 'node:fs';
import {connect as connectPlain} from 'node:net';
import {connect} from 'node:tls';
import test from 'ava';
import {clientOf, messageOf, startSandbox} from '../helpers/sandbox.ts';

// One after the other: a test that keeps this process busy would let the others' time run out.

test.serial('a client that does not finish its request is answered 408', async t => {
	const sandbox = await startSandbox(t, {request_timeout: '1s'});
	const socket = connect({host: '127.0.0.1', port: Number(sandbox.url().port), ca: readFileSync(sandbox.caFile)});
	t.teardown(() => socket.destroy());
	socket.write('POST /connect/api/v1 HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{');
	let text = '';
	for await (const chunk of socket.setEncoding('utf8')) text += chunk;
	t.regex(text, /^HTTP\/1\.1 408 /);
	t.regex(text, /\{"error":"[^"]+"\}$/);
	t.is((await clientOf(t, sandbox)(messageOf([]))).status, 200);
});

const strangers: [string, string][] = [
	['says nothing', ''],
	['speaks plain HTTP', 'GET / HTTP/1.1\r\nhost: x\r\n\r\n'],
];
for (const [name, bytes] of strangers) {
	test.serial(`a client that ${name} is dropped`, async t => {
		const sandbox = await startSandbox(t, {request_timeout: '1s'});
		const socket = connectPlain(Number(sandbox.url().port), '127.0.0.1');
		t.teardown(() => socket.destroy());
		const closed = new Promise(resolve => socket.once('close', resolve));
		socket.on('error', () => {}).resume(); // Dropped with a reset or without: both will do.
		socket.write(bytes);
		await closed;
		t.is((await clientOf(t, sandbox)(messageOf([]))).status, 200);
	});
}
