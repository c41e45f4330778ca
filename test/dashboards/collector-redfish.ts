import {writeFile} from 'node:fs/promises';
import type {IncomingMessage, RequestListener, ServerResponse} from 'node:http';
import {join} from 'node:path';
import {buffer} from 'node:stream/consumers';
import {parse} from 'yaml';
import {startBridge} from '../helpers/bridge.ts';
import {issue, makeAuthority} from '../helpers/certificates.ts';
import {eventually, listen, temporaryDirectory} from '../helpers/listen.ts';
import {testWithPeer} from '../helpers/peers.ts';
import {recipeWith, startBesideForward} from '../helpers/recipe.ts';
import {at, createRedfishService, machinePages} from '../helpers/redfish-service.ts';
import {listenTls} from '../helpers/tls-server.ts';

const patience = {timeoutMillis: 60_000, intervalMillis: 100};
const [system, chassis, thermal] = ['/redfish/v1/Systems/1', '/redfish/v1/Chassis/1', '/thermal'] as const;

type Health = 'OK' | 'Warning' | 'Critical';

/** A machine whose parts are well or not, below HTTPS and a login. */
function managementModule(user: string, password: string) {
	const service = createRedfishService(machinePages());
	const login = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
	const listener: RequestListener = (request, response) => {
		if (request.headers.authorization === login) return void service.listener(request, response);
		response.writeHead(401, {'content-type': 'application/json'}).end('{"error": {"code": "Base.1.0.NoValidSession"}}');
	};
	function show({
		whole,
		fan,
		host = 'db01',
		...words
	}: {
		whole: Health;
		fan: Health;
		host?: string | null;
		[word: string]: unknown;
	}) {
		const {pages} = service;
		const status = {State: 'Enabled', Health: whole};
		pages[system] = {...pages[system], Id: '1', HostName: host, ...words, Status: status, Links: {Chassis: [at(chassis)]}};
		pages[chassis] = {...pages[chassis], Id: '1U', Status: status};
		const reading = {Name: 'Fan 2A', Reading: 4000, ReadingUnits: 'RPM', Status: {State: 'Enabled', Health: fan}};
		pages[thermal] = {Fans: [reading], Temperatures: [{Name: 'Ambient', ReadingCelsius: 24, Status: {Health: 'OK'}}]};
	}
	/** Resolves when it was read as a whole so often again: a poll reads the system first, and the fans last. */
	async function polled(times: number) {
		const before = service.asked.length;
		const since = () => service.asked.slice(before).map(({path}) => path);
		await eventually(
			() =>
				since()
					.slice(since().indexOf(system))
					.filter(path => path === thermal).length >= times,
			patience,
		);
	}
	show({whole: 'OK', fan: 'OK'});
	const polls = () => service.asked.filter(({path}) => path === thermal).length;
	return {listener, show, polled, polls, asked: service.asked};
}

testWithPeer('otelcol', 'a fan that fails at a Redfish service becomes one case with the machine named, and closes', async t => {
	const [user, password] = ['callhome-reader', 'not-for-the-log'];
	const module = managementModule(user, password);
	const authority = await makeAuthority('Test authority of the modules');
	const url = await listenTls(t, await issue(authority, {commonName: 'imm01', hosts: ['localhost']}), module.listener);
	const caFile = join(await temporaryDirectory(t), 'ca.pem');
	await writeFile(caFile, authority.certificate);
	const here = await recipeWith('redfish', {
		'https://imm01.example': url.origin,
		'collection_interval: 60s': 'collection_interval: 500ms',
	});
	const env = {REDFISH_USERNAME: user, REDFISH_PASSWORD: password};
	const bridge = await startBridge(t);
	const list = async () =>
		(await bridge.callHome.store.read.listProblems({})).toSorted((one, other) => one.firstSeen - other.firstSeen);

	const unsure = await startBesideForward(t, bridge.urls.otlp, here, {env});
	await unsure.waitFor(/certificate signed by unknown authority/, patience);
	await unsure.stop();
	t.deepEqual(module.asked, [], 'a module that cannot be verified is not asked');

	const collector = await startBesideForward(t, bridge.urls.otlp, here, {env: {...env, SSL_CERT_FILE: caFile}});
	await module.polled(2);
	t.deepEqual(await list(), []);

	module.show({whole: 'Critical', fan: 'Critical'});
	await eventually(async () => (await list()).some(({state}) => state === 'open'), patience);
	module.show({whole: 'Critical', fan: 'Critical', host: null}); // It loses its power, and with it its name.
	await module.polled(4);
	const [fan, ...others] = await list();
	t.deepEqual(others, [], 'the fan explains why the machine is unwell');
	t.like(fan, {
		count: 1,
		component: {id: 'fan/1U/Fan 2A', type: 'fan', name: 'Fan 2A'},
		system: {name: 'db01', machineType: '8871', model: 'AC1', serialNumber: 'J1A2B3C'},
	});

	module.show({whole: 'Critical', fan: 'OK', host: null});
	const both = await eventually(async () => {
		const problems = await list();
		return problems.length > 1 && problems.every(({caseNumber}) => caseNumber) && problems;
	}, patience);
	t.true(both[0]?.recoveredAt !== undefined, 'the fan is well again');
	t.like(both[1], {component: {id: 'chassis/1U', type: 'enclosure'}, system: {serialNumber: 'J1A2B3C'}});
	t.is(both.length, 2, 'what no part explains is told once, of the chassis or of the system in which it is');

	module.show({whole: 'OK', fan: 'OK'});
	await eventually(async () => (await list()).every(({recoveredAt}) => recoveredAt !== undefined), patience);
	t.is((await list()).length, 2);
	t.notRegex(unsure.logs() + collector.logs(), new RegExp(password));
});

/** Passes to the intake what comes, once it is open; until then it has no room. */
function gate(intake: URL) {
	const self = {isOpen: false, refused: 0, passed: 0, listener};
	return self;

	async function listener(request: IncomingMessage, response: ServerResponse) {
		const body = await buffer(request);
		if (!self.isOpen) {
			self.refused++;
			return void response.writeHead(503, {'retry-after': '1'}).end();
		}
		const headers = Object.fromEntries(
			['content-type', 'content-encoding'].map(name => [name, String(request.headers[name] ?? '')]),
		);
		const answer = await fetch(new URL(request.url ?? '', intake), {method: 'POST', headers, body});
		response.writeHead(answer.status, {'content-type': 'application/x-protobuf'}).end(await answer.bytes());
		self.passed++;
	}
}

testWithPeer(
	'otelcol',
	'a fault that was over before the bridge could be reached is not lost, and a killed Collector forgets none',
	async t => {
		const env = {REDFISH_USERNAME: 'reader', REDFISH_PASSWORD: 'secret'};
		const [one, two] = [managementModule('reader', 'secret'), managementModule('reader', 'secret')];
		const unnamed = {host: null, Manufacturer: 'Example', Model: 'Server 1', SerialNumber: null};
		two.show({whole: 'OK', fan: 'OK', ...unnamed});
		const [first, second] = [await listen(t, one.listener), await listen(t, two.listener)];
		const text = await recipeWith('redfish', {
			'          # - set(resource': '          - set(resource',
			'["base_url"] == "https://imm01.example"': `["base_url"] == "${second.origin}"`,
			'"J1A2B3C"': '"Z9Y8X7W"',
			'https://imm01.example': first.origin,
			'collection_interval: 60s': 'collection_interval: 500ms',
		});
		const {'redfish/callhome': receiver} = parse(text).receivers;
		const copied = {
			receivers: {'redfish/two': {...receiver, servers: [{...receiver.servers[0], base_url: second.origin}]}},
			service: {pipelines: {'metrics/callhome_redfish': {receivers: ['redfish/callhome', 'redfish/two']}}},
		};
		const bridge = await startBridge(t);
		const way = gate(bridge.urls.otlp);
		const collector = await startBesideForward(t, await listen(t, way.listener), [text, copied], {env});
		const list = () => bridge.callHome.store.read.listProblems({});

		one.show({whole: 'Critical', fan: 'Critical'});
		await one.polled(2);
		one.show({whole: 'OK', fan: 'OK'});
		await one.polled(2);
		await eventually(() => way.refused > 0, patience);
		const told = one.polls() + two.polls();
		way.isOpen = true;
		await eventually(() => way.passed >= told, patience);
		const [over, ...others] = await list();
		t.deepEqual(others, []);
		t.true(over?.recoveredAt !== undefined);
		t.like(
			over,
			{system: {serialNumber: 'J1A2B3C'}, component: {id: 'fan/1U/Fan 2A'}, count: 2},
			'it failed once, and was over once',
		);

		way.isOpen = false;
		const before = way.refused;
		two.show({whole: 'OK', fan: 'Critical', ...unnamed});
		await two.polled(2);
		await eventually(() => way.refused > before, patience);
		await collector.stop('SIGKILL');
		two.show({whole: 'OK', fan: 'OK', ...unnamed}); // What the killed one saw, no other poll sees.
		way.isOpen = true;
		await collector.restart();
		const [another] = await eventually(async () => {
			const found = (await list()).filter(({id}) => id !== over?.id);
			return found.some(({caseNumber, recoveredAt}) => caseNumber && recoveredAt !== undefined) && found;
		}, patience);
		t.like(another, {
			system: {name: 'Z9Y8X7W', machineType: '8871', model: 'AC1', serialNumber: 'Z9Y8X7W'},
			component: {id: 'fan/1U/Fan 2A', type: 'fan'},
		});
		t.is((await list()).length, 2);
	},
);
