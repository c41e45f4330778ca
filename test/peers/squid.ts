import {connect} from 'node:net';
import {text} from 'node:stream/consumers';
import type {ExecutionContext} from 'ava';
import {freePort, listen} from '../helpers/listen.ts';
import {testWithPeer} from '../helpers/peers.ts';
import {type Squid, startSquid} from '../helpers/squid.ts';

const target = (t: ExecutionContext) =>
	listen(t, (_request, response) => void response.setHeader('connection', 'close').end('here'));

/** What comes back for a CONNECT and a GET in one go, written by hand: no client's own idea of proxies is in between. */
async function connectAndGet({url: proxy}: Squid, {host}: {readonly host: string}, credentials?: string): Promise<string> {
	const authorization = credentials ? [`Proxy-Authorization: Basic ${Buffer.from(credentials).toString('base64')}`] : [];
	const socket = connect(Number(proxy.port), proxy.hostname);
	socket.write([`CONNECT ${host} HTTP/1.1`, `Host: ${host}`, ...authorization, '', ''].join('\r\n'));
	socket.write([`GET / HTTP/1.1`, `Host: ${host}`, 'Connection: close', '', ''].join('\r\n'));
	return text(socket);
}

testWithPeer('squid', 'leads a tunnel to loopback and logs it', async t => {
	const [url, squid] = await Promise.all([target(t), startSquid(t)]);
	t.regex(await connectAndGet(squid, url), /^HTTP\/1\.1 200 .*here$/s);
	t.regex(await squid.accessLog(), new RegExp(`TCP_TUNNEL/200 .* CONNECT ${url.host} `));
	t.regex(await connectAndGet(squid, {host: '192.0.2.1:443'}), /^HTTP\/1\.1 403 /, 'nothing but loopback');
});

testWithPeer('squid', 'asks for the password, and takes no other', async t => {
	const basicAuth = {username: 'bridge', password: 'p: ß w'};
	const [url, squid] = await Promise.all([target(t), startSquid(t, {basicAuth})]);
	t.regex(await connectAndGet(squid, url), /^HTTP\/1\.1 407 .*\r\nProxy-Authenticate: Basic /s);
	t.regex(await connectAndGet(squid, url, 'bridge:wrong'), /^HTTP\/1\.1 407 /);
	t.regex(await connectAndGet(squid, url, 'bridge:p: ß w'), /^HTTP\/1\.1 200 .*here$/s);
});

testWithPeer('squid', 'refuses tunnels when told to, and comes back on its port', async t => {
	const port = await freePort();
	const [url, squid] = await Promise.all([target(t), startSquid(t, {port, denyConnect: true})]);
	t.regex(await connectAndGet(squid, url), /^HTTP\/1\.1 403 /);
	await squid.stop();
	t.regex(await connectAndGet(await startSquid(t, {port}), url), /^HTTP\/1\.1 200 .*here$/s);
});
