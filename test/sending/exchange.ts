import test from 'ava';
import {startConnectProxy} from '../helpers/connect-proxy.ts';
import {listenTls, listenTlsSocket} from '../helpers/tls-server.ts';
import {apiKey, direct, failsWith, localhost, post, through} from '../helpers/ways-out.ts';

test('a reset before or after the request was read leaves open whether it arrived', async t => {
	const atOnce = await listenTlsSocket(t, localhost, socket => socket.destroy());
	await failsWith(t, 'ERR_CONNECTION_RESET', post(direct(t), atOnce));
	const afterwards = await listenTlsSocket(t, localhost, socket => socket.once('data', () => socket.destroy()));
	await failsWith(t, 'ERR_CONNECTION_RESET', post(direct(t), afterwards));
	const proxy = await startConnectProxy(t);
	await failsWith(t, 'ERR_CONNECTION_RESET', post(through(t, proxy.port), afterwards));
});

test('no whole reply in time', async t => {
	for (const begin of [undefined, '{"serv']) {
		const timeIsUp = new AbortController();
		const url = await listenTls(t, localhost, (_request, response) => {
			if (begin) response.write(begin);
			setImmediate(() => timeIsUp.abort(new DOMException('The time is up', 'TimeoutError')));
		});
		await failsWith(t, 'ERR_REPLY_TIMEOUT', post(direct(t), url, timeIsUp.signal));
	}
});

for (const [what, reply] of [
	['shorter than announced', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"service":'],
	['without its last chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"ser\r\n'],
	['that is no HTTP', `220 mail.example ESMTP ${apiKey}\r\n`],
] as const) {
	test(`a reply ${what}`, async t => {
		const url = await listenTlsSocket(t, localhost, socket => socket.once('data', () => socket.end(reply)));
		await failsWith(t, 'ERR_REPLY_TRUNCATED', post(direct(t), url));
	});
}

test('a reply beyond the limit is given up, one at the limit is read', async t => {
	let written = 0;
	const url = await listenTls(t, localhost, (request, response) => {
		if (request.url === '/fits') {
			response.end('x'.repeat(1024));
			return;
		}
		const more = () => {
			if (written < 200 * 1024 ** 2 && !response.destroyed) response.write('x'.repeat(65_536), more);
			written += 65_536;
		};
		more();
	});
	const connection = direct(t, {maxReplySize: 1024});
	t.is((await post(connection, new URL('/fits', url))).body.length, 1024);
	await failsWith(t, 'ERR_TOO_LARGE', post(connection, url));
	t.true(written < 50 * 1024 ** 2);
});
