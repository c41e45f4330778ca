import {createSocket} from 'node:dgram';
import {once} from 'node:events';
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {settingsOf} from './helpers/bridge.ts';
import {issue} from './helpers/certificates.ts';
import {startConnectProxy} from './helpers/connect-proxy.ts';
import {startDnsServer} from './helpers/dns-server.ts';
import {eventually, freePort, temporaryDirectory} from './helpers/listen.ts';
import {testWithPeer} from './helpers/peers.ts';
import {startProgram} from './helpers/program.ts';
import {startSocksProxy} from './helpers/socks-proxy.ts';
import {startSquid} from './helpers/squid.ts';
import {cli, password, type Ran, runTest, secrets, secretUrl, startIbm, writeConfig} from './helpers/test-command.ts';
import {listenSocket} from './helpers/tls-server.ts';
import {authority, makeKeyPair, pemOf, startUpdateServer} from './helpers/update-server.ts';

/** Runs `callhome test connectivity`. Nothing that it prints has a secret in it. */
async function testConnectivity(t: ExecutionContext, args: readonly string[], cwd?: string): Promise<Ran> {
	const ran = await runTest(['connectivity', ...args], cwd);
	for (const secret of secrets) t.false(`${ran.stdout}${ran.stderr}`.includes(secret), secret);
	t.is(ran.stderr, '', 'no progress where standard error is no terminal');
	return ran;
}

type PathJson = {
	readonly connection: string;
	readonly destination: string;
	readonly by: string;
	readonly address: string | null;
	readonly outcome: string;
	readonly failed_stage: string | null;
	readonly stages: readonly {
		readonly stage: string;
		readonly duration_ms: number;
		readonly error: {readonly code: string; readonly message: string} | null;
		readonly advice: string | null;
	}[];
};

const reject = (statusLine: string) => ({
	instead: (socket: {end(text: string): unknown}) => void socket.end(`HTTP/1.1 ${statusLine}\r\ncontent-length: 0\r\n\r\n`),
});

test('without a configuration and a bridge it walks to a sandbox of its own, and leaves nothing behind', async t => {
	const directory = await temporaryDirectory(t);
	const {code, stdout} = await testConnectivity(t, [], directory);
	t.is(code, 0);
	t.regex(stdout, /^PASSED: everything has a way.*\n\nWalked in \d+ ms to a sandbox that runs .* nothing reaches IBM\.\n/);
	t.regex(stdout, /\nCONNECTION +DESTINATION +BY +TCP +TLS +HTTP +APPLICATION +OUTCOME\ndirect +127\.0\.0\.1:\d+ .* works\n/);
	t.false(existsSync(join(directory, '.callhome')));
});

test('beside a running bridge it walks to the sandbox of that one, and no submission comes of it', async t => {
	const directory = await temporaryDirectory(t);
	writeFileSync(join(directory, 'callhome.yaml'), JSON.stringify(settingsOf(directory)));
	const bridge = await startProgram(t, process.execPath, [cli, 'run', '--json'], {cwd: directory});
	await bridge.waitFor('"ready":true', {timeoutMillis: 60_000});
	const {urls} = JSON.parse(
		bridge
			.output()
			.split('\n')
			.find(line => line.includes('"ready"')) ?? '',
	) as {urls: {sandbox: string}};
	const {code, stdout} = await testConnectivity(t, ['--json'], directory);
	t.is(code, 0);
	const {paths, ...rest} = JSON.parse(stdout) as {paths: readonly PathJson[]};
	t.like(rest, {sandbox: true, passed: true, interrupted: false, firewall: []});
	t.is(paths[0]?.destination, new URL(urls.sandbox).host);
	const received = readFileSync(join(directory, 'state/sandbox/received.jsonl'), 'utf8').trim().split('\n');
	t.is(received.length, 1);
	t.like(JSON.parse(received[0] ?? ''), {fate: 'refused', message: {}});
	t.is(readFileSync(join(directory, 'state/sandbox/cases.jsonl'), 'utf8'), '');
	t.is(await bridge.stop(), 0);
	t.regex(
		(await testConnectivity(t, [], directory)).stdout,
		/for this test alone/,
		'the port of a bridge that is gone is forgotten',
	);
});

test('the authority of the update server vouches for it, and for nobody that something is sent to', async t => {
	const ibm = await startIbm(t);
	const names = {localhost: ['127.0.0.1'], 'updates.example': ['127.0.0.1']};
	const dns = await startDnsServer(t, names);
	const server = await startUpdateServer(t, await issue(authority, {commonName: 'updates', hosts: Object.keys(names)}));
	const directory = await temporaryDirectory(t);
	const file = (name: string, text: string) => {
		writeFileSync(join(directory, name), text);
		return join(directory, name);
	};
	const [ca_file, public_key_file] = [file('ca.pem', authority.certificate), file('key.pem', pemOf(makeKeyPair()))];
	const test = async (host: string, servers: object) => {
		const url = `https://${host}:${server.url.port}/callhome-updates.json`;
		const destinations = {...servers, dns_servers: [dns.address], allow_loopback: true, updates: {url, ca_file, public_key_file}};
		const config = await writeConfig(t, {...ibm.settings, destinations});
		const {stdout} = await testConnectivity(t, ['--config', config, '--json']);
		const {paths} = JSON.parse(stdout) as {readonly paths: readonly PathJson[]};
		const path = paths.find(({destination}) => destination === `${host}:${server.url.port}`);
		return [path?.outcome, path?.stages.at(-1)?.error?.code];
	};
	const uploads = {extended_error_data: ibm.settings.destinations.extended_error_data};
	t.deepEqual(await test('updates.example', uploads), ['passed', undefined]);
	const shared = {extended_error_data: [{host: 'updates.example', port: Number(server.url.port)}]};
	t.is((await test('updates.example', shared))[1], 'ERR_CERTIFICATE');
});

test('of several connections each says at which hop it is broken, first of all', async t => {
	const ibm = await startIbm(t);
	const [deadPort, silent, refusing, forbidding, good, socks] = await Promise.all([
		freePort(),
		listenSocket(t, () => {}),
		startConnectProxy(t, reject('407 Proxy Authentication Required')),
		startConnectProxy(t, reject('403 Forbidden')),
		startConnectProxy(t),
		startSocksProxy(t, {credentials: {username: 'user', password}}),
	]);
	const proxies = {
		dead: secretUrl(deadPort),
		silent: secretUrl(silent),
		refusing: secretUrl(refusing.port),
		forbidding: secretUrl(forbidding.port),
		good: secretUrl(good.port),
		socks: secretUrl(socks.port, 'socks5'),
	};
	const connections = Object.entries(proxies).map(([name, url]) => ({proxy: {name, url, connect_timeout: '800ms'}}));
	const file = await writeConfig(t, {...ibm.settings, connections: [...connections, {direct: {}}]});

	const machine = await testConnectivity(t, ['--config', file, '--json']);
	t.is(machine.code, 33, 'nobody trusts the certificate of the upload server');
	const {paths, destinations, firewall} = JSON.parse(machine.stdout) as {
		readonly paths: readonly PathJson[];
		readonly destinations: readonly {destination: string; passed: boolean; working: readonly string[]}[];
		readonly firewall: readonly {kind: string; from: string; text: string}[];
	};
	const ends = paths
		.filter(({by, destination}) => by === 'name' && destination === ibm.api)
		.map(({connection, outcome, failed_stage, stages}) => [connection, outcome, failed_stage, stages.at(-1)?.error?.code]);
	t.deepEqual(ends, [
		['dead', 'failed', 'connection', 'ERR_CONNECTION_REFUSED'],
		['silent', 'failed', 'proxy', 'ERR_CONNECTION_TIMEOUT'],
		['refusing', 'failed', 'proxy_authentication', 'ERR_PROXY_AUTHENTICATION'],
		['forbidding', 'failed', 'proxy', 'ERR_PROXY_REFUSED'],
		['good', 'passed', null, undefined],
		['socks', 'passed', null, undefined],
		['direct', 'passed', null, undefined],
	]);
	t.deepEqual(
		destinations.map(({destination, passed, working}) => [destination, passed, working]),
		[
			[ibm.api, true, ['good', 'socks', 'direct']],
			[ibm.uploads, false, []],
		],
	);
	const uploads = paths.filter(path => path.connection === 'direct' && path.destination === ibm.uploads && path.by === 'name');
	t.deepEqual(
		uploads.map(({failed_stage, stages}) => [failed_stage, stages.at(-1)?.error?.code]),
		[['tls', 'ERR_TLS_INSPECTED']],
	);
	t.true(firewall.some(({kind, from}) => kind === 'connect' && from === 'forbidding'));
	t.deepEqual(
		paths
			.filter(({by, connection, destination}) => by === 'address' && connection === 'direct' && destination === ibm.api)
			.map(({address, outcome}) => [address, outcome]),
		[['127.0.0.1', 'passed']],
	);

	const human = await testConnectivity(t, ['--config', file]);
	t.is(human.code, 33);
	const lines = human.stdout.split('\n');
	t.is(lines[0], `FAILED: no way to ${ibm.uploads}.`);
	const broken = lines.filter(line => line.startsWith('BROKEN'));
	t.deepEqual(lines.slice(1, 1 + broken.length), broken, 'the broken hops follow at once');
	t.true(broken.includes('BROKEN  dead, at TCP: no proxy listens there: start it, or correct its port'));
	t.true(broken.includes('BROKEN  silent, at proxy: the proxy took the request and did not answer'));
	t.true(broken.includes('BROKEN  refusing, at proxy authentication: the proxy rejects the user name or the password'));
	t.is(
		broken.filter(line => line.includes(' dead')).length,
		1,
		'a proxy that is gone is one broken hop, however much goes over it',
	);
	t.regex(human.stdout, new RegExp(`\\ngood +${ibm.api} +name +\\d+ ms +\\d+ ms +\\d+ ms +\\d+ ms +\\d+ ms +\\d+ ms +works\\n`));
	t.regex(human.stdout, /\n {4}Cause: .*password is wrong or has expired.*\n {4}To do: Ask the proxy team/);
	t.regex(human.stdout, new RegExp(`\\n {2}allow CONNECT on forbidding to ${ibm.uploads}`));
	t.regex(
		human.stdout,
		new RegExp(`\\n {2}${ibm.api} \\(problems, service information\\): works over 3 of 7 connections, not over dead,`),
	);
	t.is(lines.at(-2), lines[0], 'and the verdict is the last line, too');
	t.deepEqual(ibm.sandbox.cases(), []);
});

test('a name that DNS leads astray is named as that, and by a listed address it is walked all the same', async t => {
	const ibm = await startIbm(t);
	const dns = createSocket('udp4').bind(0, '127.0.0.1');
	t.teardown(() => dns.close());
	dns.on('message', (question, {port, address}) => dns.send(answerWith(question, [127, 0, 0, 1]), port, address));
	await once(dns, 'listening');
	const {exporter} = ibm.settings;
	const file = await writeConfig(t, {
		exporter: {
			call_home_connect: {...exporter.call_home_connect, endpoint: `https://esupport.ibm.com:${ibm.port}/connect/api/v1`},
		},
		destinations: {
			dns_servers: [`127.0.0.1:${dns.address().port}`],
			extended_error_data: [{host: 'esupport.ibm.com', port: ibm.port, addresses: ['127.0.0.1']}],
		},
	});
	const {code, stdout} = await testConnectivity(t, ['--config', file]);
	t.is(code, 33);
	t.regex(stdout, /\nBROKEN {2}direct -> esupport\.ibm\.com:\d+, at DNS: DNS leads astray/);
	t.regex(stdout, /\ndirect +esupport\.ibm\.com:\d+ +127\.0\.0\.1 +\d+ ms .* works, warning\n/);
	t.regex(stdout, /The network is good and DNS is not: by the address 127\.0\.0\.1 it works\./);
});

/** A DNS reply with one A record: the question again, and the address. */
function answerWith(question: Buffer, address: readonly number[]): Buffer {
	const header = Buffer.from(question.subarray(0, 12));
	header.writeUInt16BE(0x8180, 2);
	header.writeUInt16BE(1, 6);
	header.writeUInt16BE(0, 10);
	const end = question.indexOf(0, 12) + 5;
	const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...address]);
	return Buffer.concat([header, question.subarray(12, end), record]);
}

test('a PAC script that does not end is named as that, with its time', async t => {
	const directory = await temporaryDirectory(t);
	writeFileSync(join(directory, 'endless.pac'), 'function FindProxyForURL() { for (;;); }');
	const connections = [{pac: {file: 'endless.pac'}}, {proxy: {url: '', name: 'spare'}}];
	const settings = {exporter: {sandbox: {}}, store: {directory: join(directory, 'state')}, connections};
	const file = join(directory, 'callhome.yaml');
	writeFileSync(file, JSON.stringify(settings));
	const {code, stdout} = await testConnectivity(t, ['--config', file]);
	t.is(code, 33);
	t.regex(stdout, /BROKEN {2}pac, at PAC: the PAC script gives no answer/);
	t.regex(stdout, /pac -> \S+ {2}FAILED at PAC: /);
	t.regex(stdout, /BROKEN {2}spare, at configuration: /);
	t.regex(stdout, /^pac .* FAILED [1-9]\d{3,} ms /m, 'seconds');
});

test('Ctrl-C ends it at once with what is known by then', async t => {
	const ibm = await startIbm(t);
	let reached = 0;
	const silent = await listenSocket(t, () => {
		reached += 1;
	});
	const connections = [{direct: {}}, {proxy: {name: 'silent', url: secretUrl(silent), connect_timeout: '2m'}}];
	const file = await writeConfig(t, {...ibm.settings, connections});
	const program = await startProgram(t, process.execPath, [cli, 'test', 'connectivity', '--config', file]);
	await eventually(() => reached > 0 && ibm.sandbox.received().length > 1, {timeoutMillis: 60_000});
	const ended = await program.stop('SIGINT');
	t.is(ended, 'SIGINT', 'as others that are interrupted: 130 in a shell');
	t.regex(program.output(), /^INTERRUPTED: /);
	t.regex(program.output(), new RegExp(`\\ndirect -> ${ibm.api} .*works, \\d+ ms\\n|\\n {2}direct -> ${ibm.api} {2}works`));
	t.regex(program.output(), new RegExp(`silent -> ${ibm.api} {2}not known: given up at proxy after \\d+ ms`));
	t.notRegex(program.output(), /BROKEN.*silent/, 'what was given up is not called broken');
});

testWithPeer('squid', 'a real squid that wants a login: the right one leads through, and the wrong one is named', async t => {
	const ibm = await startIbm(t);
	const credentials = {username: 'user', password: 'right'};
	const squid = await startSquid(t, {basicAuth: credentials, configLines: ['acl SSL_ports port 1-65535']});
	const at = (login: string) => `http://${login}@127.0.0.1:${squid.url.port}`;
	const connections = [
		{proxy: {name: 'wrong', url: secretUrl(Number(squid.url.port))}},
		{proxy: {name: 'none', url: squid.url.href}},
		{proxy: {name: 'right', url: at('user:right')}},
	];
	const file = await writeConfig(t, {...ibm.settings, connections});
	const {code, stdout} = await testConnectivity(t, ['--config', file, '--destination', ibm.api]);
	t.is(code, 0, stdout);
	t.regex(stdout, /^PASSED, with a warning: everything has a way, and 2 path/);
	t.regex(stdout, /\nBROKEN {2}wrong, at proxy authentication: the proxy rejects the user name or the password\n/);
	t.regex(stdout, /\nBROKEN {2}none, at proxy authentication: the proxy wants a user name and a password\n/);
	t.regex(stdout, new RegExp(`\\n {2}right -> ${ibm.api} {2}works, \\d+ ms\\n`));
});

test('one connection, one destination, a shorter patience and no question can be asked for', async t => {
	const ibm = await startIbm(t);
	const silent = await listenSocket(t, () => {});
	const connections = [{direct: {}}, {proxy: {name: 'silent', url: secretUrl(silent)}}];
	const file = await writeConfig(t, {...ibm.settings, connections});
	const args = ['--config', file, '--destination', ibm.api];
	const impatient = await testConnectivity(t, [...args, '--connection', 'silent', '--timeout', '200ms']);
	t.is(impatient.code, 33);
	t.regex(impatient.stdout, /does not answer|did not answer the request for a tunnel within 200 ms/);
	const quiet = await testConnectivity(t, [...args, '--connection', 'direct', '--no-probe']);
	t.is(quiet.code, 0);
	t.deepEqual(ibm.sandbox.received(), []);
	for (const wrong of [
		['--connection', 'no'],
		['--destination', 'no.example'],
		['--timeout', 'soon'],
	]) {
		const ran = await runTest(['connectivity', '--config', file, ...wrong]);
		t.is(ran.code, 42, wrong.join(' '));
		t.regex(ran.stderr, new RegExp(`^ERR_USAGE: ${wrong[0]}`));
	}
});

test('--help says what is sent and what the exit codes are', async t => {
	const {code, stdout} = await testConnectivity(t, ['--help']);
	t.is(code, 0);
	t.regex(stdout, /Exit codes: 0 everything has at least one way, 33 something has none, 42 a wrong option, 130/);
	t.regex(stdout, /No key, no customer number/);
});
