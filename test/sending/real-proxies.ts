import {execFileSync, spawnSync} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import {once} from 'node:events';
import {connect} from 'node:net';
import test, {type ExecutionContext} from 'ava';
import {isBridgeError, neverLeft} from '../../src/errors.ts';
import {peer, testWithPeer} from '../helpers/peers.ts';
import {startDante, startTinyproxy} from '../helpers/plain-proxies.ts';
import {listenTls} from '../helpers/tls-server.ts';
import {echo, failsWith, localhost, post, proxyPassword, type WayOptions, wayOut} from '../helpers/ways-out.ts';

const proxied = (t: ExecutionContext, url: string, options?: WayOptions) => wayOut(t, {proxy: {url}}, options);
const credentials = (password: string) => `user:${encodeURIComponent(password)}`;

testWithPeer('tinyproxy', 'a request goes through tinyproxy, and where it forbids the port it is named', async t => {
	const url = await listenTls(t, localhost, echo);
	const {port, output} = await startTinyproxy(t, [`ConnectPort ${url.port}`]);
	t.is((await post(proxied(t, `http://127.0.0.1:${port}`), url)).statusCode, 200);
	t.regex(output(), new RegExp(`CONNECT localhost:${url.port}`));
	const other = await listenTls(t, localhost, echo);
	const message = await failsWith(t, 'ERR_PROXY_REFUSED', post(proxied(t, `http://127.0.0.1:${port}`), other));
	t.regex(message, /status 403/);
});

testWithPeer('tinyproxy', 'tinyproxy takes the right password and refuses a wrong one', async t => {
	const url = await listenTls(t, localhost, echo);
	const {port} = await startTinyproxy(t, ['BasicAuth user s3cret-word']);
	t.is((await post(proxied(t, `http://${credentials('s3cret-word')}@127.0.0.1:${port}`), url)).statusCode, 200);
	for (const who of [`${credentials(proxyPassword)}@`, '']) {
		await failsWith(t, 'ERR_PROXY_AUTHENTICATION', post(proxied(t, `http://${who}127.0.0.1:${port}`), url));
	}
});

testWithPeer('tinyproxy', 'a tinyproxy with all its clients taken is passed over, and nothing has left', async t => {
	const url = await listenTls(t, localhost, echo);
	const {port} = await startTinyproxy(t, ['MaxClients 1']);
	const holder = connect(port, '127.0.0.1').on('error', () => {});
	t.teardown(() => holder.destroy());
	await once(holder, 'connect');
	holder.write(`CONNECT localhost:${url.port} HTTP/1.1\r\nHost: localhost:${url.port}\r\n\r\n`);
	const [answer] = await once(holder, 'data');
	t.regex(String(answer), /^HTTP\/1\.\d 200/);
	const error = await t.throwsAsync(post(proxied(t, `http://127.0.0.1:${port}`, {connectTimeoutMillis: 1500}), url));
	// This one lets new clients wait unheard; others answer 503.
	if (!isBridgeError(error, 'ERR_PROXY_BUSY', 'ERR_CONNECTION_TIMEOUT')) return t.fail(String(error));
	t.is(error.hop, 'proxy');
	t.true(neverLeft.includes(error.code));
	holder.destroy();
	t.is((await post(proxied(t, `http://127.0.0.1:${port}`), url)).statusCode, 200, 'and it is used again when it has room');
});

testWithPeer('danted', 'a request goes through dante, which resolves the name', async t => {
	const url = await listenTls(t, localhost, echo);
	const {port} = await startDante(t);
	t.is((await post(proxied(t, `socks5h://127.0.0.1:${port}`), url)).statusCode, 200);
	const nowhere = post(proxied(t, `socks5h://127.0.0.1:${port}`), new URL('https://localhost:9/'));
	t.regex(await failsWith(t, 'ERR_PROXY_REFUSED', nowhere), /gives no way to localhost:9: it was refused the connection/);
});

const systemUser = `cb-${process.pid}-${randomBytes(3).toString('hex')}`;
const mayAddUsers = process.getuid?.() === 0 && peer('useradd') !== undefined && peer('openssl') !== undefined;
const withUser = mayAddUsers
	? testWithPeer
	: (_peer: string, title: string) => test.skip(`${title} (only root can add the user)`, () => {});

withUser('danted', 'dante takes the password of a user of its system and refuses a wrong one', async t => {
	const password = 'only-for-this-test';
	const hash = execFileSync('openssl', ['passwd', '-6', '-stdin'], {input: password}).toString().trim();
	execFileSync('useradd', ['--no-create-home', '--shell', '/usr/sbin/nologin', '--password', hash, systemUser]);
	t.teardown(() => void spawnSync('userdel', [systemUser]));
	const url = await listenTls(t, localhost, echo);
	const {port, output} = await startDante(t, 'username');
	t.is((await post(proxied(t, `socks5h://${systemUser}:${password}@127.0.0.1:${port}`), url)).statusCode, 200, output());
	for (const who of [`${systemUser}:${encodeURIComponent(proxyPassword)}@`, '']) {
		await failsWith(t, 'ERR_PROXY_AUTHENTICATION', post(proxied(t, `socks5h://${who}127.0.0.1:${port}`), url));
	}
});
