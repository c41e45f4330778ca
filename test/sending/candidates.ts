import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {createCandidates} from '../../src/sending/candidates.ts';
import {connectionsSchema} from '../../src/sending/connections-config.ts';
import {startConnectProxy} from '../helpers/connect-proxy.ts';
import {freePort, temporaryDirectory} from '../helpers/listen.ts';
import {answering, written} from '../helpers/pac.ts';
import {startSocksProxy} from '../helpers/socks-proxy.ts';
import {listenTls} from '../helpers/tls-server.ts';
import {basicCredentials, echo, failsWith, localhost, post, proxyPassword, wayOut} from '../helpers/ways-out.ts';

const signal = AbortSignal.timeout(60_000);
const credentials = {username: 'user', password: proxyPassword};

function candidatesOf(t: ExecutionContext, connection: object, environment: NodeJS.ProcessEnv = {}) {
	const [config] = connectionsSchema.parse([connection]);
	if (!config) throw new Error('no connection');
	const {candidates, close} = createCandidates(config, {environment});
	t.teardown(close);
	return () => candidates({host: 'esupport.ibm.com', port: 443}, signal);
}

async function pacFile(t: ExecutionContext, script: string): Promise<string> {
	const file = join(await temporaryDirectory(t), 'proxy.pac');
	writeFileSync(file, script);
	return file;
}

test('each kind of entry amounts to what it says', async t => {
	const file = await pacFile(t, answering('PROXY p.example:1; DIRECT'));
	const HTTPS_PROXY = 'http://e.example:2';
	t.deepEqual(written(await candidatesOf(t, {direct: {}})()), ['direct']);
	t.deepEqual(written(await candidatesOf(t, {proxy: {url: 'https://q.example'}})()), ['https q.example:443']);
	t.deepEqual(written(await candidatesOf(t, {pac: {file}})()), ['http p.example:1']);
	t.deepEqual(written(await candidatesOf(t, {pac: {file, allow_direct: true}})()), ['http p.example:1', 'direct']);
	t.deepEqual(written(await candidatesOf(t, {from_environment: {}}, {HTTPS_PROXY})()), ['http e.example:2']);
	t.deepEqual(written(await candidatesOf(t, {from_environment: {allow_direct: true}})()), ['direct']);
});

test('a proxy whose URL is empty is not configured', async t => {
	await t.throwsAsync(candidatesOf(t, {proxy: {url: '', name: 'spare'}})(), {
		code: 'ERR_NOT_CONFIGURED',
		message: 'The connection spare is not configured: the URL of its proxy is empty.',
	});
});

test('a request goes over the first proxy of a PAC file that leads anywhere, with the credentials of the configuration', async t => {
	const url = await listenTls(t, localhost, echo);
	const forbidding = await startConnectProxy(t, {instead: socket => socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')});
	const proxy = await startConnectProxy(t);
	const list = `PROXY 127.0.0.1:${await freePort()}; PROXY 127.0.0.1:${forbidding.port}; PROXY 127.0.0.1:${proxy.port}; DIRECT`;
	const way = wayOut(t, {pac: {file: await pacFile(t, answering(list)), ...credentials}});
	t.is((await post(way, url)).statusCode, 200);
	for (const {requests} of [forbidding, proxy]) {
		t.deepEqual(requests, [{target: url.host, authorization: `Basic ${basicCredentials}`}]);
	}
});

test('a SOCKS5 proxy of a PAC file is used as such', async t => {
	const url = await listenTls(t, localhost, echo);
	const proxy = await startSocksProxy(t, {credentials});
	const file = await pacFile(t, answering(`SOCKS5 127.0.0.1:${proxy.port}`));
	t.is((await post(wayOut(t, {pac: {file, ...credentials}}), url)).statusCode, 200);
	t.deepEqual(proxy.requests, [url.host]);
});

test('when no proxy of a PAC file leads anywhere, each is named, and DIRECT that is not allowed is not taken', async t => {
	let asked = 0;
	const url = await listenTls(t, localhost, () => {
		asked++;
	});
	const [one, two] = [await freePort(), await freePort()];
	const file = await pacFile(t, answering(`PROXY 127.0.0.1:${one}; PROXY 127.0.0.1:${two}; DIRECT`));
	const message = await failsWith(t, 'ERR_CONNECTION_REFUSED', post(wayOut(t, {pac: {file, ...credentials}}), url));
	for (const port of [one, two]) t.true(message.includes(`proxy 127.0.0.1:${port} refuses the connection`), message);
	t.is(asked, 0);
});

test('a PAC file that is of no use, or says nothing in time, certainly let nothing leave', async t => {
	const url = await listenTls(t, localhost, () => t.fail('the request has left'));
	const broken = await pacFile(t, 'function FindProxyForURL( {');
	t.regex(await failsWith(t, 'ERR_PAC', post(wayOut(t, {pac: {file: broken, ...credentials}}), url)), /is not JavaScript/);
	const endless = await pacFile(t, 'function FindProxyForURL() { for (;;) {} }');
	const way = wayOut(t, {pac: {file: endless, ...credentials}});
	const message = await failsWith(t, 'ERR_CONNECTION_TIMEOUT', post(way, url, AbortSignal.timeout(300)));
	t.regex(message, /gave no answer within the time for the attempt/);
});
