import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {BridgeError} from '../../src/errors.ts';
import {createConnection} from '../../src/sending/connections.ts';
import {connectionsSchema} from '../../src/sending/connections-config.ts';
import {issue, makeAuthority} from '../helpers/certificates.ts';
import {eventually, temporaryDirectory} from '../helpers/listen.ts';
import {testWithPeer} from '../helpers/peers.ts';
import {startSquid} from '../helpers/squid.ts';
import {listenTls} from '../helpers/tls-server.ts';

const authority = await makeAuthority('Test authority');

async function destination(t: ExecutionContext): Promise<URL> {
	return listenTls(t, await issue(authority, {commonName: 'localhost', hosts: ['localhost']}), (request, response) => {
		response.end(`${request.method} ${request.url}`);
		request.resume();
	});
}

async function post(proxy: {url: string; ca_file?: string}, url: URL) {
	const [config] = connectionsSchema.parse([{proxy}]);
	if (!config) throw new Error('no connection');
	const connection = createConnection(config, {ca: [authority.certificate]});
	return connection.send({url, method: 'POST', headers: {}, body: '{}', secrets: []}, AbortSignal.timeout(10_000));
}

const withCredentials = (url: URL, username: string, password: string) =>
	`${url.protocol}//${username}:${encodeURIComponent(password)}@${url.host}`;

testWithPeer('squid', 'a request goes through squid in a tunnel', async t => {
	const squid = await startSquid(t);
	const url = await destination(t);
	t.is((await post({url: squid.url.origin}, url)).body, 'POST /connect/api/v1');
	const log = await eventually(async () => (await squid.accessLog()).trim());
	t.true(log.includes(`CONNECT localhost:${url.port}`), log);
	t.false(log.includes('/connect/api/v1'), log);
});

testWithPeer('squid', 'squid takes the right password and refuses a wrong one', async t => {
	const squid = await startSquid(t, {basicAuth: {username: 'callhome', password: 'p:a@s%s'}});
	const url = await destination(t);
	t.is((await post({url: withCredentials(squid.url, 'callhome', 'p:a@s%s')}, url)).statusCode, 200);
	for (const proxyUrl of [withCredentials(squid.url, 'callhome', 'hunter2'), squid.url.origin]) {
		const error = await t.throwsAsync(post({url: proxyUrl}, url), {instanceOf: BridgeError});
		t.is(error.code, 'ERR_PROXY_AUTHENTICATION');
		t.notRegex(error.message, /hunter2/);
	}
});

testWithPeer('squid', 'squid that forbids tunnels, or cannot resolve the name, is named with its status', async t => {
	const url = await destination(t);
	const forbidding = await startSquid(t, {denyConnect: true});
	const refused = await t.throwsAsync(post({url: forbidding.url.origin}, url), {instanceOf: BridgeError});
	t.is(refused.code, 'ERR_PROXY_REFUSED');
	t.regex(refused.message, /status 403/);
	const squid = await startSquid(t);
	const unknown = await t.throwsAsync(post({url: squid.url.origin}, new URL('https://nowhere.invalid/')), {
		instanceOf: BridgeError,
	});
	t.is(unknown.code, 'ERR_PROXY_REFUSED');
	t.regex(unknown.message, /status 50\d/);
});

testWithPeer('squid', 'squid that speaks TLS itself, with its own authority', async t => {
	const proxyAuthority = await makeAuthority('Proxy authority');
	const {certificate, key} = await issue(proxyAuthority, {commonName: 'proxy', hosts: ['localhost', '127.0.0.1']});
	const file = join(await temporaryDirectory(t), 'proxy-ca.pem');
	writeFileSync(file, proxyAuthority.certificate);
	const squid = await startSquid(t, {tls: {certificate, privateKey: key}});
	t.is((await post({url: squid.url.origin, ca_file: file}, await destination(t))).statusCode, 200);
});

testWithPeer('squid', 'squid that is gone refuses the connection', async t => {
	const squid = await startSquid(t);
	await squid.stop();
	const error = await t.throwsAsync(post({url: squid.url.origin}, await destination(t)), {instanceOf: BridgeError});
	t.is(error.code, 'ERR_CONNECTION_REFUSED');
});
