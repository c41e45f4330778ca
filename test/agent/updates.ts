import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {type CallHome, openCallHome} from '../../src/agent/callhome.ts';
import {openWays} from '../../src/agent/ways.ts';
import {status} from '../../src/cli/status.ts';
import {applyUpdate} from '../../src/cli/update.ts';
import type {Config} from '../../src/config.ts';
import {alertRequest, configOf, post, scrape, startBridge} from '../helpers/bridge.ts';
import {startDnsServer} from '../helpers/dns-server.ts';
import {eventually, temporaryDirectory} from '../helpers/listen.ts';
import {startSandbox} from '../helpers/sandbox.ts';
import {authority, fanRule, makeKeyPair, manifestOf, pemOf, startUpdateServer, timeOf} from '../helpers/update-server.ts';

const pair = makeKeyPair();
const system = {match: {'host.name': 'db01'}, machine_type: '8871', model: 'AC1', serial_number: 'J1A2B3C'};

/** An update server, and two servers of IBM's that are known from its lists alone: the published name does not resolve. */
async function world(t: ExecutionContext) {
	const directory = await temporaryDirectory(t);
	const server = await startUpdateServer(t);
	const sandboxes = [await startSandbox(t), await startSandbox(t)] as const;
	const dns = await startDnsServer(t, {localhost: ['127.0.0.1']});
	const file = (name: string, text: string) => {
		writeFileSync(join(directory, name), text);
		return join(directory, name);
	};
	const settings = {
		systems: [system],
		destinations: {
			dns_servers: [dns.address],
			allow_loopback: true,
			updates: {
				url: server.url.href,
				http_url: server.httpUrl.href,
				ca_file: file('updates-ca.pem', authority.certificate),
				public_key_file: file('updates.pem', pemOf(pair)),
			},
		},
		exporter: {
			call_home_connect: {
				customer_number: '7654321',
				api_key: 'sandbox',
				private_key: 'sandbox',
				ca_file: file('ibm-ca.pem', sandboxes.map(({caFile}) => readFileSync(caFile, 'utf8')).join('\n')),
				target_space: 'test',
				case_query: {interval: '1s', count: 30},
			},
			retry_on_failure: {initial_interval: '100ms', max_interval: '500ms'},
		},
		store: {directory: join(directory, 'state')},
	};
	const list = (index: 0 | 1) => {
		const {port, pathname} = sandboxes[index].url();
		return {problem_reporting: [{host: 'localhost', port: Number(port), path: pathname}]};
	};
	const hosts = [`localhost:${sandboxes[0].url().port}`, `localhost:${sandboxes[1].url().port}`] as const;
	return {directory, server, settings, list, hosts, dns};
}

const manifest = (serial: number, changes: Record<string, unknown> = {}) =>
	manifestOf(serial, {issued_at: timeOf(Date.now() - 60_000), expires_at: timeOf(Date.now() + 3_600_000), ...changes});

/** Where the only acknowledged attempt for the part went. */
const wentTo = ({store}: CallHome, id: string) =>
	eventually(
		async () => {
			const problem = (await store.read.listProblems({})).find(({component}) => component.id === id);
			const attempts = await store.read.attemptsOf(problem?.id ?? '');
			return problem && ['accepted', 'open'].includes(problem.state) && attempts.at(-1)?.destination;
		},
		{timeoutMillis: 60_000},
	);

/** The bridge without its listeners, as it is after a restart. */
async function restart(t: ExecutionContext, config: Config): Promise<CallHome> {
	const ways = openWays(config, () => {});
	const callHome = await openCallHome(config, () => {}, ways);
	t.teardown(async () => {
		await callHome.shutdown();
		await ways.close();
	});
	return callHome;
}

test.serial('a signed list changes where submissions go, nothing else does, and a restart keeps it', async t => {
	const {server, settings, list, hosts, dns, directory} = await world(t);
	const bridge = await startBridge(t, settings);
	const {callHome, said, urls} = bridge;
	const {updates, store} = callHome;
	if (!updates) return t.fail('the update server is configured');
	const words = async () => (await store.read.listActivities({})).map(({word}) => word);

	await post(urls.otlp, alertRequest({id: 'drive-1'}));
	await eventually(() => dns.asked.includes('A esupport.ibm.com'));
	server.publish(manifest(5, {destinations: list(0)}), pair);
	t.like(await updates.check(), {outcome: 'accepted', origin: 'https', troubles: []});
	t.is(await wentTo(callHome, 'drive-1'), hosts[0], 'what waited goes to the new server');
	t.true((await words()).includes('update_accepted'));
	t.true(said.some(line => line.includes(`manifest 5`) && line.includes(`problem_reporting +${hosts[0]}`)));

	const [good, signature] = ['/callhome-updates.json', '/callhome-updates.json.sig'].map(name => server.files.get(name));
	const bad: [title: string, code: string, publish: () => void][] = [
		['another key', 'ERR_SIGNATURE', () => server.publish(manifest(6, {destinations: list(1)}), makeKeyPair())],
		[
			'an old signature',
			'ERR_SIGNATURE',
			() => {
				server.publish(manifest(6, {destinations: list(1)}), pair);
				server.files.set('/callhome-updates.json.sig', signature ?? Buffer.alloc(0));
			},
		],
		['a rollback', 'ERR_SIGNATURE', () => server.publish(manifest(4, {destinations: list(1)}), pair)],
		['another one under the serial', 'ERR_SIGNATURE', () => server.publish(manifest(5, {destinations: list(1)}), pair)],
		[
			'an expired one',
			'ERR_SIGNATURE',
			() =>
				server.publish(manifestOf(6, {issued_at: timeOf(1), expires_at: timeOf(Date.now() - 1), destinations: list(1)}), pair),
		],
		[
			'an oversized one',
			'ERR_TOO_LARGE',
			() => server.publish(Buffer.concat([manifest(6, {destinations: list(1)}), Buffer.alloc(300 * 1024, ' ')]), pair),
		],
	];
	for (const [title, code, publish] of bad) {
		publish();
		const {outcome, troubles} = await updates.check();
		t.true(['refused', 'failed'].includes(outcome), `${title}: ${outcome}`);
		t.is(troubles[0]?.code, code, title);
		t.true(
			said.some(line => line.includes(troubles[0]?.text ?? '?')),
			`${title} is said`,
		);
		t.is(updates.accepted()?.manifest.serial, 5);
	}
	t.true((await words()).includes('update_refused'));
	await post(urls.otlp, alertRequest({id: 'drive-2'}));
	t.is(await wentTo(callHome, 'drive-2'), hosts[0], 'nothing that was refused counts');
	server.files.set('/callhome-updates.json', good ?? Buffer.alloc(0));
	server.files.set('/callhome-updates.json.sig', signature ?? Buffer.alloc(0));
	t.like(await updates.check(), {outcome: 'nothing_new', troubles: []}, 'a replay of what is in force');

	server.publish(manifest(7, {destinations: list(1)}), pair);
	t.is((await updates.check()).outcome, 'accepted');
	await post(urls.otlp, alertRequest({id: 'drive-3'}));
	t.is(await wentTo(callHome, 'drive-3'), hosts[1]);
	const config = configOf(directory, settings);
	t.like((await status(config)).json, {updates: {serial: 7, outcome: 'accepted', waiting: [], troubles: []}});
	await bridge.shutdown();

	server.files.clear();
	const asked = dns.asked.length;
	const again = await startBridge(t, settings);
	const next = again.callHome;
	t.is(next.updates?.accepted()?.manifest.serial, 7);
	t.is((await next.updates?.check())?.outcome, 'failed');
	await post(again.urls.otlp, alertRequest({id: 'drive-4'}));
	t.is(await wentTo(next, 'drive-4'), hosts[1], 'a server that has nothing takes nothing back');
	t.false(dns.asked.slice(asked).some(question => question.includes('ibm.com')));
	t.deepEqual(server.plainBytes, [], 'the server answers over HTTPS, so nobody asks over plain HTTP');
});

test.serial('rules and a program wait for the operator: in the metric, the activity log, the log and the status', async t => {
	const {server, settings, list, directory} = await world(t);
	const bridge = await startBridge(t, settings);
	const {callHome, said, urls} = bridge;
	const waiting = async (kind: string) =>
		(await scrape(urls.metrics)).get(`callhome_update_waiting{callhome_update_kind="${kind}"}`);
	t.is(await waiting('rules'), 0);
	const rules = server.offer('/rules.yaml', '3', fanRule);
	const program = server.offer('/callhome-99.0.0.tgz', '99.0.0', 'a package');
	server.publish(manifest(1, {destinations: list(0), rules, program}), pair);
	t.like(await callHome.updates?.check(), {outcome: 'accepted', troubles: []});
	t.is(await waiting('rules'), 1);
	t.is(await waiting('program'), 1);
	t.true(said.includes('warn rules 3 is fetched and verified, and waits: "callhome update apply rules"'), said.join('\n'));
	t.is((await callHome.store.read.listActivities({})).filter(({word}) => word === 'update_waiting').length, 2);
	const config = configOf(directory, settings);
	t.regex(
		(await status(config)).lines.join('\n'),
		/Updates: +rules 3 waits: "callhome update apply rules"; program 99\.0\.0 waits/,
	);

	const fan = {id: 'fan-1', type: 'fan', state: 'failed'};
	await post(urls.otlp, alertRequest(fan));
	await wentTo(callHome, 'fan-1');
	await applyUpdate(config, 'rules');
	t.is(await waiting('rules'), 0);
	await bridge.shutdown();

	const next = await startBridge(t, settings);
	await post(next.urls.otlp, alertRequest({...fan, id: 'fan-2'}));
	const problems = await eventually(async () => {
		const all = await next.callHome.store.read.listProblems({});
		return all.length === 2 && all;
	});
	t.like(
		problems.find(({component}) => component.id === 'fan-2'),
		{state: 'held', reason: 'not_serviceable'},
	);
	t.true((await next.callHome.store.read.listActivities({})).some(({word}) => word === 'update_applied'));
	await next.shutdown();

	writeFileSync(join(config.store.directory, 'rules.yaml'), '- verdict: sometimes\n');
	await t.throwsAsync(restart(t, config), {code: 'ERR_CONFIG', message: /rules\.yaml cannot be used/});
});

test.serial('the authority of the update server vouches for nobody that something is sent to', async t => {
	const {server, settings} = await world(t);
	const {port} = server.url;
	const {ca_file: _, ...ibm} = settings.exporter.call_home_connect;
	const destinations = {problem_reporting: [{host: 'localhost', port: Number(port), path: '/connect/api/v1'}]};
	server.publish(manifest(1, {destinations}), pair);
	const bridge = await startBridge(t, {...settings, exporter: {...settings.exporter, call_home_connect: ibm}});
	t.is((await bridge.callHome.updates?.check())?.outcome, 'accepted');
	await post(bridge.urls.otlp, alertRequest({}));
	const {read} = bridge.callHome.store;
	const attempt = await eventually(
		async () => {
			const [problem] = await read.listProblems({});
			return (await read.attemptsOf(problem?.id ?? '')).find(
				({destination, error}) => destination === `localhost:${port}` && error,
			);
		},
		{timeoutMillis: 60_000},
	);
	t.regex(JSON.stringify(attempt), /ERR_CERTIFICATE|ERR_TLS_INSPECTED/);
	t.true(
		server.asked.every(line => line.startsWith('GET /callhome-updates.json')),
		server.asked.join(),
	);
});
