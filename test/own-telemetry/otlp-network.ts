import 'reflect-metadata';
import {once} from 'node:events';
import {writeFile} from 'node:fs/promises';
import type {IncomingMessage, RequestListener, ServerResponse} from 'node:http';
import {createServer} from 'node:https';
import type {AddressInfo} from 'node:net';
import {join} from 'node:path';
import type {TLSSocket} from 'node:tls';
import {metrics} from '@opentelemetry/api';
import * as x509 from '@peculiar/x509';
import test, {type ExecutionContext} from 'ava';
import {telemetrySchema} from '../../src/own-telemetry/config.ts';
import {createPrometheusReader} from '../../src/own-telemetry/prometheus.ts';
import {startTelemetry} from '../../src/own-telemetry/sdk.ts';
import {eventually, listen, temporaryDirectory} from '../helpers/listen.ts';
import {testWithPeer} from '../helpers/peers.ts';
import {startSquid} from '../helpers/squid.ts';

type Identity = {readonly certificate: string; readonly privateKey: string};

/** A certificate for 127.0.0.1 that vouches for itself. */
async function createIdentity(name: string): Promise<Identity> {
	const algorithm = {name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256'};
	const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
	const certificate = await x509.X509CertificateGenerator.createSelfSigned({
		name: `CN=${name}`,
		keys,
		signingAlgorithm: algorithm,
		notAfter: new Date(Date.now() + 3_600_000),
		extensions: [new x509.SubjectAlternativeNameExtension([{type: 'ip', value: '127.0.0.1'}])],
	});
	const pkcs8 = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
	return {
		certificate: certificate.toString('pem'),
		privateKey: `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`,
	};
}

async function listenSecurely(t: ExecutionContext, identity: Identity, ca: string, listener: RequestListener): Promise<URL> {
	const {certificate: cert, privateKey: key} = identity;
	const server = createServer({cert, key, ca, requestCert: true, rejectUnauthorized: true}, listener).listen(0, '127.0.0.1');
	await once(server, 'listening');
	t.teardown(() => {
		server.closeAllConnections();
		server.close();
	});
	return new URL(`https://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

const takeAll = (seen: IncomingMessage[]) => (request: IncomingMessage, response: ServerResponse) => {
	seen.push(request);
	request.resume().on('end', () => response.writeHead(200, {'content-type': 'application/x-protobuf'}).end());
};

let turn: Promise<unknown> = Promise.resolve();

/** Exports one metric with these options, and answers with what the telemetry said went wrong. */
function exportOnce(otlp: object, environment: Readonly<Record<string, string>> = {}): Promise<string> {
	const mine = turn.then(() => exportNow(otlp, environment)); // The SDK is registered for the whole process.
	turn = mine.catch(() => {});
	return mine;
}

async function exportNow(otlp: object, environment: Readonly<Record<string, string>>): Promise<string> {
	const said: string[] = [];
	const options = telemetrySchema.parse({otlp: {timeout: '2s', signals: {traces: false, logs: false}, ...otlp}});
	const telemetry = await startTelemetry(options, {
		resource: {'service.name': 'bridge'},
		metricReader: createPrometheusReader().reader,
		log: message => said.push(message),
		environment,
	});
	metrics.getMeter('test').createCounter('sent').add(1);
	await telemetry.forceFlush();
	await telemetry.shutdown();
	return said.join('\n');
}

async function files(t: ExecutionContext, contents: Readonly<Record<string, string>>): Promise<Record<string, string>> {
	const directory = await temporaryDirectory(t);
	const paths = Object.entries(contents).map(([name, content]) => [name, join(directory, name), content] as const);
	for (const [, path, content] of paths) await writeFile(path, content);
	return Object.fromEntries(paths.map(([name, path]) => [name, path]));
}

test('an endpoint with TLS is trusted by its authority, and sees the client certificate', async t => {
	const [server, client] = [await createIdentity('otlp'), await createIdentity('bridge')];
	const names: unknown[] = [];
	const seen: IncomingMessage[] = [];
	const take = takeAll(seen);
	const url = await listenSecurely(t, server, client.certificate, (request, response) => {
		names.push((request.socket as TLSSocket).getPeerCertificate().subject.CN);
		take(request, response);
	});
	const tls = await files(t, {ca_file: server.certificate, cert_file: client.certificate, key_file: client.privateKey});
	t.is(await exportOnce({endpoint: url.href, ...tls}), '');
	t.true(names.length > 0 && names.every(name => name === 'bridge'));
	const count = seen.length;
	t.regex(await exportOnce({endpoint: url.href, cert_file: tls.cert_file, key_file: tls.key_file}), /self.signed certificate/i);
	t.is(seen.length, count);
});

const basicAuth = {username: 'callhome', password: 'sword fish@1'};
const withCredentials = (url: URL, password = basicAuth.password) =>
	Object.assign(new URL(url), {username: basicAuth.username, password: encodeURIComponent(password)}).href;

testWithPeer('squid', 'a plain endpoint is reached through a proxy with a password', async t => {
	const seen: IncomingMessage[] = [];
	const url = await listen(t, takeAll(seen));
	const squid = await startSquid(t, {basicAuth});
	t.is(await exportOnce({endpoint: url.href, proxy: withCredentials(squid.url)}), '');
	t.true(seen.length > 0);
	t.regex(await squid.accessLog(), /POST http:\/\/127\.0\.0\.1:\d+\/v1\/metrics callhome/);
	t.true(seen.every(({headers}) => headers['proxy-authorization'] === undefined));
});

testWithPeer('squid', 'an endpoint with TLS is reached through the tunnel of a proxy with a password', async t => {
	const [server, client] = [await createIdentity('otlp'), await createIdentity('bridge')];
	const seen: IncomingMessage[] = [];
	const url = await listenSecurely(t, server, client.certificate, takeAll(seen));
	const squid = await startSquid(t, {basicAuth});
	const tls = await files(t, {ca_file: server.certificate, cert_file: client.certificate, key_file: client.privateKey});
	t.is(await exportOnce({endpoint: url.href, proxy: withCredentials(squid.url), ...tls}), '');
	t.true(seen.length > 0);
	for (const {socket} of seen) socket.destroy(); // A tunnel is logged when it closes.
	await eventually(async () => /CONNECT 127\.0\.0\.1:\d+ callhome/.test(await squid.accessLog()));
	t.true(seen.every(({headers}) => headers['proxy-authorization'] === undefined));
});

testWithPeer('squid', 'a wrong password for the proxy is said, and not the password', async t => {
	const seen: IncomingMessage[] = [];
	const url = await listen(t, takeAll(seen));
	const squid = await startSquid(t, {basicAuth});
	for (const endpoint of [url.href, 'https://127.0.0.1:9']) {
		const said = await exportOnce({endpoint, proxy: withCredentials(squid.url, 'wrong horse')});
		t.regex(said, /407|proxy/i);
		t.notRegex(said, /wrong|horse/);
	}
	t.deepEqual(seen, []);
});

testWithPeer('squid', 'the environment names the proxy, and where not to use it', async t => {
	const seen: IncomingMessage[] = [];
	const url = await listen(t, takeAll(seen));
	const squid = await startSquid(t, {basicAuth});
	const environment = {HTTP_PROXY: withCredentials(squid.url)};
	t.is(await exportOnce({endpoint: url.href, proxy: 'from_environment'}, environment), '');
	t.regex(await squid.accessLog(), /POST http:.* callhome/);
	const [before, log] = [seen.length, await squid.accessLog()];
	t.is(await exportOnce({endpoint: url.href, proxy: 'from_environment'}, {...environment, NO_PROXY: '127.0.0.1'}), '');
	t.true(seen.length > before);
	t.is(await squid.accessLog(), log);
});
