import {execFileSync} from 'node:child_process';
import {KeyObject} from 'node:crypto';
import {once} from 'node:events';
import {chmodSync, writeFileSync} from 'node:fs';
import {connect} from 'node:net';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import {isBridgeError, neverLeft} from '../../src/errors.ts';
import {makeAuthority} from '../helpers/certificates.ts';
import {freePort, temporaryDirectory} from '../helpers/listen.ts';
import {testWithPeer} from '../helpers/peers.ts';
import {startSquid} from '../helpers/squid.ts';
import {listenTls} from '../helpers/tls-server.ts';
import {authority, echo, failsWith, localhost, post, wayOut} from '../helpers/ways-out.ts';

const through = (t: ExecutionContext, port: number | string) => wayOut(t, {proxy: {url: `http://127.0.0.1:${port}`}});

/** A tunnel that somebody else holds. */
async function holdTunnel(t: ExecutionContext, port: string, url: URL) {
	const socket = connect(Number(port), '127.0.0.1').on('error', () => {});
	t.teardown(() => socket.destroy());
	await once(socket, 'connect');
	socket.write(`CONNECT localhost:${url.port} HTTP/1.1\r\nHost: localhost:${url.port}\r\n\r\n`);
	const [answer] = await once(socket, 'data');
	t.regex(String(answer), /^HTTP\/1\.\d 200/);
	return socket;
}

testWithPeer('squid', 'a squid whose connections are all taken says that it is busy, and nothing has left', async t => {
	const url = await listenTls(t, localhost, echo);
	const full = ['acl many maxconn 1', 'deny_info 503:ERR_ACCESS_DENIED many', 'http_access deny many'];
	const squid = await startSquid(t, {configLines: full});
	const holder = await holdTunnel(t, squid.url.port, url);
	const message = await failsWith(t, 'ERR_PROXY_BUSY', post(through(t, squid.url.port), url));
	t.regex(message, /is busy: it refused the way to .* with status 503/);
	holder.destroy();
});

testWithPeer('squid', 'a squid that hangs up on one connection too many is passed over', async t => {
	const url = await listenTls(t, localhost, echo);
	const squid = await startSquid(t, {configLines: ['client_ip_max_connections 1']});
	await holdTunnel(t, squid.url.port, url);
	await holdTunnel(t, squid.url.port, url).catch(() => {}); // The limit is reached with one more.
	const error = await t.throwsAsync(post(through(t, squid.url.port), url));
	if (!isBridgeError(error, ...neverLeft)) return t.fail(String(error));
	t.is(error.hop, 'proxy');
});

testWithPeer(['squid', 'openssl'], 'a squid that opens TLS on the way is told by its name, and hears nothing', async t => {
	const inspector = await makeAuthority('Corporate Inspection CA');
	const directory = await temporaryDirectory(t);
	chmodSync(directory, 0o777);
	const file = (name: string, text: string) => {
		const path = join(directory, name);
		writeFileSync(path, text, {mode: 0o644});
		return path;
	};
	const {certificate, keys} = inspector;
	const privateKey = KeyObject.from(keys.privateKey).export({format: 'pem', type: 'pkcs8'});
	const own = file('inspector.pem', `${certificate}\n${privateKey}\n`);
	const trusted = file('trusted.pem', authority.certificate);
	const generator = '/usr/lib/squid/security_file_certgen';
	const store = join(directory, 'certificates');
	execFileSync(generator, ['-c', '-s', store, '-M', '4MB']);
	execFileSync('chmod', ['-R', '777', store]);
	const port = await freePort();
	const squid = await startSquid(t, {
		configLines: [
			`http_port 127.0.0.1:${port} ssl-bump tls-cert=${own} generate-host-certificates=on dynamic_cert_mem_cache_size=4MB`,
			`sslcrtd_program ${generator} -s ${store} -M 4MB`,
			'sslcrtd_children 2 startup=1 idle=1',
			`tls_outgoing_options cafile=${trusted}`,
			'acl step1 at_step SslBump1',
			'ssl_bump peek step1',
			'ssl_bump bump all',
		],
	});
	const asked: string[] = [];
	const url = await listenTls(t, localhost, (request, response) => {
		asked.push(request.url ?? '');
		echo(request, response);
	});
	const message = await failsWith(t, 'ERR_TLS_INSPECTED', post(through(t, port), url));
	t.regex(message, /Corporate Inspection CA/);
	t.deepEqual(asked, []);
	t.is((await post(through(t, squid.url.port), url)).statusCode, 200, 'the same squid, where it only tunnels');
});
