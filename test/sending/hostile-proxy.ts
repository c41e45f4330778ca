import type {Socket} from 'node:net';
import test, {type ExecutionContext} from 'ava';
import fc from 'fast-check';
import {type BridgeErrorCode, neverLeft} from '../../src/errors.ts';
import {startConnectProxy} from '../helpers/connect-proxy.ts';
import {listenSocket, listenTls, listenTlsSocket} from '../helpers/tls-server.ts';
import {direct, echo, failsWith, localhost, post, through, wayOut} from '../helpers/ways-out.ts';

const destination = new URL('https://localhost:9/');
/** Milliseconds for a stage that is to run out of time, and for everything else: far more, as a machine may be slow. */
const stageMillis = 2000;
const patienceMillis = 15_000;

/** What a proxy answers to the first bytes that it reads. */
async function proxyThat(t: ExecutionContext, answers: (socket: Socket, request: Buffer) => void) {
	let asked = 0;
	const port = await listenSocket(t, socket => {
		socket
			.on('error', () => {})
			.once('data', request => {
				asked++;
				answers(socket, request);
			});
	});
	return {port, asked: () => asked};
}

/** Writes a text again and again, as fast as it is taken. */
function flood(socket: Socket, text: string) {
	const more = () => {
		while (!socket.destroyed && socket.write(text));
		socket.once('drain', more);
	};
	more();
}

/** A character at a time, without end. */
function drip(socket: Socket, text: string) {
	let index = 0;
	const timer = setInterval(() => socket.write(text[index++ % text.length] ?? ''), 5);
	socket.on('close', () => clearInterval(timer));
}

const hostile: [what: string, answers: (socket: Socket, request: Buffer) => void, code: BridgeErrorCode, said: RegExp][] = [
	[
		'sends headers without end',
		socket => {
			socket.write('HTTP/1.1 200 OK\r\n');
			flood(socket, `x-${'y'.repeat(100)}: ${'z'.repeat(1000)}\r\n`);
		},
		'ERR_PROXY_REFUSED',
		/answered with headers without end/,
	],
	[
		'sends one header without end',
		socket => {
			socket.write('HTTP/1.1 407 No\r\nproxy-authenticate: Basic realm="');
			flood(socket, 'x'.repeat(1000));
		},
		'ERR_PROXY_REFUSED',
		/answered with headers without end/,
	],
	[
		'sends a status line without end',
		socket => {
			socket.write('HTTP/1.1 200 ');
			flood(socket, 'OK '.repeat(1000));
		},
		'ERR_CONNECTION_TIMEOUT',
		/request for a tunnel within 2000 ms/,
	],
	[
		'drips headers without end',
		socket => drip(socket, 'HTTP/1.1 200 OK\r\nx: y'),
		'ERR_CONNECTION_TIMEOUT',
		/request for a tunnel within 2000 ms/,
	],
	['says wait for ever', socket => flood(socket, 'HTTP/1.1 102 Processing\r\n\r\n'), 'ERR_PROXY_REFUSED', /tunnel|HTTP/],
	['says nothing and holds the line', () => {}, 'ERR_CONNECTION_TIMEOUT', /request for a tunnel within 2000 ms/],
	['closes its half and says nothing', socket => socket.end(), 'ERR_PROXY_REFUSED', /closed the connection/],
	[
		'grants a tunnel and closes its half',
		socket => socket.end('HTTP/1.1 200 OK\r\n\r\n'),
		'ERR_TLS',
		/closed the connection during the TLS handshake/,
	],
	[
		'grants a tunnel that leads nowhere',
		socket => socket.write('HTTP/1.1 200 OK\r\n\r\n'),
		'ERR_CONNECTION_TIMEOUT',
		/did not finish the TLS handshake within 2000 ms/,
	],
	[
		'grants a tunnel and says what it was asked',
		(socket, request) => socket.write(Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\n\r\n'), request])),
		'ERR_PROXY_REFUSED',
		/granted a tunnel.*not TLS/,
	],
	[
		'grants a tunnel and keeps a page open',
		socket => socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 1000\r\n\r\n<html>Blocked'),
		'ERR_PROXY_REFUSED',
		/granted a tunnel.*not TLS/,
	],
	[
		'says the credentials in every place of its answer',
		(socket, request) => {
			const [, credentials = ''] = /authorization: (.*)\r\n/i.exec(request.toString()) ?? [];
			socket.end(
				`HTTP/1.1 403 ${credentials}\r\nx-squid-error: ${credentials}\r\nlocation: ${credentials}\r\n\r\n${credentials}`,
			);
		},
		'ERR_PROXY_REFUSED',
		/status 403\. Allow CONNECT/,
	],
	['says the request back', (socket, request) => socket.end(request), 'ERR_PROXY_REFUSED', /did not answer in HTTP/],
];

for (const [what, answers, code, said] of hostile) {
	test(`a proxy that ${what} ends in a clear error in time`, async t => {
		const {port} = await proxyThat(t, answers);
		const connectTimeoutMillis = code === 'ERR_CONNECTION_TIMEOUT' ? stageMillis : patienceMillis;
		const message = await failsWith(t, code, post(through(t, port, {connectTimeoutMillis}), destination));
		t.regex(message, said);
		t.regex(message, /^[A-Z][^\p{C}]{20,400}\.$/u);
	});
}

test('a proxy that asks for credentials again and again is asked once for each attempt', async t => {
	const bodies = ['Content-Length: 0\r\n\r\n', 'Transfer-Encoding: chunked\r\n\r\n5\r\nagain'];
	for (const schemes of ['Basic realm="x"', 'NTLM', 'Negotiate, Digest realm="x", nonce="y"']) {
		for (const body of bodies) {
			const proxy = await proxyThat(t, socket => {
				const again = () =>
					socket.write(`HTTP/1.1 407 Again\r\nProxy-Authenticate: ${schemes}\r\nConnection: keep-alive\r\n${body}`);
				again();
				socket.on('data', again);
			});
			const message = await failsWith(t, 'ERR_PROXY_AUTHENTICATION', post(through(t, proxy.port), destination));
			t.regex(message, /does not take the configured user name and password with Basic authentication: correct them\.$/);
			t.is(proxy.asked(), 1);
		}
	}
});

test('a plain GET through a proxy that refuses it is an error of the proxy, and shows no credentials', async t => {
	const signal = AbortSignal.timeout(patienceMillis);
	const url = new URL('http://updates.example/callhome-updates.json');
	for (const [status, code] of [
		[407, 'ERR_PROXY_AUTHENTICATION'],
		[503, 'ERR_PROXY_BUSY'],
		[502, 'ERR_PROXY_REFUSED'],
	] as const) {
		const {port} = await proxyThat(t, socket => socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`));
		await failsWith(t, code, through(t, port).fetch(url, {maxSize: 1000, signal}));
	}
	const {port} = await proxyThat(t, socket => socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n'));
	t.is((await through(t, port).fetch(url, {maxSize: 1000, signal})).statusCode, 404);
});

test('a destination that closes its half leaves open whether the request arrived, and does not hang', async t => {
	for (const [answer, code] of [
		['', 'ERR_CONNECTION_RESET'],
		['HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf', 'ERR_REPLY_TRUNCATED'],
	] as const) {
		const url = await listenTlsSocket(t, localhost, socket => socket.once('data', () => socket.end(answer)));
		const proxy = await startConnectProxy(t);
		for (const way of [direct(t), through(t, proxy.port)]) await failsWith(t, code, post(way, url));
	}
	const url = await listenTls(t, localhost, echo);
	t.is((await post(direct(t), url)).statusCode, 200);
});

test('replies with headers without end are given up', async t => {
	for (const endless of [`x-${'y'.repeat(100)}: ${'z'.repeat(1000)}\r\n`, 'x'.repeat(1000)]) {
		const url = await listenTlsSocket(t, localhost, socket =>
			socket.once('data', () => {
				socket.write('HTTP/1.1 200 OK\r\nx: ');
				flood(socket, endless);
			}),
		);
		t.regex(await failsWith(t, 'ERR_TOO_LARGE', post(direct(t), url)), /has too many headers/);
	}
});

const part = fc.oneof(
	fc.constantFrom(
		'HTTP/1.1 200 OK\r\n',
		'HTTP/1.0 200\r\n',
		'HTTP/1.1 407 No\r\n',
		'HTTP/1.1 503 Busy\r\n',
		'HTTP/1.1 999 What\r\n',
		'HTTP/1.1 100 Continue\r\n\r\n',
		'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
		'HTTP/2 200\r\n',
		'Content-Length: 5\r\n',
		'Content-Length: -1\r\n',
		'Transfer-Encoding: chunked\r\n',
		'X-Squid-Error: ERR_DNS_FAIL 0\r\n',
		'X-Squid-Error: ERR_\u0000\r\n',
		'\r\n',
		'\n',
		'\r\n\r\n',
		'\u0016\u0003\u0003',
		'(request)',
	),
	fc.string({unit: 'binary', maxLength: 20}),
);

test('whatever a proxy answers to CONNECT, nothing has left, and the error is ours and shows no secret', async t => {
	let answer = '';
	const {port} = await proxyThat(t, (socket, request) => socket.end(answer.replaceAll('(request)', request.toString('latin1'))));
	const way = through(t, port, {connectTimeoutMillis: stageMillis});
	const property = fc.asyncProperty(fc.array(part, {maxLength: 8}), async parts => {
		answer = parts.join('');
		const failure = await post(way, destination).then(
			() => undefined,
			(error: {code?: BridgeErrorCode}) => error,
		);
		const code = failure?.code;
		t.true(code !== undefined && neverLeft.includes(code), `${code} after ${JSON.stringify(answer)}`);
		await failsWith(t, code ?? 'ERR_USAGE', Promise.reject(failure));
	});
	await t.notThrowsAsync(() => fc.assert(property, {numRuns: 200}));
});

test('a proxy without credentials in its URL is told none, whatever it says', async t => {
	let seen = '';
	const {port} = await proxyThat(t, (socket, request) => {
		seen += request.toString();
		socket.end('HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm="x"\r\nContent-Length: 0\r\n\r\n');
	});
	await failsWith(t, 'ERR_PROXY_AUTHENTICATION', post(wayOut(t, {proxy: {url: `http://127.0.0.1:${port}`}}), destination));
	t.notRegex(seen, /authorization/i);
});
