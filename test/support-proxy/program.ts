import {execFile} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {promisify} from 'node:util';
import test, {type ExecutionContext} from 'ava';
import {parse} from 'yaml';
import {alertRequest, post, scrape, settingsOf, startBridge} from '../helpers/bridge.ts';
import {issue, makeAuthority} from '../helpers/certificates.ts';
import {eventually, temporaryDirectory} from '../helpers/listen.ts';
import {testWithPeer} from '../helpers/peers.ts';
import {startProgram} from '../helpers/program.ts';
import {startSandbox} from '../helpers/sandbox.ts';
import {startSquid} from '../helpers/squid.ts';
import {basic, connectRequest, exchangeWith, startEcho} from '../helpers/support-proxy.ts';
import {listenTls} from '../helpers/tls-server.ts';

const run = promisify(execFile);
const top = join(import.meta.dirname, '../..');
const callhome = async (...args: string[]) => (await run(process.execPath, ['src/cli.ts', ...args], {cwd: top})).stdout;

async function startAlone(t: ExecutionContext, settings: Record<string, unknown>) {
	const directory = await temporaryDirectory(t);
	const file = join(directory, 'callhome.yaml');
	await writeFile(file, JSON.stringify(settingsOf(directory, settings)));
	const args = ['src/cli.ts', 'support-proxy', 'run', '--json', '--config', file];
	const program = await startProgram(t, process.execPath, args, {cwd: top});
	await program.waitFor('"ready":true');
	const line =
		program
			.output()
			.split('\n')
			.find(text => text.includes('"ready"')) ?? '';
	const {urls} = JSON.parse(line) as {urls: {support_proxy: string; metrics: string}};
	return {file, program, proxy: new URL(urls.support_proxy), metrics: new URL(urls.metrics)};
}

test('alone it serves, counts, tells and shows itself, and ends when it is told to', async t => {
	const echo = await startEcho(t);
	const {file, program, proxy, metrics} = await startAlone(t, {
		destinations: {problem_reporting: [{host: '127.0.0.1', port: echo.port}]},
		support_proxy: {endpoint: '127.0.0.1:0', basic_auth: [{username: 'power', password: 'hunter2'}]},
	});
	const target = `127.0.0.1:${echo.port}`;
	const port = Number(proxy.port);
	const headers = [basic('power', 'hunter2')];
	t.regex(await exchangeWith(port, connectRequest(target, headers), {until: '\r\n\r\n'}), /^HTTP\/1\.1 200 /);
	t.regex(await exchangeWith(port, connectRequest('www.example.com:443', headers)), /^HTTP\/1\.1 403 /);
	await program.waitFor('127.0.0.1 (power) -> www.example.com:443: not_listed');
	const page = await scrape(metrics);
	t.is(page.get('callhome_support_proxy_requests_total{callhome_support_proxy_decision="allowed"}'), 1);
	t.is(page.get('callhome_support_proxy_requests_total{callhome_support_proxy_decision="not_listed"}'), 1);
	t.is(page.get('callhome_support_proxy_requests_total{callhome_support_proxy_decision="rate"}'), 0);
	t.true(page.has('callhome_support_proxy_connections'));
	const shown = JSON.parse(await callhome('support-proxy', 'show', '--json', '--config', file));
	t.like(shown, {running: true, users: ['power'], clients: []});
	t.like(shown.passes[0], {host: '127.0.0.1', port: echo.port, method: 'CONNECT', purpose: 'problem_reporting'});
	await t.throwsAsync(callhome('support-proxy', 'run', '--config', file), {message: /ERR_ALREADY_RUNNING|ERR_CONFIG/});
	t.is(await program.stop('SIGTERM'), 0);
	t.regex(await callhome('support-proxy', 'show', '--config', file), /not running[\s\S]*127\.0\.0\.1 +\d+ +CONNECT/);
	t.false(program.output().includes('hunter2'));
});

test('users and limits are set, and never a password itself', async t => {
	const file = join(await temporaryDirectory(t), 'callhome.yaml');
	const secret = join(await temporaryDirectory(t), 'password');
	await writeFile(secret, 'hunter2\n');
	const set = (...args: string[]) => callhome('support-proxy', 'set', '--config', file, ...args);
	const written = () => (parse(readFileSync(file, 'utf8')) as {support_proxy: unknown}).support_proxy;
	await set(
		'--user',
		'power',
		'--password-file',
		secret,
		'--endpoint',
		'0.0.0.0:5026',
		'--limit',
		'connections=500',
		'--limit',
		'idle_timeout=10m',
	);
	await set('--limit', 'connections=', '--clients', '192.0.2.0/24');
	t.deepEqual(written(), {
		endpoint: '0.0.0.0:5026',
		limits: {idle_timeout: '10m'},
		basic_auth: [{username: 'power', password_file: secret}],
		clients: ['192.0.2.0/24'],
	});
	await t.throwsAsync(set('--remove-user', 'power'), {message: /beyond loopback/}, 'nobody would be asked');
	await t.throwsAsync(set('--remove-user', 'nobody'), {message: /ERR_NOT_FOUND/});
	await t.throwsAsync(set('--limit', 'conections=5'), {message: /unknown key/});
	await set('--remove-user', 'power', '--insecure', '--clients', 'any');
	t.deepEqual(written(), {endpoint: '0.0.0.0:5026', limits: {idle_timeout: '10m'}, clients: [], insecure: true});
});

const keys = {customer_number: '1234567', api_key: 'key', private_key: 'private'};

testWithPeer('squid', 'a bridge calls home through the support proxy of another one, which goes through squid', async t => {
	const sandbox = await startSandbox(t);
	const squid = await startSquid(t);
	const {hostname: host, port} = sandbox.url();
	const {proxy, metrics, program} = await startAlone(t, {
		destinations: {problem_reporting: [{host, port: Number(port)}]},
		support_proxy: {endpoint: '127.0.0.1:0', basic_auth: [{username: 'power', password: 'hunter2'}]},
		connections: [{proxy: {url: squid.url.origin}}],
	});
	const bridge = await startBridge(t, {
		connections: [{proxy: {url: `http://power:hunter2@${proxy.host}`}}],
		exporter: {call_home_connect: {...keys, endpoint: sandbox.url().href, ca_file: sandbox.caFile}},
	});
	t.true((await post(bridge.urls.otlp, alertRequest({serial: 'J1A2B3C'}))).ok);
	const accepted = 'callhome_submissions_total';
	await eventually(async () =>
		[...(await scrape(bridge.urls.metrics))].some(([name, value]) => name.startsWith(accepted) && value > 0),
	);
	const page = await scrape(metrics);
	t.true((page.get('callhome_support_proxy_requests_total{callhome_support_proxy_decision="allowed"}') ?? 0) > 0);
	await program.waitFor(/ended: (closed|client_reset)/);
	await eventually(async () => (await squid.accessLog()).includes(`CONNECT ${host}:${port}`));
});

test('curl goes through the proxy of a running bridge, and its activity log tells of it', async t => {
	const authority = await makeAuthority('Test authority');
	const url = await listenTls(t, await issue(authority, {commonName: 'localhost', hosts: ['localhost']}), (_request, response) =>
		response.end('hello'),
	);
	const directory = await temporaryDirectory(t);
	await writeFile(join(directory, 'ca.pem'), authority.certificate);
	const file = join(directory, 'callhome.yaml');
	const settings = settingsOf(directory, {
		destinations: {allow_loopback: true, problem_reporting: [{host: 'localhost', port: Number(url.port)}]},
		support_proxy: {endpoint: '127.0.0.1:0'},
	});
	await writeFile(file, JSON.stringify(settings));
	const bridge = await startProgram(t, process.execPath, ['src/cli.ts', 'run', '--config', file], {cwd: top});
	await bridge.waitFor(/State +\S/);
	const [, proxy = ''] = /Support proxy (\S+)/.exec(bridge.output()) ?? [];
	const curl = (target: string) => run('curl', ['-sS', '--cacert', join(directory, 'ca.pem'), '-x', proxy, target]);
	t.is((await curl(url.href)).stdout, 'hello');
	await t.throwsAsync(curl('https://www.example.com/'), {message: /403/});
	const log = await eventually(async () => {
		const text = await callhome('activity', '--config', file);
		return text.includes('support_proxy_refused') && text.includes('support_proxy_passed') && text;
	});
	t.regex(log, /www\.example\.com:443: not_listed/);
});
