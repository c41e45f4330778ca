import {X509Certificate} from 'node:crypto';
import {once} from 'node:events';
import {readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {connect} from 'node:tls';
import test from 'ava';
import {Agent, request} from 'undici';
import {certificateFiles, watchCertificates} from '../../src/agent/certificates.ts';
import {openWays, type StageListener} from '../../src/agent/ways.ts';
import type {StageResult} from '../../src/attempt.ts';
import {BridgeError} from '../../src/errors.ts';
import {trusting} from '../../src/sending/authorities.ts';
import type {WayOut} from '../../src/sending/connections.ts';
import {alertRequest, configOf, startBridge} from '../helpers/bridge.ts';
import {issue} from '../helpers/certificates.ts';
import {startConnectProxy} from '../helpers/connect-proxy.ts';
import {eventually, temporaryDirectory} from '../helpers/listen.ts';
import {parsePrometheusText} from '../helpers/prometheus-text.ts';
import {listenTls} from '../helpers/tls-server.ts';
import {authority, echo, failsWith, post} from '../helpers/ways-out.ts';

const day = 86_400_000;
/** Certificates count in whole seconds. */
const inDays = (days: number) => new Date(Math.floor(Date.now() / 1000) * 1000 + days * day);
const endingIn = (days: number, more = {}) =>
	issue(authority, {commonName: 'localhost', hosts: ['localhost'], notBefore: inDays(-30), notAfter: inDays(days), ...more});
const name = 'callhome_certificate_expiry_timestamp_seconds';

async function certificatesOn(metrics: URL) {
	const page = parsePrometheusText(await (await fetch(metrics)).text());
	const samples = page.find(family => family.name === name)?.samples ?? [];
	return samples.map(({labels, value}) => [labels.callhome_certificate, labels.callhome_connection, value] as const);
}

test.serial(
	"the metrics page has the end of the destination's, the proxy's, the intake's and the client's certificate",
	async t => {
		const directory = await temporaryDirectory(t);
		const write = (file: string, text: string) => {
			writeFileSync(join(directory, file), text);
			return join(directory, file);
		};
		const ends = {proxy: inDays(0.6), intake: inDays(0.7), client: inDays(40)};
		const [ofProxy, intake, client] = await Promise.all([
			endingIn(0, {notAfter: ends.proxy}),
			endingIn(0, {notAfter: ends.intake}),
			endingIn(0, {notAfter: ends.client, client: true}),
		]);
		const proxy = await startConnectProxy(t, {issued: ofProxy});
		const ca = write('ca.pem', authority.certificate);
		const bridge = await startBridge(t, {
			connections: [{proxy: {url: `https://localhost:${proxy.port}`, ca_file: ca, name: 'office'}}],
			receivers: {
				otlp: {
					endpoint: '127.0.0.1:0',
					tls: {
						cert_file: write('intake.pem', `${intake.certificate}\n${authority.certificate}`),
						key_file: write('intake.key', intake.key),
					},
				},
			},
			store: {directory: join(directory, 'state')},
			telemetry: {
				otlp: {
					endpoint: 'http://127.0.0.1:9',
					cert_file: write('client.pem', client.certificate),
					key_file: write('client.key', client.key),
					signals: {traces: false, metrics: false, logs: false},
				},
			},
		});
		const caller = new Agent({connect: {ca: authority.certificate, servername: 'localhost'}});
		t.teardown(() => caller.close());
		await request(new URL('/v1/logs', bridge.urls.otlp), {
			method: 'POST',
			dispatcher: caller,
			headers: {'content-type': 'application/json'},
			body: JSON.stringify(alertRequest({serial: 'J1A2B3C'})),
		});
		const sandbox = bridge.urls.sandbox as URL;
		const seen = await eventually(async () => {
			const found = await certificatesOn(bridge.urls.metrics);
			return found.length === 4 && found.toSorted();
		});
		t.deepEqual(seen, [
			[sandbox.host, 'office', await endOf(sandbox, readFileSync(join(directory, 'state/sandbox/ca.pem')))],
			[`proxy localhost:${proxy.port}`, 'office', ends.proxy.getTime() / 1000],
			['receivers.otlp.tls.cert_file', undefined, ends.intake.getTime() / 1000],
			['telemetry.otlp.cert_file', undefined, ends.client.getTime() / 1000],
		]);
	},
);

/** Unix seconds at which what a server shows ends, or its authority. */
async function endOf({hostname, port}: URL, ca: Buffer): Promise<number> {
	const socket = connect({host: hostname, port: Number(port), ca});
	await once(socket, 'secureConnect');
	const ends = [socket.getPeerCertificate().valid_to, new X509Certificate(ca).validTo].map(text => Date.parse(text) / 1000);
	socket.destroy();
	return Math.min(...ends);
}

/** A watch whose stages the test tells, and whose clock it moves. */
function watch(files: Record<string, string> = {}) {
	const listeners: StageListener[] = [];
	const clock = {now: 1_800_000_000_000};
	const {read} = watchCertificates({onStage: listener => void listeners.push(listener)}, files, () => clock.now);
	const tell = (connection: string, result: Partial<StageResult>) => {
		for (const listener of listeners) {
			listener(connection, {host: 'a', port: 1}, {stage: 'tls', peer: 'a.example:443', startedAt: 0, duration: 0, ...result});
		}
	};
	const values = async () => (await read()).map(({value, attributes}) => [...Object.values(attributes ?? {}), value]);
	return {tell, values, clock};
}

test('the latest handshake counts, for each connection and each peer', async t => {
	const {tell, values} = watch();
	tell('direct', {certificateEnd: 1000});
	tell('office', {certificateEnd: 2000});
	tell('direct', {certificateEnd: 3000});
	tell('office', {stage: 'proxy_tls', peer: 'proxy.example:3129', certificateEnd: 4000});
	tell('direct', {stage: 'connection'});
	tell('direct', {error: new BridgeError('ERR_TLS', 'no TLS')});
	t.deepEqual(await values(), [
		['a.example:443', 'office', 2],
		['a.example:443', 'direct', 3],
		['proxy proxy.example:3129', 'office', 4],
	]);
});

test('what was not shown for a month is forgotten, and no number of proxies fills the memory', async t => {
	const {tell, values, clock} = watch();
	tell('direct', {certificateEnd: 1000});
	clock.now += 29 * day;
	t.is((await values()).length, 1);
	clock.now += 2 * day;
	t.deepEqual(await values(), []);
	for (let port = 1; port <= 1000; port++) tell('pac', {stage: 'proxy_tls', peer: `proxy.example:${port}`, certificateEnd: 1000});
	t.is((await values()).length, 256);
	t.is((await values()).at(-1)?.[0], 'proxy proxy.example:1000');
});

test('a certificate that has expired already is seen at the handshake that it fails', async t => {
	const end = inDays(-2);
	const url = await listenTls(t, await endingIn(0, {notAfter: end}), echo);
	const ways = openWays(configOf(await temporaryDirectory(t)), () => {});
	t.teardown(() => ways.close());
	ways.expect('localhost', trusting([authority.certificate]));
	const {read} = watchCertificates(ways);
	const [way] = ways.list;
	await failsWith(t, 'ERR_CERTIFICATE', post(way as WayOut, url));
	t.deepEqual(await read(), [
		{value: end.getTime() / 1000, attributes: {'callhome.certificate': url.host, 'callhome.connection': 'direct'}},
	]);
});

test('a file that is replaced: an earlier end is seen at once, a later one after the next start', async t => {
	const file = join(await temporaryDirectory(t), 'cert.pem');
	const [early, middle, late] = await Promise.all([endingIn(1), endingIn(10), endingIn(100)]);
	writeFileSync(file, middle.certificate);
	const {values} = watch({cert_file: file});
	const days = async () => Math.round((Number((await values())[0]?.[1]) * 1000 - Date.now()) / day);
	t.is(await days(), 10);
	writeFileSync(file, late.certificate);
	t.is(await days(), 10, 'the bridge still shows the one that it has read at its start');
	writeFileSync(file, early.certificate);
	t.is(await days(), 1);
	rmSync(file);
	t.is(await days(), 1, 'the last one that was there');
	const again = watch({cert_file: file});
	t.deepEqual(await again.values(), []);
});

test('which files are looked at is what the configuration names', async t => {
	const directory = await temporaryDirectory(t);
	const none = configOf(directory);
	const keys = ['receivers.alertmanager', 'receivers.cim', 'receivers.otlp', 'receivers.redfish.listen'].map(
		receiver => `${receiver}.tls.cert_file`,
	);
	t.deepEqual(Object.keys(certificateFiles(none)).sort(), [...keys, 'telemetry.otlp.cert_file']);
	t.deepEqual(await watch(certificateFiles(none) as Record<string, string>).values(), []);
});
