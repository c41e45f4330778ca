import test, {type ExecutionContext} from 'ava';
import fc from 'fast-check';
import {startSocksProxy} from '../helpers/socks-proxy.ts';
import {listenSocket, listenTls} from '../helpers/tls-server.ts';
import {echo, failsWith, localhost, post, proxyPassword, wayOut} from '../helpers/ways-out.ts';

const credentials = {username: 'us:er', password: proxyPassword};
const withCredentials = `${encodeURIComponent(credentials.username)}:${encodeURIComponent(proxyPassword)}@`;

const through = (t: ExecutionContext, port: number, userinfo = '', options = {}) =>
	wayOut(t, {proxy: {url: `socks5://${userinfo}127.0.0.1:${port}`}}, options);

test('a request goes through a SOCKS5 proxy, which resolves the name', async t => {
	const url = await listenTls(t, localhost, echo);
	const proxy = await startSocksProxy(t);
	t.is((await post(through(t, proxy.port), url)).statusCode, 200);
	t.deepEqual(proxy.requests, [url.host]);
});

for (const [what, bound] of [
	['a name', Buffer.from([3, 5, ...Buffer.from('proxy'), 0, 80])],
	['an IPv6 address', Buffer.from([4, ...Buffer.alloc(16), 0, 80])],
] as const) {
	test(`a reply with ${what} that comes byte by byte is read to its end`, async t => {
		const url = await listenTls(t, localhost, echo);
		const proxy = await startSocksProxy(t, {bound, dribbles: true});
		t.is((await post(through(t, proxy.port), url)).statusCode, 200);
	});
}

test('user name and password are told before anything else, and a wrong one is named', async t => {
	const url = await listenTls(t, localhost, echo);
	const proxy = await startSocksProxy(t, {credentials});
	t.is((await post(through(t, proxy.port, withCredentials), url)).statusCode, 200);
	const wrong = await failsWith(t, 'ERR_PROXY_AUTHENTICATION', post(through(t, proxy.port, 'user:wrong@'), url));
	t.regex(wrong, /does not take the configured user name/);
	const none = await failsWith(t, 'ERR_PROXY_AUTHENTICATION', post(through(t, proxy.port), url));
	t.regex(none, /wants a user name and a password/);
	t.is(proxy.requests.length, 1);
});

test('a proxy that takes everybody and no password says so', async t => {
	const url = await listenTls(t, localhost, echo);
	const proxy = await startSocksProxy(t);
	t.regex(
		await failsWith(t, 'ERR_PROXY_AUTHENTICATION', post(through(t, proxy.port, withCredentials), url)),
		/take them out of its URL/,
	);
});

for (const [reply, words] of [
	[1, /general failure/],
	[2, /does not allow it by its rules/],
	[4, /cannot reach the host, or cannot resolve its name/],
	[5, /was refused the connection/],
	[7, /does not know CONNECT/],
	[99, /answered 99/],
] as const) {
	test(`reply ${reply} of the proxy is said in words`, async t => {
		const proxy = await startSocksProxy(t, {reply});
		t.regex(await failsWith(t, 'ERR_PROXY_REFUSED', post(through(t, proxy.port), new URL('https://localhost:9/'))), words);
	});
}

test('what is no SOCKS5 proxy, closes or is silent is named, in time', async t => {
	const url = new URL('https://localhost:9/');
	const http = await listenSocket(t, socket => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
	t.regex(await failsWith(t, 'ERR_PROXY_REFUSED', post(through(t, http), url)), /does not speak SOCKS5/);
	const closing = await listenSocket(t, socket => socket.end());
	t.regex(await failsWith(t, 'ERR_PROXY_REFUSED', post(through(t, closing), url)), /closed the connection/);
	const silent = await listenSocket(t, () => {});
	const impatient = wayOut(t, {proxy: {url: `socks5://127.0.0.1:${silent}`, connect_timeout: '300ms'}});
	t.regex(await failsWith(t, 'ERR_CONNECTION_TIMEOUT', post(impatient, url)), /within 300 ms/);
});

test('whatever a proxy answers ends in an error that is ours', async t => {
	await fc.assert(
		fc.asyncProperty(fc.array(fc.uint8Array({maxLength: 40}), {minLength: 1, maxLength: 4}), async answers => {
			const port = await listenSocket(t, socket => {
				let turn = 0;
				socket.on('data', () => void (turn < answers.length ? socket.write(answers[turn++] ?? '') : socket.destroy()));
			});
			const impatient = wayOut(t, {proxy: {url: `socks5://u:p@127.0.0.1:${port}`, connect_timeout: '100ms'}});
			const failed = await post(impatient, new URL('https://localhost:9/')).then(
				() => undefined,
				(error: {code?: string}) => error.code,
			);
			t.regex(String(failed), /^ERR_(PROXY_REFUSED|PROXY_AUTHENTICATION|CONNECTION_TIMEOUT|TLS|CERTIFICATE)$/);
		}),
		{numRuns: 25},
	);
});
