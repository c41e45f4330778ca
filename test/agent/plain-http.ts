import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {openWays} from '../../src/agent/ways.ts';
import {checkUpdates} from '../../src/cli/update.ts';
import {alertRequest, configOf, post, startBridge} from '../helpers/bridge.ts';
import {eventually, freePort, temporaryDirectory} from '../helpers/listen.ts';
import {listenSocket, listenTls} from '../helpers/tls-server.ts';
import {
	foreignLocalhost,
	makeKeyPair,
	manifestOf,
	pemOf,
	serverList,
	startUpdateServer,
	timeOf,
} from '../helpers/update-server.ts';
import {basicCredentials, direct, localhost, proxyPassword, post as send} from '../helpers/ways-out.ts';

const pair = makeKeyPair();
const manifest = (serial: number) =>
	manifestOf(serial, {
		issued_at: timeOf(Date.now() - 60_000),
		expires_at: timeOf(Date.now() + 3_600_000),
		destinations: serverList('one.example'),
	});

/** Who the operator is, what has failed, and the keys: nothing of it may be read on the way. */
const identity = /J1A2B3C|8871|db01|7654321|Example AG|ops@example|api-key-|private-key-|drive-3|physical_disk/i;

/** A listener that keeps every byte, by connection, and answers each first one with the same text. */
async function record(t: ExecutionContext, answer: string) {
	const bytes: string[] = [];
	const port = await listenSocket(t, socket => {
		const index = bytes.push('') - 1;
		socket.on('data', chunk => {
			bytes[index] += chunk.toString('latin1');
			socket.end(answer);
		});
	});
	return {port, bytes};
}

const plainGet = /^GET \/callhome-updates\.json(?:\.sig)? HTTP\/1\.1\r\nhost: 127\.0\.0\.1:\d+\r\nconnection: close\r\n\r\n$/i;
const proxiedGet =
	/^GET http:\/\/127\.0\.0\.1:\d+\/callhome-updates\.json(?:\.sig)? HTTP\/1\.1\r\nhost: 127\.0\.0\.1:\d+\r\nconnection: close\r\nproxy-authorization: Basic \S+\r\n\r\n$/i;
const tunnelRequest =
	/^CONNECT localhost:\d+ HTTP\/1\.1\r\nhost: localhost:\d+\r\nconnection: close\r\nproxy-authorization: Basic \S+\r\n\r\n$/i;
/** A TLS handshake record: of what the client says there, the name of the server alone can be read. */
const isClientHello = (bytes: string) => bytes.startsWith('\x16\x03\x01');

/** A bridge that retries is always about to connect: what was opened and then ended has said nothing. */
const said = (bytes: readonly string[]) => bytes.filter(text => text !== '');

test.serial(
	'with HTTPS cut everywhere, nothing but GETs of the signed manifest is ever seen in plain text, and no event',
	async t => {
		const directory = await temporaryDirectory(t);
		const server = await startUpdateServer(t, foreignLocalhost);
		server.publish(manifest(1), pair);
		const keyFile = join(directory, 'updates.pem');
		writeFileSync(keyFile, pemOf(pair));
		// Whoever asks for TLS is sent to plain HTTP by one server, and shown a foreign certificate by the other one.
		const redirecting = await record(
			t,
			`HTTP/1.1 307 Away\r\nLocation: ${server.httpUrl.origin}/connect/api/v1\r\nContent-Length: 0\r\n\r\n`,
		);
		const proxy = await record(t, 'HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n');
		const settings = {
			systems: [{match: {'host.name': 'db01'}, machine_type: '8871', model: 'AC1', serial_number: 'J1A2B3C'}],
			contact: {organization: 'Example AG', email: 'ops@example.com'},
			connections: [
				{proxy: {url: `http://user:${encodeURIComponent(proxyPassword)}@127.0.0.1:${proxy.port}`, name: 'proxy'}},
				{direct: {}},
			],
			destinations: {
				problem_reporting: [
					{host: 'localhost', port: redirecting.port},
					{host: 'localhost', port: await freePort()},
				],
				updates: {url: server.url.href, http_url: server.httpUrl.href, public_key_file: keyFile},
			},
			exporter: {
				call_home_connect: {
					customer_number: '7654321',
					api_key: 'api-key-58b1f0',
					private_key: 'private-key-91c2',
					endpoint: new URL('/connect/api/v1', server.url).href,
				},
				retry_on_failure: {initial_interval: '50ms', max_interval: '100ms'},
			},
			store: {directory: join(directory, 'state')},
		};
		const bridge = await startBridge(t, settings);
		await post(bridge.urls.otlp, alertRequest({}));
		const {read} = bridge.callHome.store;
		const attempts = await eventually(async () => {
			const [problem] = await read.listProblems({});
			const all = await read.attemptsOf(problem?.id ?? '');
			return all.length >= 12 && all;
		});
		t.deepEqual(new Set(attempts.map(({connection}) => connection)), new Set(['proxy', 'direct']));
		t.is(new Set(attempts.map(({destination}) => destination)).size, 3, 'each server was tried');
		t.deepEqual(
			attempts.filter(({reply}) => reply !== null),
			[],
		);

		t.like(await bridge.callHome.updates?.check(), {outcome: 'accepted', origin: 'http', serial: 1});
		const config = configOf(directory, settings);
		const ways = openWays(config, () => {});
		t.teardown(() => ways.close());
		const {json} = await checkUpdates(config, ways);
		t.like(json, {accepted: {serial: 1, origin: 'http'}, last_check: {outcome: 'nothing_new', origin: 'http'}});
		await bridge.shutdown();

		const plain = said(server.plainBytes);
		const toServer = said(redirecting.bytes);
		const toProxy = said(proxy.bytes);
		t.true(plain.length >= 2);
		for (const bytes of plain) t.regex(bytes, plainGet);
		t.true(toServer.length > 0);
		for (const bytes of toServer) t.true(isClientHello(bytes), bytes);
		t.true(toProxy.some(bytes => bytes.startsWith('GET')) && toProxy.some(bytes => bytes.startsWith('CONNECT')));
		for (const bytes of toProxy) t.regex(bytes, bytes.startsWith('GET') ? proxiedGet : tunnelRequest);
		for (const bytes of [...plain, ...toServer]) t.false(bytes.includes(basicCredentials));
		t.notRegex([...plain, ...toServer, ...toProxy].join('\n'), identity);
		t.deepEqual(server.asked, [], 'nobody trusts that certificate');
	},
);

test('a redirect from HTTPS to HTTP is not followed, neither for what is sent nor for what is fetched', async t => {
	const plain = await record(t, 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
	for (const status of [301, 302, 303, 307, 308]) {
		const url = await listenTls(t, localhost, (_request, response) => {
			response.writeHead(status, {location: `http://127.0.0.1:${plain.port}/connect/api/v1`}).end();
		});
		const way = direct(t);
		t.is((await send(way, url)).statusCode, status);
		const signal = AbortSignal.timeout(20_000);
		t.is((await way.fetch(url, {maxSize: 1000, signal})).statusCode, status);
	}
	t.deepEqual(plain.bytes, []);
});

test('a plain redirect is not followed, and a plain GET carries no query and nothing of its URL but host and path', async t => {
	const away = await record(t, 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
	const first = await record(t, `HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:${away.port}/\r\nContent-Length: 0\r\n\r\n`);
	const url = new URL(`http://user:secret@127.0.0.1:${first.port}/callhome-updates.json?serial=J1A2B3C#J1A2B3C`);
	const reply = await direct(t).fetch(url, {maxSize: 1000, signal: AbortSignal.timeout(20_000)});
	t.is(reply.statusCode, 302);
	t.deepEqual(away.bytes, []);
	t.is(first.bytes.length, 1);
	t.regex(first.bytes[0] ?? '', plainGet);
});
